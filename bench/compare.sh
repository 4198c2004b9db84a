#!/usr/bin/env bash
# Compares two checkouts side by side in one run, in turn, so that whatever else the machine does meets both: bench/compare.sh OLD NEW.
# A scrape of the system, of 1,000 and of 5,000 processes by the built distributions (sidebyside), then the benchmarks below, which are found by
# name wherever they are. Medians, and the ratio new/old; one above 1.05 is marked. About ten minutes, with ROUNDS=3.
# OLD_BINARY and NEW_BINARY name distributions that are built already; PARTS="scrapes benchmarks" says what is run.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
old=$(realpath "$1") new=$(realpath "$2")
bench=$(dirname "$(realpath "$0")")
rounds=${ROUNDS:-3}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
begun=$SECONDS
say() { printf '[%3d s] %s\n' $((SECONDS - begun)) "$*" >&2; }

# binary gives the distribution of a checkout, which is built if it is not up to date.
binary() {
	[ -z "$2" ] || { realpath "$2"; return; }
	say "building $1"
	make -s -C "$1" build >&2
	echo "$1/otelcol-psutil"
}

# scrape SCRAPER SLEEPERS SCRAPES INTERVAL compares what a scrape costs the two distributions.
scrape() {
	say "scrapes: $1, $2 idle processes more"
	"$out/sidebyside" -rounds "$rounds" -opens=false -sleepers "$2" -scrapes "$3" -interval "$4" \
		-a-name old -a "$old_binary" -a-config "$old/bench/configs/$1-psutil.yaml" \
		-b-name new -b "$new_binary" -b-config "$new/bench/configs/$1-psutil.yaml"
}

# Each benchmark with what is run of it and for how long.
benchmarks='
BenchmarkProcessScrape  ^BenchmarkProcessScrape$/^1000$   15x
BenchmarkProcess        ^BenchmarkProcess$/^streams=1000$ 300ms
BenchmarkUnmatchedPoint ^BenchmarkUnmatchedPoint$         300ms
BenchmarkFeed           ^BenchmarkFeed$                   300ms
BenchmarkRound          ^BenchmarkRound$/^12x10000$       5x
BenchmarkSeriesMemory   ^BenchmarkSeriesMemory$           1x
'

# package finds the package of a benchmark in a checkout, in the module of the root.
package() {
	local found
	found=$(cd "$1" && git ls-files '*_test.go' | xargs grep -l "^func $2(" | grep -v '/oracle/\|/lifecycle/\|/crosscheck/\|^bench/' || true)
	[ "$(wc -w <<<"$found")" = 1 ] || { say "$2 is not in one place of $1: ${found:-nowhere}"; return 1; }
	dirname "$1/$found"
}

# compile builds the test binary of a package once.
compile() {
	local file="$out/$(tr / _ <<<"$1").test"
	[ -e "$file" ] || go test -C "$1" -c -o "$file" .
	echo "$file"
}

# measure runs one benchmark of a checkout and appends its lines to a file.
measure() {
	local package file
	package=$(package "$1" "$2") || return 0
	file=$(compile "$package")
	(cd "$package" && "$file" -test.run '^$' -test.bench "$3" -test.benchtime "$4" -test.benchmem) | grep '^Benchmark' >>"$5" || say "$2 of $1 failed"
}

# table prints the medians of two files of benchmark lines.
table() {
	awk '
		function median(side, key,    i, j, n, v, t) {
			n = count[side, key]
			for (i = 1; i <= n; i++) { v[i] = value[side, key, i] }
			for (i = 2; i <= n; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) { v[j + 1] = v[j] } v[j + 1] = t }
			return v[int((n + 1) / 2)]
		}
		{
			name = $1; sub(/-[0-9]+$/, "", name); sub(/^Benchmark/, "", name)
			for (i = 3; i < NF; i += 2) {
				key = name " " $(i + 1)
				if (!(key in seen)) { seen[key]; order[++keys] = key }
				value[FILENAME, key, ++count[FILENAME, key]] = $i
			}
		}
		END {
			printf "\n%-68s %14s %14s %8s\n", "benchmark and unit", "old", "new", "new/old"
			for (k = 1; k <= keys; k++) {
				key = order[k]; o = median(ARGV[1], key); n = median(ARGV[2], key)
				if (!count[ARGV[1], key] || !count[ARGV[2], key]) { printf "%-68s only in one of the two\n", key; continue }
				r = o ? n / o : n ? 99 : 1
				printf "%-68s %14.2f %14.2f %8.3f%s\n", key, o, n, r, (r > 1.05 ? "  <- worse" : "")
			}
		}' "$1" "$2"
}

if [[ " ${PARTS:-scrapes benchmarks} " == *" scrapes "* ]]; then
	old_binary=$(binary "$old" "${OLD_BINARY:-}") new_binary=$(binary "$new" "${NEW_BINARY:-}")
	go build -C "$bench" -o "$out/sidebyside" ./sidebyside
	scrape system 0 80 100ms
	scrape process 1000 20 300ms
	scrape process 5000 15 700ms
fi
if [[ " ${PARTS:-scrapes benchmarks} " == *" benchmarks "* ]]; then
	touch "$out/old" "$out/new"
	for round in $(seq "$rounds"); do
		while read -r name run time; do
			[ -n "$name" ] || continue
			say "round $round of $rounds: $name"
			# Whoever is first changes from round to round.
			if [ $((round % 2)) = 1 ]; then order="old new"; else order="new old"; fi
			for side in $order; do measure "${!side}" "$name" "$run" "$time" "$out/$side"; done
		done <<<"$benchmarks"
	done
	table "$out/old" "$out/new"
fi
say "done"

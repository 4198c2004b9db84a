#!/usr/bin/env bash
# Runs each fuzz target of the repository for the time $1, $2 of them at a time (default: 20s, one for each CPU). A test binary is built once
# for each package. All run, even where one fails: what failed is listed at the end, and the whole of the input that did it is printed. It is
# left in testdata/fuzz of its package, too, as `go test -fuzz` does.
set -euo pipefail
cd "$(dirname "$0")/.."
export FUZZ_TIME="${1:-20s}" FUZZ_JOBS="${2:-$(getconf _NPROCESSORS_ONLN)}"
FUZZ_DIR=$(mktemp -d)
export FUZZ_DIR
trap 'rm -rf "$FUZZ_DIR"' EXIT

targets=$(grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed -E 's|^(.*)/[^/]*:func (.*)$|\1 \2|' | sort)
FUZZ_COUNT=$(wc -l <<<"$targets")
export FUZZ_COUNT

for dir in $(cut -d' ' -f1 <<<"$targets" | uniq); do
	go test -C "$dir" -c -fuzz '^Fuzz' -o "$FUZZ_DIR/$(tr / _ <<<"$dir").test" .
done
echo "$FUZZ_COUNT fuzz targets, $FUZZ_TIME each, $FUZZ_JOBS at a time"

# inputs prints the inputs that made a target fail: one that was found is named where it was written, one of the seed corpus as such.
inputs() {
	local dir=$1 log=$2 input
	sed -nE -e 's|.*Failing input written to (testdata/fuzz/.*)$|\1|p' -e 's|^failure while testing seed corpus entry: (.*)$|testdata/fuzz/\1|p' "$log" |
		while read -r input; do
			if [ -f "$dir/$input" ]; then
				echo "$dir/$input:"
				cat "$dir/$input"
			fi
		done
}

# fuzz runs one target, with one worker: the others have the other CPUs.
fuzz() {
	local number=$1 dir=$2 target=$3 log="$FUZZ_DIR/$1.log" status=0
	(cd "$dir" && "$FUZZ_DIR/$(tr / _ <<<"$dir").test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$FUZZ_TIME" \
		-test.fuzzminimizetime 20x -test.parallel 1 -test.fuzzcachedir "$FUZZ_DIR/cache/$number") >"$log" 2>&1 || status=$?
	# On a busy machine Go takes the end of the time for a failure (go.dev/issue/75804, until Go 1.27). A true one names its input.
	if [ "$status" != 0 ] && grep -q '^    context deadline exceeded$' "$log" && ! grep -qE 'Failing input|seed corpus|panic' "$log"; then
		status=0
	fi
	if [ "$status" = 0 ] && ! grep -qE 'execs: [1-9]' "$log"; then
		echo "nothing was run" >>"$log"
		status=1
	fi
	if [ "$status" != 0 ]; then
		echo "$dir $target" >>"$FUZZ_DIR/failed"
		inputs "$dir" "$log" >"$log.inputs"
		echo "[$number/$FUZZ_COUNT] $dir $target FAILED"
		cat "$log" "$log.inputs"
		return
	fi
	echo "[$number/$FUZZ_COUNT] $dir $target: $(sed -nE 's/.*(execs: [0-9]+).*/\1/p' "$log" | tail -1)"
}
export -f fuzz inputs
: >"$FUZZ_DIR/failed"
status=0
nl -w1 -s' ' <<<"$targets" | xargs -P "$FUZZ_JOBS" -L1 bash -c 'fuzz "$@"' fuzz || status=$?
if [ -s "$FUZZ_DIR/failed" ]; then
	echo "$(wc -l <"$FUZZ_DIR/failed") of $FUZZ_COUNT fuzz targets failed:"
	sort "$FUZZ_DIR/failed"
	status=1
fi
exit "$status"

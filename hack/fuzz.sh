#!/usr/bin/env bash
# Runs each fuzz target of the repository for the time $1, $2 of them at a time (default: 20s, one for each CPU). A test binary is built once
# for each package. What makes a target fail is left in testdata/fuzz of its package, as `go test -fuzz` does.
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

# fuzz runs one target, with one worker: the others have the other CPUs.
fuzz() {
	local number=$1 dir=$2 target=$3 log="$FUZZ_DIR/$1.log" status=0
	(cd "$dir" && "$FUZZ_DIR/$(tr / _ <<<"$dir").test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$FUZZ_TIME" \
		-test.fuzzminimizetime 20x -test.parallel 1 -test.fuzzcachedir "$FUZZ_DIR/cache/$number") >"$log" 2>&1 || status=$?
	# On a busy machine Go takes the end of the time for a failure (go.dev/issue/75804, until Go 1.27). A true one names its input.
	if [ "$status" != 0 ] && grep -q '^    context deadline exceeded$' "$log" && ! grep -qE 'Failing input|seed corpus|panic' "$log"; then
		status=0
	fi
	if ! grep -qE 'execs: [1-9]' "$log"; then
		echo "nothing was run" >>"$log"
		status=1
	fi
	if [ "$status" != 0 ]; then
		echo "[$number/$FUZZ_COUNT] $dir $target FAILED"
		cat "$log"
		return 255 # xargs begins no other.
	fi
	echo "[$number/$FUZZ_COUNT] $dir $target: $(sed -nE 's/.*(execs: [0-9]+).*/\1/p' "$log" | tail -1)"
}
export -f fuzz
nl -w1 -s' ' <<<"$targets" | xargs -P "$FUZZ_JOBS" -L1 bash -c 'fuzz "$@"' fuzz

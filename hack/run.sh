#!/usr/bin/env bash
# Runs the distribution on its built-in configuration until Ctrl-C: the page in the browser, and here the same in the terminal, or as plain text
# every few seconds where there is none. hack/run.sh BINARY HOSTTOP LOG
set -euo pipefail
[ $# = 3 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
binary=$1 hosttop=$2 log=$3
address=localhost:9465

mkdir -p "$(dirname "$log")"
"$binary" --config live: >"$log" 2>&1 &
agent=$!
# The agent is asked to end once; it ends within a second or two.
trap 'kill -TERM "$agent" 2>/dev/null || true; wait "$agent" || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ended() {
	echo "The agent has ended:" >&2
	cat "$log" >&2
	exit 1
}

echo "This host, until Ctrl-C:"
echo "  http://$address   the page, with history, processes and alerts"
echo "  $log   the agent's log"
for _ in $(seq 100); do
	kill -0 "$agent" 2>/dev/null || ended
	if "$hosttop" -once -rows 1 "http://$address" >/dev/null 2>&1; then
		break
	fi
	sleep 0.1
done
kill -0 "$agent" 2>/dev/null || ended
if [ -t 0 ] && [ -t 1 ]; then
	"$hosttop" "http://$address"
	exit 0
fi
while kill -0 "$agent" 2>/dev/null; do
	"$hosttop" -once -rows 5 "http://$address" || true
	sleep 5 &
	wait $!
done
ended

#!/usr/bin/env bash
# Makes the pictures of the README from this host, as it is: hack/pictures.sh BINARY HOSTTOP FOLDER [SECONDS]. The agent runs on its built-in
# configuration. After ten seconds there is a picture of the page (page-start), and after so many (600 if not said, at least 60) one more, and one of
# the terminal. Before these all cores are kept busy for 40 seconds, so that an alert fires. Needs chromium and tmux.
set -euo pipefail
binary=$(realpath "$1")
hosttop=$(realpath "$2")
folder=$(mkdir -p "$3" && realpath "$3")
seconds=${4:-600}
cd "$(dirname "$0")/.."
port=9475
url=http://localhost:$port/
work=$(mktemp -d)
started=()
cleanup() {
	tmux -L otelcol-psutil-pictures kill-server 2>/dev/null || true
	[ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
(cd hostpageexporter/web/browsertest && go build -o "$work/screenshot" ./screenshot)

# wait_until waits until so many seconds after the start of the agent.
wait_until() {
	local left=$((begun + $1 - SECONDS))
	[ "$left" -le 0 ] || sleep "$left"
}

"$binary" --config live: --set exporters::host_page::endpoint=localhost:$port >"$work/agent.log" 2>&1 &
started+=($!)
begun=$SECONDS
echo "The agent runs for $seconds s"
wait_until 7 # The browser takes three more.
"$work/screenshot" -url "$url" -out "$folder/page-start" -width 1440 -height 1150
wait_until $((seconds - 48))
echo "All cores are busy for 40 s"
for _ in $(seq "$(nproc)"); do
	timeout 40 sh -c 'while :; do :; done' &
	started+=($!)
done
wait_until $((seconds - 12))
tmux -L otelcol-psutil-pictures -f /dev/null new-session -d -x 132 -y 40 "$hosttop $url"
wait_until $((seconds - 6))
tmux -L otelcol-psutil-pictures capture-pane -e -p >"$work/terminal.txt"
wait_until "$seconds"
"$work/screenshot" -url "$url" -out "$folder/page" -width 1440 -height 1150
"$work/screenshot" -terminal "$work/terminal.txt" -out "$folder/hosttop"
ls -l "$folder"

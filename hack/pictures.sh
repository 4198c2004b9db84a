#!/usr/bin/env bash
# Makes the pictures of the README from this host, as it is: hack/pictures.sh BINARY HOSTTOP FOLDER [SECONDS]. The agent runs on its built-in
# configuration for so many seconds (300 if not said); for twenty of them all cores are kept busy, so that an alert fires. Needs chromium and tmux.
set -euo pipefail
binary=$(realpath "$1")
hosttop=$(realpath "$2")
folder=$(mkdir -p "$3" && realpath "$3")
seconds=${4:-300}
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

"$binary" --config live: --set exporters::host_page::endpoint=localhost:$port >"$work/agent.log" 2>&1 &
started+=($!)
(cd hostpageexporter/web/browsertest && go build -o "$work/screenshot" ./screenshot)
echo "The agent runs for $seconds s"
sleep $((seconds > 60 ? seconds - 60 : 1))
echo "All cores are busy for 40 s"
for _ in $(seq "$(nproc)"); do
	timeout 40 sh -c 'while :; do :; done' &
	started+=($!)
done
sleep 36
tmux -L otelcol-psutil-pictures -f /dev/null new-session -d -x 132 -y 40 "$hosttop $url"
sleep 6
tmux -L otelcol-psutil-pictures capture-pane -e -p >"$work/terminal.txt"
"$work/screenshot" -terminal "$work/terminal.txt" -out "$folder/hosttop"
"$work/screenshot" -url "$url#span=${seconds}s" -out "$folder/page" -width 1440 -height 1150
ls -l "$folder"

#!/usr/bin/env bash
# Compiles the BPF programs of a folder in a copy of it, and compares what comes of it with what is committed: hack/check-bpf.sh FOLDER. Only the version
# of clang that the folder's go:generate line names makes the same objects. Where that is missing it is skipped, unless BPF_REQUIRE_CLANG=1.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1

skip() {
	echo "SKIPPED: $1, so that the BPF objects are not compared with their source"
	[ "${BPF_REQUIRE_CLANG:-}" != 1 ]
	exit
}

for program in $(sed -n 's/^\/\/go:generate .* -cc \([^ ]*\) -strip \([^ ]*\) .*/\1 \2/p' "$folder/doc.go"); do
	command -v "$program" >/dev/null || skip "$program is not installed"
done
[ -e /usr/include/bpf/bpf_helpers.h ] || skip "libbpf-dev is not installed"

# Within the module, whose version of Go it then has.
copy=build/check-bpf
rm -rf "$copy"
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy"
cp "$folder"/doc.go "$folder"/*.c "$folder"/*.h "$copy"
go generate -run bpf2go "./$copy"

failed=0
compared=0
for made in "$copy"/*_bpfel.o "$copy"/*_bpfel.go; do
	compared=$((compared + 1))
	cmp "$made" "$folder/$(basename "$made")" || failed=1
done
for committed in "$folder"/*_bpfel.o "$folder"/*_bpfel.go; do
	[ -e "$copy/$(basename "$committed")" ] || { echo "$committed comes of no source"; failed=1; }
done
[ $failed = 0 ] || { echo "run make bpf, and commit what it writes"; exit 1; }
echo "$compared files are what the source compiles to"

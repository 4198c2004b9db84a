#!/bin/sh
# Makes the .deb and the .rpm of the Collector, the command that checks its rules and the terminal client of its page:
# packaging/package.sh BINARY ALERTCHECK HOSTTOP FOLDER. The version
# is VERSION or the manifest's, the architecture Go's (GOARCH). SOURCE_DATE_EPOCH, by default the time of the last commit, dates the files: the
# same binaries give the same packages.
set -eu
BINARY=$(realpath "$1")
ALERTCHECK=$(realpath "$2")
HOSTTOP=$(realpath "$3")
folder=$(mkdir -p "$4" && realpath "$4")
cd "$(dirname "$0")"
VERSION=${VERSION:-$(sed -n 's/^  version: //p' ../builder-config.yaml)}
ARCH=$(go env GOARCH)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export BINARY ALERTCHECK HOSTTOP VERSION ARCH SOURCE_DATE_EPOCH
for packager in deb rpm; do
	env -u GOARCH -u GOOS go tool nfpm package --config nfpm.yaml --packager "$packager" --target "$folder"
done

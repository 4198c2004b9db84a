#!/bin/sh
# Makes the .deb and the .rpm of the Collector and the command that checks its rules: packaging/package.sh BINARY ALERTCHECK FOLDER. The version
# is VERSION or the manifest's, the architecture Go's (GOARCH). SOURCE_DATE_EPOCH, by default the time of the last commit, dates the files: the
# same binaries give the same packages.
set -eu
BINARY=$(realpath "$1")
ALERTCHECK=$(realpath "$2")
folder=$(mkdir -p "$3" && realpath "$3")
cd "$(dirname "$0")"
VERSION=${VERSION:-$(sed -n 's/^  version: //p' ../builder-config.yaml)}
ARCH=$(go env GOARCH)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export BINARY ALERTCHECK VERSION ARCH SOURCE_DATE_EPOCH
for packager in deb rpm; do
	env -u GOARCH -u GOOS go tool nfpm package --config nfpm.yaml --packager "$packager" --target "$folder"
done

#!/bin/sh
# Makes the .deb and the .rpm of a binary: packaging/package.sh BINARY FOLDER. The version is VERSION or the manifest's, the architecture
# Go's (GOARCH). SOURCE_DATE_EPOCH, by default the time of the last commit, dates the files: the same binary gives the same packages.
set -eu
BINARY=$(realpath "$1")
folder=$(mkdir -p "$2" && realpath "$2")
cd "$(dirname "$0")"
VERSION=${VERSION:-$(sed -n 's/^  version: //p' ../builder-config.yaml)}
ARCH=$(go env GOARCH)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export BINARY VERSION ARCH SOURCE_DATE_EPOCH
for packager in deb rpm; do
	env -u GOARCH -u GOOS go tool nfpm package --config nfpm.yaml --packager "$packager" --target "$folder"
done

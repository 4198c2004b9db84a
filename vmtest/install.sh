#!/bin/sh
# Installs what the tests of this folder run beside Go: Debian's emulator and tools. Does nothing where all is there.
set -eu
missing=
for package in qemu-system-x86 busybox-static e2fsprogs kmod xz-utils; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "Installing$missing"
root=
[ "$(id -u)" = 0 ] || root=sudo
$root apt-get update -q
# shellcheck disable=SC2086 # They are words.
$root apt-get install -q -y --no-install-recommends $missing

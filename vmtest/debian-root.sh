#!/bin/sh
# Makes the root file system of a Debian that boots with systemd, as a tar: vmtest/debian-root.sh FILE. It has what a small server has of
# systemd and dpkg, D-Bus, podman, mdadm and btrfs, and no package of this project. Takes about two minutes and needs root or sudo.
set -eu
suite=bookworm
file=$1
root=
[ "$(id -u)" = 0 ] || root=sudo
if ! command -v debootstrap >/dev/null && ! [ -x /usr/sbin/debootstrap ]; then
	$root apt-get update -q
	$root apt-get install -q -y --no-install-recommends debootstrap
fi
folder=$(mktemp -d)
trap '$root rm -rf "$folder"' EXIT
$root env PATH="$PATH:/usr/sbin:/sbin" debootstrap --variant=minbase --include=systemd,systemd-sysv,procps,dbus "$suite" "$folder" http://deb.debian.org/debian
# debootstrap does not find the order in which these can be configured.
$root env DEBIAN_FRONTEND=noninteractive chroot "$folder" apt-get install -q -y --no-install-recommends podman crun mdadm btrfs-progs kmod
# No packages are installed from the archive in the guest, and no manual pages are read.
$root rm -rf "$folder"/var/cache/apt "$folder"/var/lib/apt/lists "$folder"/usr/share/doc "$folder"/usr/share/man "$folder"/usr/share/locale
$root tar -C "$folder" -cf "$file.part" .
mv "$file.part" "$file"

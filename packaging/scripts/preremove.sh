#!/bin/sh
# Before the files go: stops the service, unless a new version takes their place. dpkg gives "remove" or "upgrade", rpm how many
# versions will be left.
set -e

case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now otelcol-psutil.service || true
	fi
	;;
esac

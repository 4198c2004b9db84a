#!/bin/sh
# After the files are in place: the service's user, and a restart if an older version runs. dpkg gives "configure" and the version that
# was configured before, rpm how many versions there are now. A first installation starts nothing: the address of the backend is to be set.
set -e

if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers otelcol-psutil.conf
elif ! getent passwd otelcol-psutil >/dev/null; then
	useradd --system --user-group --home-dir /var/lib/otelcol-psutil --no-create-home --shell /usr/sbin/nologin otelcol-psutil
fi

# There is no systemd to talk to in a container or a chroot. What it refuses it says itself; the files are in place all the same.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	systemctl try-restart otelcol-psutil.service || true
fi

if [ "$1" = 1 ] || { [ "$1" = configure ] && [ -z "$2" ]; }; then
	echo "otelcol-psutil: set OTLP_ENDPOINT in /etc/otelcol-psutil/environment, then: systemctl enable --now otelcol-psutil"
fi

#!/bin/sh
# After the files have gone. dpkg's "purge" takes what the service and its administrator wrote, too. The user stays, as is the custom:
# its number must not come to mean someone else.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
if [ "$1" = purge ]; then
	rm -rf /var/lib/otelcol-psutil /etc/otelcol-psutil
fi

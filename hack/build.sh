#!/bin/sh
# Compiles the sources that ocb wrote in $1 into the binary $2, counting packages on the terminal so that a first build, which
# takes minutes, is seen to move.
set -eu
cd "$1"
# Static, but on a Mac: there cgo gives CPU, disk and temperature values.
cgo=0
[ "$(uname)" != Darwin ] || [ -n "${GOOS:-}" ] || cgo=1
if [ -t 1 ]; then end='\r' every=1; else end='\n' every=200; fi
{
	CGO_ENABLED=${CGO_ENABLED:-$cgo} go build -v -trimpath -ldflags="-s -w" -o "$2" . 2>&1 || echo "BUILD FAILED"
} | awk -v end="$end" -v every="$every" '
	/^BUILD FAILED$/ { failed = 1; next }
	/^[A-Za-z0-9_.\/-]+$/ { if (++n % every == 0) { printf "  %d packages compiled" end, n; fflush() } next }
	/^go: downloading/ { if (++d % every == 0) { printf "  %d modules downloaded" end, d; fflush() } next }
	{ print }
	END { if (failed) exit 1; printf "  %d packages compiled: %s\n", n, "done" }'

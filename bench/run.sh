#!/bin/sh
# Measures the psutil receiver beside hostmetricsreceiver on this host: builds a collector of the same make around each, then runs
# them in turn. `bench/run.sh system`, `bench/run.sh process 1000`, or without words all of it, about half an hour.
set -eu
cd "$(dirname "$0")/.."

mkdir -p bench/build
if [ ! -x bench/build/psutil/otelcol-psutil-bench ] || [ -n "${REBUILD:-}" ]; then
	echo "building the collector with the psutil receiver"
	go run go.opentelemetry.io/collector/cmd/builder@v0.161.0 --config bench/psutil/builder-config.yaml 2>bench/build/psutil.log
fi
if [ ! -x bench/build/hostmetrics/otelcol-hostmetrics ]; then
	echo "building the collector with hostmetricsreceiver"
	go run go.opentelemetry.io/collector/cmd/builder@v0.159.0 --config bench/hostmetrics/builder-config.yaml 2>bench/build/hostmetrics.log
fi
(cd bench && go build -o build/sidebyside ./sidebyside)

system() {
	echo "== system scrapers"
	bench/build/sidebyside -a bench/build/psutil/otelcol-psutil-bench -a-config bench/configs/system-psutil.yaml \
		-b bench/build/hostmetrics/otelcol-hostmetrics -b-config bench/configs/system-hostmetrics.yaml \
		-scrapes 100 -interval 100ms -rounds 3
}

# The interval leaves the slower of the two time to finish a scrape.
process() {
	echo "== process scraper, $1 idle processes"
	bench/build/sidebyside -a bench/build/psutil/otelcol-psutil-bench -a-config bench/configs/process-psutil.yaml \
		-b bench/build/hostmetrics/otelcol-hostmetrics -b-config bench/configs/process-hostmetrics.yaml \
		-sleepers "$1" -scrapes 20 -interval "$2" -rounds 3 -opens=false
}

case "${1:-all}" in
system) system ;;
process) process "${2:-1000}" "${3:-5s}" ;;
all) system; process 1000 1s; process 5000 5s ;;
*) echo "usage: bench/run.sh [system | process [N [INTERVAL]]]" >&2; exit 2 ;;
esac

#!/bin/sh
# Measures the psutil receiver beside hostmetricsreceiver on this host: builds a collector of the same make around each, then runs
# them in turn. `bench/run.sh system`, `bench/run.sh process 1000`, `bench/run.sh default 1000`, or without words all of it, about an hour.
# READER=proc or bpf says how the psutil receiver reads processes, ROUNDS and SCRAPES how much is measured. REBUILD=1 builds again.
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

# processes WHAT CONFIG SLEEPERS INTERVAL. The interval leaves the slower of the two time to finish a scrape.
processes() {
	echo "== process scraper, $1, $3 idle processes more${READER:+, reader $READER}"
	bench/build/sidebyside -a bench/build/psutil/otelcol-psutil-bench -a-config "bench/configs/$2.yaml" -a-reader "${READER:-}" \
		-b bench/build/hostmetrics/otelcol-hostmetrics -b-config bench/configs/process-hostmetrics.yaml \
		-sleepers "$3" -scrapes "${SCRAPES:-20}" -interval "$4" -rounds "${ROUNDS:-3}" -opens=false
}
process() { processes "all shown" process-psutil "$@"; }
default() { processes "by default the first 25 of each key and other" process-psutil-top "$@"; }

case "${1:-all}" in
system) system ;;
process) process "${2:-1000}" "${3:-5s}" ;;
default) default "${2:-1000}" "${3:-5s}" ;;
bars) process 1000 1s; default 1000 1s; process 5000 4s; default 5000 4s ;;
all) system; process 1000 1s; default 1000 1s; process 5000 5s; default 5000 5s ;;
*) echo "usage: bench/run.sh [system | process [N [INTERVAL]] | default [N [INTERVAL]] | bars]" >&2; exit 2 ;;
esac

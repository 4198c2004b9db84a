// Command sampling measures what sampling between exports costs: it runs a collector twice at once for the same time, one that
// samples the default set and one that does not, and compares the CPU time that the kernel accounted to the two processes once they
// had ended (rusage). Starting, exporting once a minute and stopping are in both and fall out.
//
//	go run ./sampling -binary ../otelcol-psutil -duration 5m
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

const config = `
receivers:
  psutil:
    collection_interval: 60s
    scrapers: {cpu: {}, load: {}, memory: {}, pressure: {}, network: {}, disk: {}}
    sampling: {interval: %s, format: %s}
exporters:
  nop:
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [nop]}
`

// bar is the share of one core that sampling the default set once a second may take.
const bar = 0.2 / 100

func main() {
	binary := flag.String("binary", "../otelcol-psutil", "the distribution")
	duration := flag.Duration("duration", 5*time.Minute, "how long the two run")
	interval := flag.Duration("interval", time.Second, "sampling interval")
	form := flag.String("as", "exponential_histogram", "form of the export")
	rounds := flag.Int("rounds", 1, "rounds; the median is printed")
	flag.Parse()
	if err := run(*binary, *form, *interval, *duration, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "sampling:", err)
		os.Exit(1)
	}
}

func run(binary, form string, interval, duration time.Duration, rounds int) error {
	path, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	var with, without, costs []float64
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d, %v\n", round+1, rounds, duration)
		var cpu [2]time.Duration
		var failed [2]error
		var both sync.WaitGroup
		for i, every := range []string{interval.String(), "0s"} {
			both.Go(func() { cpu[i], failed[i] = measure(path, fmt.Sprintf(config, every, form), duration) })
		}
		both.Wait()
		for _, err := range failed {
			if err != nil {
				return err
			}
		}
		with = append(with, percent(cpu[0], duration))
		without = append(without, percent(cpu[1], duration))
		costs = append(costs, percent(cpu[0]-cpu[1], duration))
	}
	samples := duration.Seconds() / interval.Seconds()
	cost := median(costs)
	fmt.Printf("CPU, percent of one core, median of %d rounds of %v\n", rounds, duration)
	fmt.Printf("  with sampling every %-8v %8.4f\n", interval, median(with))
	fmt.Printf("  without                     %8.4f\n", median(without))
	fmt.Printf("  sampling                    %8.4f   (bar at one second: %.1f)\n", cost, bar*100)
	fmt.Printf("  a sample, with wake-up      %8.0f µs\n", cost/100*duration.Seconds()/samples*1e6)
	return nil
}

func percent(cpu, wall time.Duration) float64 { return 100 * cpu.Seconds() / wall.Seconds() }

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// measure runs a collector for a time and gives the CPU time, user and system, that it took.
func measure(binary, text string, duration time.Duration) (time.Duration, error) {
	dir, err := os.MkdirTemp("", "sampling")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "collector.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return 0, err
	}
	running, err := collector.Start(dir, exec.Command(binary, "--config", file))
	if err != nil {
		return 0, err
	}
	time.Sleep(duration)
	usage, err := running.Stop()
	return usage.CPU, err
}

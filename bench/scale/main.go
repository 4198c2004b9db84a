// Command scale starts many idle processes and tells what scraping them costs a collector: time and CPU of a scrape, resident memory, open
// descriptors, and what could not be read. Configurations are those of bench/configs, which take INTERVAL and PORT from the environment.
//
//	scale -collector build/psutil/otelcol-psutil-bench -processes 20000 -scrapes 5 configs/process-psutil-top.yaml configs/process-psutil.yaml
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// timeout is how long anything may take.
const timeout = 10 * time.Minute

func main() {
	binary := flag.String("collector", "build/psutil/otelcol-psutil-bench", "the collector's binary")
	processes := flag.Int("processes", 20000, "idle processes to start")
	scrapes := flag.Int("scrapes", 5, "scrapes to measure, after a first one")
	interval := flag.Duration("interval", 5*time.Second, "time between scrapes; longer than a scrape takes")
	flag.Parse()
	if err := run(*binary, *processes, *scrapes, *interval, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(binary string, processes, scrapes int, interval time.Duration, configs []string) error {
	end, err := startSleepers(processes)
	if err != nil {
		return err
	}
	defer end()
	if binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	for _, config := range configs {
		if err := measure(binary, config, scrapes, interval); err != nil {
			return fmt.Errorf("%s: %w", config, err)
		}
	}
	return nil
}

// startSleepers starts n idle processes from one shell, in a process group of their own, and returns what ends them.
func startSleepers(n int) (end func(), err error) {
	cmd := exec.Command("sh", "-c", `i=0; while [ $i -lt "$1" ]; do sleep 86400 & i=$((i+1)); done; echo started; wait`, "sh", strconv.Itoa(n))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	end = func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}
	answer := make([]byte, len("started"))
	if _, err := io.ReadFull(out, answer); err != nil {
		end()
		return nil, fmt.Errorf("starting %d processes: %w", n, err)
	}
	return end, nil
}

// measure runs the collector under one configuration until it has made so many scrapes.
func measure(binary, config string, scrapes int, interval time.Duration) error {
	dir, err := os.MkdirTemp("", "scale")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	port, err := collector.FreePort()
	if err != nil {
		return err
	}
	path, err := filepath.Abs(config)
	if err != nil {
		return err
	}
	cmd := exec.Command(binary, "--config", path)
	cmd.Env = append(os.Environ(), "INTERVAL="+interval.String(), "PORT="+strconv.Itoa(port))
	running, err := collector.Start(dir, cmd)
	if err != nil {
		return err
	}
	defer running.Kill()
	first, err := await(running, port, 1)
	if err != nil {
		return err
	}
	began, err := running.CPU()
	if err != nil {
		return err
	}
	last, err := await(running, port, first.Sum("psutil_scrape_duration_count")+float64(scrapes))
	if err != nil {
		return err
	}
	ended, err := running.CPU()
	if err != nil {
		return err
	}
	descriptors, _, err := running.Descriptors()
	if err != nil {
		return err
	}
	usage, err := running.Stop()
	if err != nil {
		return err
	}
	n := last.Sum("psutil_scrape_duration_count") - first.Sum("psutil_scrape_duration_count")
	seconds := last.Sum("psutil_scrape_duration_sum") - first.Sum("psutil_scrape_duration_sum")
	fmt.Printf("%s\n", config)
	fmt.Printf("  processes seen, shown          %10.0f %10.0f\n", last.Sum("psutil_processes", `state="seen"`), last.Sum("psutil_processes", `state="shown"`))
	fmt.Printf("  reads failed, late scrapes       %10.0f %10.0f\n", last.Sum("psutil_process_reads_failed"), last.Sum("psutil_scrapes_late"))
	fmt.Printf("  a scrape: time, CPU (ms)       %10.0f %10.0f\n", 1000*seconds/n, 1000*(ended-began).Seconds()/n)
	fmt.Printf("  peak memory (MiB)              %10.1f\n", usage.Peak/(1<<20))
	fmt.Printf("  descriptors open               %10d\n", descriptors)
	fmt.Printf("  warnings                       %10d\n", running.Warnings())
	return nil
}

// await waits until the collector has made so many scrapes.
func await(running *collector.Process, port int, scrapes float64) (collector.Telemetry, error) {
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err := running.Ended(); err != nil {
			return "", err
		}
		if t, err := collector.Fetch(port); err == nil && t.Sum("psutil_scrape_duration_count") >= scrapes {
			return t, nil
		}
	}
	return "", fmt.Errorf("no %.0f scrapes in %v", scrapes, timeout)
}

// Command scale starts many idle processes and tells what scraping them costs a collector: time and CPU of a scrape, resident memory, open
// descriptors, and what could not be read. Configurations are those of bench/configs, which take INTERVAL and PORT from the environment.
//
//	scale -collector build/psutil/otelcol-psutil-bench -processes 20000 -scrapes 5 configs/process-psutil-top.yaml configs/process-psutil.yaml
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	port = "18897"
	// userHz is the unit of times in /proc/PID/stat.
	userHz = 100
	// patience is how long anything may take.
	patience = 10 * time.Minute
)

func main() {
	collector := flag.String("collector", "build/psutil/otelcol-psutil-bench", "the collector's binary")
	processes := flag.Int("processes", 20000, "idle processes to start")
	scrapes := flag.Int("scrapes", 5, "scrapes to measure, after a first one")
	interval := flag.Duration("interval", 5*time.Second, "time between scrapes; longer than a scrape takes")
	flag.Parse()
	if err := run(*collector, *processes, *scrapes, *interval, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(collector string, processes, scrapes int, interval time.Duration, configs []string) error {
	end, err := startSleepers(processes)
	if err != nil {
		return err
	}
	defer end()
	for _, config := range configs {
		if err := measure(collector, config, scrapes, interval); err != nil {
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
func measure(collector, config string, scrapes int, interval time.Duration) error {
	cmd := exec.Command(collector, "--config", config)
	cmd.Env = append(os.Environ(), "INTERVAL="+interval.String(), "PORT="+port)
	var logged strings.Builder
	cmd.Stderr = &logged
	if err := cmd.Start(); err != nil {
		return err
	}
	first, err := await(1)
	var began, ended time.Duration
	var last telemetry
	if err == nil {
		began, err = cpuTime(cmd.Process.Pid)
	}
	if err == nil {
		last, err = await(first.sum("psutil_scrape_duration", "_count") + float64(scrapes))
	}
	if err == nil {
		ended, err = cpuTime(cmd.Process.Pid)
	}
	descriptors, _ := os.ReadDir(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "fd"))
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return fmt.Errorf("%w\n%s", err, logged.String())
	}
	n := last.sum("psutil_scrape_duration", "_count") - first.sum("psutil_scrape_duration", "_count")
	seconds := last.sum("psutil_scrape_duration", "_sum") - first.sum("psutil_scrape_duration", "_sum")
	fmt.Printf("%s\n", config)
	fmt.Printf("  processes seen, shown          %10.0f %10.0f\n", last.sum("psutil_processes", `state="seen"`), last.sum("psutil_processes", `state="shown"`))
	fmt.Printf("  reads failed, late ticks       %10.0f %10.0f\n", last.sum("psutil_process_reads_failed", ""), last.sum("psutil_late_ticks", ""))
	fmt.Printf("  a scrape: time, CPU (ms)       %10.0f %10.0f\n", 1000*seconds/n, 1000*(ended-began).Seconds()/n)
	fmt.Printf("  peak memory (MiB)              %10.1f\n", float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)/1024)
	fmt.Printf("  descriptors open               %10d\n", len(descriptors))
	fmt.Printf("  warnings                       %10d\n", strings.Count(logged.String(), "\twarn\t")+strings.Count(logged.String(), "\terror\t"))
	return nil
}

// telemetry is the collector's own, in the Prometheus text format.
type telemetry string

// await waits until the collector has made so many scrapes.
func await(scrapes float64) (telemetry, error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if t, err := fetch(); err == nil && t.sum("psutil_scrape_duration", "_count") >= scrapes {
			return t, nil
		}
	}
	return "", fmt.Errorf("no %.0f scrapes in %v", scrapes, patience)
}

func fetch() (telemetry, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/metrics", http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return telemetry(text), err
}

// sum adds up the samples whose name holds one string, and whose line holds another.
func (t telemetry) sum(name, part string) float64 {
	var sum float64
	for line := range strings.Lines(string(t)) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		sample, value := line[:at], line[at+1:]
		base, _, _ := strings.Cut(sample, "{")
		if !strings.Contains(base, name) || !strings.Contains(sample, part) {
			continue
		}
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			sum += v
		}
	}
	return sum
}

// cpuTime is what a process has used of the CPUs.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / userHz, errors.Join(err1, err2)
}

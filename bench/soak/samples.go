package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// sample is what was seen of the collector at one time.
type sample struct {
	at                       time.Duration // Since the start.
	anonymous, mapped        float64       // Resident memory without and with a file behind it, MiB. Of the latter the kernel can take back what it likes.
	state                    float64       // The files of the storage on disk, MiB.
	heap                     float64       // What lives in Go's heap after a collection, MiB.
	descriptors, goroutines  float64
	held                     float64 // Descriptors that are files of processes.
	scrapesLate, samplesLate float64
	scrapes                  float64
	cpu                      time.Duration
}

// watch takes samples until the context ends, and says each minute how it goes.
func (s *subject) watch(ctx context.Context, o *options, c *churn) (samples []sample, err error) {
	began := time.Now()
	tick := time.NewTicker(o.every)
	defer tick.Stop()
	for said := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return samples, nil
		case <-tick.C:
		}
		if err := s.Ended(); err != nil {
			return samples, err
		}
		x, err := s.sample(time.Since(began))
		if err != nil {
			return samples, err
		}
		samples = append(samples, x)
		if x.at-said >= time.Minute-o.every/2 {
			said = x.at
			fmt.Fprintf(os.Stderr, "  %6v of %v  %6.1f MiB, %.1f of files, state %.1f, heap %.1f  %3.0f descriptors, %.0f besides processes'  %3.0f goroutines  "+
				"%.0f scrapes, %.0f late scrapes  %d processes came and went\n", x.at.Round(time.Second), o.duration,
				x.anonymous, x.mapped, x.state, x.heap, x.descriptors, x.descriptors-x.held, x.goroutines, x.scrapes, x.scrapesLate, c.started.Load())
		}
	}
}

func (s *subject) sample(at time.Duration) (x sample, err error) {
	x.at = at
	resident, err := s.Resident()
	if err != nil {
		return x, err
	}
	anonymous, err := s.Anonymous()
	if err != nil {
		return x, err
	}
	x.anonymous, x.mapped = anonymous/(1<<20), (resident-anonymous)/(1<<20)
	if x.state, err = s.stored(); err != nil {
		return x, err
	}
	all, held, err := s.Descriptors()
	if err != nil {
		return x, err
	}
	x.descriptors, x.held = float64(all), float64(held)
	if x.cpu, err = s.CPU(); err != nil {
		return x, err
	}
	if x.goroutines, err = s.goroutines(); err != nil {
		return x, err
	}
	if x.heap, err = s.heap(); err != nil {
		return x, err
	}
	t, err := collector.Fetch(s.telemetryPort)
	x.scrapesLate, x.samplesLate = t.Sum("psutil_scrapes_late"), t.Sum("psutil_samples_late")
	x.scrapes = t.Sum("psutil_scrape_duration_count") + t.Sum("psutil_scrape_duration_seconds_count")
	return x, err
}

// stored is the size of the files in which the collector keeps its state, MiB.
func (s *subject) stored() (mib float64, err error) {
	files, err := os.ReadDir(s.state)
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // A compaction ended meanwhile.
		}
		if err != nil {
			return 0, err
		}
		mib += float64(info.Size()) / (1 << 20)
	}
	return mib, nil
}

// goroutines reads the number of goroutines from the pprof extension.
func (s *subject) goroutines() (n float64, err error) {
	text, err := collector.Get(fmt.Sprintf("http://127.0.0.1:%d/debug/pprof/goroutine?debug=1", s.pprofPort))
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(text, "goroutine profile: total %f", &n); err != nil {
		return 0, fmt.Errorf("reading the number of goroutines: %w", err)
	}
	return n, nil
}

// heap has Go collect its garbage, which it does of its own every second or two, and reads what is left. That holds what was allocated meanwhile,
// the more the busier the machine is, so the least of some collections counts.
func (s *subject) heap() (mib float64, err error) {
	least := math.Inf(1)
	for range 3 {
		if mib, err = s.collect(); err != nil {
			return 0, err
		}
		least = min(least, mib)
	}
	return least, nil
}

func (s *subject) collect() (mib float64, err error) {
	text, err := collector.Get(fmt.Sprintf("http://127.0.0.1:%d/debug/pprof/heap?gc=1&debug=1", s.pprofPort))
	if err != nil {
		return 0, err
	}
	_, value, _ := strings.Cut(text, "\n# HeapAlloc = ")
	var bytes float64
	if _, err := fmt.Sscan(value, &bytes); err != nil {
		return 0, fmt.Errorf("reading the size of the heap: %w", err)
	}
	return bytes / (1 << 20), nil
}

func writeCSV(path string, samples []sample) error {
	var b strings.Builder
	b.WriteString("seconds,anonymous_mib,mapped_mib,state_mib,heap_mib,descriptors,held_files,goroutines,scrapes_late,samples_late,scrapes,cpu_seconds\n")
	for _, x := range samples {
		fmt.Fprintf(&b, "%.1f,%.2f,%.2f,%.2f,%.2f,%.0f,%.0f,%.0f,%.0f,%.0f,%.0f,%.2f\n", x.at.Seconds(), x.anonymous, x.mapped, x.state, x.heap, x.descriptors, x.held, x.goroutines,
			x.scrapesLate, x.samplesLate, x.scrapes, x.cpu.Seconds())
	}
	return os.WriteFile(path, []byte(b.String()), 0o644) //nolint:gosec // No secrets.
}

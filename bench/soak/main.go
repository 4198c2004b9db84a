// Command soak watches a collector at work for a long time: two psutil receivers at one-second intervals, rules, every exporter, and processes
// that come and go. It takes down memory, descriptors and goroutines, and says whether any of them grows, or any scrape was late.
//
//	soak -binary ../otelcol-psutil -duration 30m -out ../bench/out/soak
//
// It leaves samples.csv and soak.svg in the folder of -out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

type options struct {
	binary, out           string
	duration, every, warm time.Duration
	rate                  int
	// Growth that is borne, in an hour.
	memory, heap, descriptors, others, gos float64
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "../otelcol-psutil", "the distribution")
	flag.StringVar(&o.out, "out", "out/soak", "folder for the samples and the picture")
	flag.DurationVar(&o.duration, "duration", 50*time.Minute, "how long")
	flag.DurationVar(&o.every, "every", 10*time.Second, "time between samples")
	flag.DurationVar(&o.warm, "warm-up", 0, "what does not count (default: two fifths of the duration, 20 minutes at most)")
	flag.IntVar(&o.rate, "churn", 50, "processes started each second")
	flag.Float64Var(&o.memory, "memory-bound", 50, "growth of anonymous memory, of mapped files and of the state on disk that is borne, MiB an hour each")
	flag.Float64Var(&o.heap, "heap-bound", 30, "growth of the live heap that is borne, MiB an hour")
	flag.Float64Var(&o.descriptors, "descriptor-bound", 200, "growth of descriptors that is borne, an hour; most are files of processes that come and go")
	flag.Float64Var(&o.others, "other-descriptor-bound", 10, "growth of all other descriptors that is borne, an hour")
	flag.Float64Var(&o.gos, "goroutine-bound", 10, "growth of goroutines that is borne, an hour")
	flag.Parse()
	if o.warm == 0 {
		o.warm = min(20*time.Minute, o.duration*2/5)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := newSinks()
	if err != nil {
		return err
	}
	defer s.stop()
	subject, err := start(o, dir, s)
	if err != nil {
		return err
	}
	defer subject.Kill()

	watched, stop := context.WithTimeout(ctx, o.duration)
	defer stop()
	var load sync.WaitGroup
	var c churn
	load.Go(func() { c.run(watched, o.rate) })
	load.Go(func() { subject.scrape(watched) })
	samples, err := subject.watch(watched, o, &c)
	stop()
	load.Wait()
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	final, err := collector.Fetch(subject.telemetryPort)
	if err != nil {
		return err
	}
	warnings, said := subject.Warnings(), subject.Output()
	usage, err := subject.Stop()
	if err != nil {
		return err
	}
	if err := writeCSV(filepath.Join(o.out, "samples.csv"), samples); err != nil {
		return err
	}
	v := judge(o, samples)
	if err := os.WriteFile(filepath.Join(o.out, "soak.svg"), draw(o, v, samples), 0o644); err != nil { //nolint:gosec // A picture.
		return err
	}
	return v.report(o, samples, &c, s.counts(), final, usage, warnings, said)
}

// subject is the collector that is watched.
type subject struct {
	*collector.Process
	telemetryPort, pprofPort, prometheusPort int
	state                                    string // The folder of the storage.
}

func start(o *options, dir string, s *sinks) (*subject, error) {
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return nil, err
	}
	out := subject{state: filepath.Join(dir, "state")}
	for _, port := range []*int{&out.telemetryPort, &out.pprofPort, &out.prometheusPort} {
		if *port, err = collector.FreePort(); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = null.Close() }()
	cmd := exec.Command(binary, "--config", path, "--config", collector.Show(out.telemetryPort))
	cmd.Stdout = null // What the debug exporter prints.
	cmd.Env = append(os.Environ(), "GRPC_SINK="+s.grpc.Address, "HTTP_SINK="+s.http.URL,
		fmt.Sprintf("PPROF_PORT=%d", out.pprofPort), fmt.Sprintf("PROMETHEUS_PORT=%d", out.prometheusPort))
	if out.Process, err = collector.Start(dir, cmd); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err := out.Ended(); err != nil {
			return nil, err
		}
		if _, err := collector.Fetch(out.telemetryPort); err == nil {
			return &out, nil
		}
	}
	out.Kill()
	return nil, errors.New("the collector does not show its telemetry\n" + out.Output())
}

// scrape does what a Prometheus does.
func (s *subject) scrape(ctx context.Context) {
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_, _ = collector.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", s.prometheusPort))
		}
	}
}

// Command churn counts how many series a ranking begins under a noisy load, with and without hysteresis. It starts workers whose shares of
// CPU, memory and disk writes fall off with their number and change at random from period to period, and watches them with one collector that has a
// receiver for each hysteresis, so that all of them see the same load. A scrape each period stands for one a minute.
//
//	churn -collector build/psutil/otelcol-psutil-bench -scrapes 36 -period 5s 1 1.5
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// workerScript turns a loop, keeps blocks of 4 KiB in memory and writes blocks of 4 KiB, as many as each line asks for.
const workerScript = `
block=x
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do block=$block$block; done
while read -r turns keep write; do
	i=0; while [ $i -lt "$turns" ]; do i=$((i+1)); done
	kept=; i=0; while [ $i -lt "$keep" ]; do kept=$kept$block; i=$((i+1)); done
	i=0; while [ $i -lt "$write" ]; do printf %s "$block"; i=$((i+1)); done >"$1"
	echo done
done`

type options struct {
	collector        string
	workers, scrapes int
	n, turns         int
	period           time.Duration
	noise            float64
	seed             uint64
}

func main() {
	var o options
	flag.StringVar(&o.collector, "collector", "build/psutil/otelcol-psutil-bench", "the collector's binary")
	flag.IntVar(&o.workers, "workers", 100, "processes")
	flag.IntVar(&o.scrapes, "scrapes", 36, "scrapes to count, after a first one")
	flag.IntVar(&o.n, "n", 10, "processes that are shown by each key")
	flag.IntVar(&o.turns, "turns", 600_000, "turns of a loop in each period, of all workers together")
	flag.DurationVar(&o.period, "period", 5*time.Second, "time between scrapes")
	flag.Float64Var(&o.noise, "noise", 0.5, "standard deviation of the logarithm of a worker's load")
	flag.Uint64Var(&o.seed, "seed", 1, "of the noise")
	flag.Parse()
	if err := run(&o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "churn:", err)
		os.Exit(1)
	}
}

func run(o *options, hystereses []string) error {
	dir, err := os.MkdirTemp("", "churn")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	all, err := startWorkers(dir, o.workers)
	defer all.end()
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "collector.yaml")
	if err := os.WriteFile(config, []byte(configuration(o, all, dir, hystereses)), 0o600); err != nil {
		return err
	}
	var logged strings.Builder
	collector := exec.Command(o.collector, "--config", config)
	collector.Stderr = &logged
	if err := collector.Start(); err != nil {
		return err
	}
	err = all.work(o)
	_ = collector.Process.Signal(syscall.SIGTERM)
	if err := errors.Join(err, collector.Wait()); err != nil {
		return fmt.Errorf("%w\n%s", err, logged.String())
	}
	fmt.Printf("%d workers, top n %d, noise %.2f\n", o.workers, o.n, o.noise)
	fmt.Printf("%-12s %8s %14s %20s %22s %20s\n", "hysteresis", "scrapes", "shown (mean)", "begun in a scrape", "begun an hour at 60 s", "different in all")
	for _, h := range hystereses {
		c, err := count(filepath.Join(dir, h+".jsonl"))
		if err != nil {
			return err
		}
		begun := float64(c.begun) / float64(c.scrapes-1)
		fmt.Printf("%-12s %8d %14.1f %20.2f %22.0f %20d\n", h, c.scrapes, float64(c.shown)/float64(c.scrapes), begun, begun*60, len(c.ever))
	}
	return nil
}

func configuration(o *options, all workers, dir string, hystereses []string) string {
	pids := make([]string, 0, len(all))
	for _, w := range all {
		pids = append(pids, fmt.Sprint(w.cmd.Process.Pid))
	}
	var receivers, exporters, pipelines strings.Builder
	for _, h := range hystereses {
		fmt.Fprintf(&receivers, "  psutil/%s: {scrapers: {process: {collection_interval: %v, include: {pids: [%s]}, top: {n: %d, hysteresis: %s}}}}\n",
			h, o.period, strings.Join(pids, ", "), o.n, h)
		fmt.Fprintf(&exporters, "  file/%s: {path: %q}\n", h, filepath.Join(dir, h+".jsonl"))
		fmt.Fprintf(&pipelines, "    metrics/%s: {receivers: [psutil/%s], exporters: [file/%s]}\n", h, h, h)
	}
	return "receivers:\n" + receivers.String() + "exporters:\n" + exporters.String() +
		"service:\n  telemetry: {metrics: {level: none}, logs: {level: warn}}\n  pipelines:\n" + pipelines.String()
}

type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

type workers []*worker

func startWorkers(dir string, n int) (all workers, err error) {
	for i := range n {
		w := &worker{cmd: exec.Command("sh", "-c", workerScript, "worker", filepath.Join(dir, fmt.Sprint(i)))}
		in, err1 := w.cmd.StdinPipe()
		out, err2 := w.cmd.StdoutPipe()
		if err := errors.Join(err1, err2, w.cmd.Start()); err != nil {
			return all, err
		}
		w.in, w.out = in, bufio.NewReader(out)
		all = append(all, w)
	}
	return all, nil
}

func (all workers) end() {
	for _, w := range all {
		_ = w.in.Close()
		_ = w.cmd.Process.Kill()
		_ = w.cmd.Wait()
	}
}

// work gives each worker its share, period by period.
func (all workers) work(o *options) error {
	random := rand.New(rand.NewPCG(o.seed, 0))
	whole := 0.0
	for i := range all {
		whole += share(i)
	}
	// The collector makes its first scrape a second after its start, and the next ones a period apart: work falls between.
	begin := time.Now()
	for period := range o.scrapes + 1 {
		for i, w := range all {
			noisy := func(base, deviation float64) int {
				return int(base * share(i) * math.Exp(deviation*random.NormFloat64()))
			}
			_, err := fmt.Fprintln(w.in, noisy(float64(o.turns)/whole, o.noise), noisy(300, o.noise/10), noisy(100, o.noise))
			if err != nil {
				return err
			}
		}
		for _, w := range all {
			if _, err := w.out.ReadString('\n'); err != nil {
				return err
			}
		}
		time.Sleep(time.Until(begin.Add(1500*time.Millisecond + time.Duration(period)*o.period)))
	}
	return nil
}

// share is how much of the load falls to a worker: the first has ten times that of the hundredth.
func share(i int) float64 { return 1 / math.Sqrt(float64(i+1)) }

type churn struct {
	scrapes, shown, begun int
	ever                  map[string]bool
}

// batch is a line of OTLP in JSON, as far as it matters here.
type batch struct {
	ResourceMetrics []struct {
		Resource struct {
			Attributes []struct {
				Key   string
				Value struct{ StringValue, IntValue string }
			}
		}
	}
}

// count follows which processes were shown from scrape to scrape. A process that comes back begins again.
func count(path string) (churn, error) {
	c := churn{ever: map[string]bool{}}
	file, err := os.Open(path)
	if err != nil {
		return c, err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	var previous map[string]bool
	for lines.Scan() {
		var b batch
		if err := json.Unmarshal(lines.Bytes(), &b); err != nil {
			return c, err
		}
		now := map[string]bool{}
		for _, rm := range b.ResourceMetrics {
			for _, a := range rm.Resource.Attributes {
				if a.Key == "process.pid" {
					now[a.Value.IntValue] = true
				}
			}
		}
		for pid := range now {
			c.ever[pid] = true
			if previous != nil && !previous[pid] {
				c.begun++
			}
		}
		c.scrapes++
		c.shown += len(now)
		previous = now
	}
	if c.scrapes < 2 {
		return c, fmt.Errorf("%s has %d scrapes", path, c.scrapes)
	}
	return c, lines.Err()
}

// Command sidebyside measures what a scrape costs two collectors that run the same work on the same host, in turn, several times.
//
// Each round starts a collector twice for the same time: once scraping at a short interval, once scraping a single time. The
// difference of the two processes' CPU times (rusage of the finished process), divided by the number of scrapes that one made and
// the other did not, is the cost of a scrape; what starting and stopping cost falls out. Allocated bytes come from the collector's own
// telemetry (process_runtime_total_alloc_bytes), peak memory from rusage, and opens from strace, where it is installed. Resident memory is the
// median of what /proc/PID/status has in the second half of each run: at rest after a single scrape, and while it scrapes.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

type contender struct {
	name, binary, config string
	reader               string // of processes, for the psutil receiver; "" leaves it to the configuration
}

// command runs the collector at an interval, with its telemetry at a port.
func (c *contender) command(interval time.Duration, port int, tracer ...string) *exec.Cmd {
	args := slices.Concat(tracer, []string{c.binary, "--config", c.config})
	if c.reader != "" {
		args = append(args, "--config", "env:READER_CONFIG")
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "INTERVAL="+interval.String(), "PORT="+strconv.Itoa(port),
		"READER_CONFIG={receivers: {psutil: {scrapers: {process: {reader: "+c.reader+"}}}}}")
	return cmd
}

// plan says how much is measured.
type plan struct {
	rounds, scrapes int
	interval        time.Duration
	opens           bool
}

// cost is what one scrape costs, and the largest resident memory of the run.
type cost struct {
	cpu        time.Duration
	allocated  float64 // bytes
	points     float64
	peak       float64 // bytes
	rest, busy memory
	opens      float64
	opensKnown bool
}

// memory is what is resident of a process, and what of it is not pages of a file, in bytes.
type memory struct{ resident, anonymous float64 }

func main() {
	var a, b contender
	flag.StringVar(&a.name, "a-name", "psutil", "name of the first")
	flag.StringVar(&a.binary, "a", "", "binary of the first")
	flag.StringVar(&a.config, "a-config", "", "configuration of the first")
	flag.StringVar(&a.reader, "a-reader", "", "scrapers::process::reader of the first, if it is the psutil receiver: auto, proc or bpf")
	flag.StringVar(&b.reader, "b-reader", "", "the same of the second")
	flag.StringVar(&b.name, "b-name", "hostmetrics", "name of the second")
	flag.StringVar(&b.binary, "b", "", "binary of the second")
	flag.StringVar(&b.config, "b-config", "", "configuration of the second")
	rounds := flag.Int("rounds", 3, "rounds; the median is printed")
	scrapes := flag.Int("scrapes", 100, "scrapes a round")
	interval := flag.Duration("interval", 100*time.Millisecond, "time between scrapes; longer than a scrape takes")
	opens := flag.Bool("opens", true, "count opened files, with strace")
	sleepers := flag.Int("sleepers", 0, "idle processes to start for the time of the measurement")
	flag.Parse()

	end, err := startSleepers(*sleepers)
	if err == nil {
		err = run(a, b, plan{rounds: *rounds, scrapes: *scrapes, interval: *interval, opens: *opens})
	}
	end()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sidebyside:", err)
		os.Exit(1)
	}
}

// startSleepers starts n idle processes and returns what ends those that it started.
func startSleepers(n int) (end func(), err error) {
	running := make([]*exec.Cmd, 0, n)
	for range n {
		cmd := exec.Command("sleep", "3600")
		if err = cmd.Start(); err != nil {
			err = fmt.Errorf("after %d of %d idle processes: %w", len(running), n, err)
			break
		}
		running = append(running, cmd)
	}
	return func() {
		for _, cmd := range running {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}, err
}

func run(a, b contender, p plan) error {
	for _, path := range []*string{&a.binary, &a.config, &b.binary, &b.config} {
		var err error
		if *path, err = filepath.Abs(*path); err != nil { // The collectors run in a folder of their own.
			return err
		}
	}
	results := map[string][]cost{}
	for round := range p.rounds {
		turn := []contender{a, b}
		if round%2 == 1 {
			slices.Reverse(turn) // Whoever is first changes from round to round.
		}
		for _, c := range turn {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, p.rounds, c.name)
			got, err := measure(c, p)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			results[c.name] = append(results[c.name], got)
		}
	}
	ca, cb := median(results[a.name]), median(results[b.name])
	fmt.Printf("\n%-34s %14s %14s %10s\n", fmt.Sprintf("per scrape, median of %d rounds", p.rounds), a.name, b.name, "ratio")
	row := func(what, format string, x, y float64) {
		fmt.Printf("%-34s %14s %14s %10.2f\n", what, fmt.Sprintf(format, x), fmt.Sprintf(format, y), y/x)
	}
	row("CPU, user and system (ms)", "%.3f", ms(ca.cpu), ms(cb.cpu))
	row("CPU for a data point (µs)", "%.3f", 1e3*ms(ca.cpu)/ca.points, 1e3*ms(cb.cpu)/cb.points)
	row("allocated (KiB)", "%.1f", ca.allocated/1024, cb.allocated/1024)
	row("data points", "%.0f", ca.points, cb.points)
	if ca.opensKnown && cb.opensKnown {
		row("files opened", "%.1f", ca.opens, cb.opens)
	}
	mib := func(what string, x, y float64) { row(what+" (MiB)", "%.1f", x/1024/1024, y/1024/1024) }
	mib("resident at rest", ca.rest.resident, cb.rest.resident)
	mib("of it anonymous", ca.rest.anonymous, cb.rest.anonymous)
	mib("resident while scraping", ca.busy.resident, cb.busy.resident)
	mib("of it anonymous", ca.busy.anonymous, cb.busy.anonymous)
	mib("peak memory of the process", ca.peak, cb.peak)
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// measure runs one contender busy and idle for the same time.
func measure(c contender, p plan) (cost, error) {
	lifetime := time.Second + time.Duration(p.scrapes)*p.interval + p.interval/2
	busy, err := runOnce(c, p.interval, lifetime)
	if err != nil {
		return cost{}, err
	}
	idle, err := runOnce(c, time.Hour, lifetime)
	if err != nil {
		return cost{}, err
	}
	n := float64(p.scrapes)
	if made := busy.points / idle.points; made < 0.9*(n+1) {
		fmt.Fprintf(os.Stderr, "%s made about %.0f scrapes of %.0f: choose a longer interval, for what a scrape costs is taken for too little\n", c.name, made, n+1)
	}
	result := cost{
		cpu:       time.Duration(float64(busy.cpu-idle.cpu) / n),
		allocated: (busy.allocated - idle.allocated) / n,
		points:    (busy.points - idle.points) / n,
		peak:      busy.peak,
		rest:      idle.memory,
		busy:      busy.memory,
	}
	if _, err := exec.LookPath("strace"); err == nil && p.opens {
		const traced = 5
		b, err1 := countOpens(c, 2*time.Second, time.Second+traced*2*time.Second+time.Second)
		i, err2 := countOpens(c, time.Hour, time.Second+traced*2*time.Second+time.Second)
		if err := errors.Join(err1, err2); err != nil {
			return cost{}, err
		}
		result.opens, result.opensKnown = float64(b-i)/traced, true
	}
	return result, nil
}

type usage struct {
	cpu       time.Duration
	allocated float64
	points    float64
	peak      float64
	memory    memory
}

// runOnce runs the collector for lifetime and asks it for its own telemetry just before it is stopped.
func runOnce(c contender, interval, lifetime time.Duration) (usage, error) {
	port, err := collector.FreePort()
	if err != nil {
		return usage{}, err
	}
	dir, err := os.MkdirTemp("", "sidebyside")
	if err != nil {
		return usage{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	p, err := collector.Start(dir, c.command(interval, port))
	if err != nil {
		return usage{}, err
	}
	resident, err := watch(p, lifetime)
	if err != nil {
		p.Kill()
		return usage{}, err
	}
	telemetry, err := collector.Fetch(port)
	used, stopped := p.Stop()
	if err := errors.Join(err, stopped); err != nil {
		return usage{}, err
	}
	return usage{
		cpu:       used.CPU,
		allocated: telemetry.Sum("otelcol_process_runtime_total_alloc_bytes"),
		points:    telemetry.Sum("otelcol_receiver_accepted_metric_points"),
		peak:      used.Peak,
		memory:    resident,
	}, nil
}

// watch lets a process run for lifetime, and returns the median of its memory in the second half.
func watch(p *collector.Process, lifetime time.Duration) (memory, error) {
	const looks = 21
	time.Sleep(lifetime / 2)
	var resident, anonymous []float64
	for range looks {
		time.Sleep(lifetime / 2 / looks)
		r, err1 := p.Resident()
		a, err2 := p.Anonymous()
		if err := errors.Join(err1, err2); err != nil {
			return memory{}, fmt.Errorf("%w: %s", err, p.Output())
		}
		resident, anonymous = append(resident, r), append(anonymous, a)
	}
	slices.Sort(resident)
	slices.Sort(anonymous)
	return memory{resident: resident[looks/2], anonymous: anonymous[looks/2]}, nil
}

// countOpens counts the files that the collector opens in lifetime.
func countOpens(c contender, interval, lifetime time.Duration) (int, error) {
	out, err := os.CreateTemp("", "opens")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(out.Name()) }()
	port, err := collector.FreePort()
	if err != nil {
		return 0, err
	}
	cmd := c.command(interval, port, "strace", "-f", "-qq", "-e", "trace=open,openat", "-o", out.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	time.Sleep(lifetime)
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	_ = cmd.Wait()
	n := 0
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "open") && !strings.Contains(lines.Text(), "resumed") {
			n++
		}
	}
	return n, errors.Join(lines.Err(), out.Close())
}

func median(costs []cost) cost {
	slices.SortFunc(costs, func(a, b cost) int { return int(a.cpu - b.cpu) })
	return costs[len(costs)/2]
}

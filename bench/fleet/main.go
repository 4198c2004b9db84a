// Command fleet plays a fleet of hosts to one gateway: each sends its metrics over OTLP/gRPC once an interval, some get into trouble at known
// times, and the alerts that the gateway makes of it come back to the program. It tells what the gateway costs, how long an alert is on its
// way, and whether each has come exactly once, from the right host, and was resolved. The configuration is examples/gateway.yaml.
//
//	fleet -binary ../otelcol-psutil -hosts 1000 -series 300 -rules 20 -interval 15s -duration 10m
//
// With -balancer it runs two gateways behind a loadbalancing exporter, and kills one of them (see balance.go):
//
//	fleet -binary ../otelcol-psutil -balancer ../build/loadbalancing/otelcol-psutil-loadbalancing -hosts 40 -interval 1s
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

type options struct {
	binary, example, balancer, balancerConfig string
	hosts, series, rules, troubled            int
	connections                               int
	interval, duration                        time.Duration
	compress, forward                         bool
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "../otelcol-psutil", "the distribution")
	flag.StringVar(&o.example, "config", "../examples/gateway.yaml", "the gateway's configuration")
	flag.StringVar(&o.balancer, "balancer", "", "a Collector with the loadbalancing exporter: two gateways behind it")
	flag.StringVar(&o.balancerConfig, "balancer-config", "../distributions/loadbalancing/config.yaml", "its configuration")
	flag.IntVar(&o.hosts, "hosts", 1000, "hosts")
	flag.IntVar(&o.series, "series", 300, "series of each host, at least")
	flag.IntVar(&o.rules, "rules", 20, "rules besides those of preset: host")
	flag.IntVar(&o.troubled, "troubled", 0, "hosts that get into trouble during the run (default: half of them)")
	flag.IntVar(&o.connections, "connections", 0, "connections (default: one for each host)")
	flag.DurationVar(&o.interval, "interval", 15*time.Second, "how often a host sends")
	flag.DurationVar(&o.duration, "duration", 10*time.Minute, "how long the hosts send")
	flag.BoolVar(&o.compress, "gzip", true, "send as agents do, compressed")
	flag.BoolVar(&o.forward, "forward", true, "have the gateway pass the metrics on to the backend, as the example does")
	flag.Parse()
	if o.troubled == 0 {
		o.troubled = max(1, o.hosts/2)
	}
	if o.connections == 0 {
		o.connections = o.hosts
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	measure := run
	if o.balancer != "" {
		measure = balance
	}
	err := measure(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// absolute makes the paths of the options hold in any folder.
func (o *options) absolute() (err error) {
	for _, path := range []*string{&o.binary, &o.example, &o.balancer, &o.balancerConfig} {
		if *path != "" {
			if *path, err = filepath.Abs(*path); err != nil {
				return err
			}
		}
	}
	return nil
}

func run(ctx context.Context, o *options) error {
	t, err := newTemplate(o.series)
	if err != nil {
		return err
	}
	if err := o.absolute(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	backend, err := newSink()
	if err != nil {
		return err
	}
	defer backend.Stop()
	rules := rulesOf(o.rules)
	g, err := startGateway(&gatewayConfig{
		binary: o.binary, example: o.example, dir: dir, host: "127.0.0.1", backend: backend.Address,
		rules: rules, interval: o.interval, forward: o.forward,
	})
	if err != nil {
		return err
	}
	defer g.Kill()

	start := time.Now().Add(time.Second)
	hosts := newHosts(o.hosts, o.interval, start)
	expected, err := plan(hosts, o.troubled, rules, o.interval, o.duration, start)
	if err != nil {
		return err
	}
	l, err := newLoad(t, hosts, o.interval, g.address, o.connections, o.compress)
	if err != nil {
		return err
	}
	defer l.close()
	fmt.Fprintf(os.Stderr, "%d hosts of %d series every %v for %v, %d KB each; %d rules; %d hosts get into trouble, %d alerts\n",
		len(hosts), len(t.series), o.interval, o.duration, len(t.text)/1000, len(rules), min(o.troubled, len(hosts)), len(expected))
	s, err := watch(ctx, o, l, g, backend, start, len(expected))
	if err != nil {
		return err
	}
	return s.report(o, l, g, backend, expected)
}

// spell is what was measured from the second interval on, when every host is known and connected.
type spell struct {
	seconds        float64
	cpu, generator time.Duration
	points         int64
	highest, last  float64 // Resident memory in bytes.
}

// watch runs the load, and says every now and then how it goes.
func watch(ctx context.Context, o *options, l *load, g *gateway, backend *sink, start time.Time, alerts int) (*spell, error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(ctx, start, start.Add(o.duration))
	}()
	tick := time.NewTicker(max(time.Second, min(15*time.Second, o.duration/10)))
	defer tick.Stop()
	warm := time.After(time.Until(start.Add(2 * o.interval)))
	var s spell
	var began time.Time
	var cpu, own time.Duration
	var points int64
	for {
		select {
		case <-warm:
			var err error
			if cpu, err = g.CPU(); err != nil {
				return nil, err
			}
			began, own, points = time.Now(), ownCPU(), l.points.Load()
		case <-tick.C:
			if err := g.Ended(); err != nil {
				return nil, err
			}
			s.last, _ = g.Resident()
			s.highest = max(s.highest, s.last)
			records, _ := backend.all()
			used, _ := g.CPU()
			fmt.Fprintf(os.Stderr, "  %6v  %9d points sent, %d failed; gateway %.1f s of CPU, %.0f MiB; %d of %d records\n",
				time.Since(start).Round(time.Second), l.points.Load(), l.failed.Load()+l.partial.Load(), used.Seconds(), s.last/(1<<20), len(records), 2*alerts)
		case <-done:
			used, err := g.CPU()
			s.cpu, s.generator, s.points = used-cpu, ownCPU()-own, l.points.Load()-points
			s.seconds = time.Since(began).Seconds()
			return &s, errors.Join(err, ctx.Err())
		}
	}
}

// report waits for what is under way, prints the values, and returns an error where anything is missing or too much.
func (s *spell) report(o *options, l *load, g *gateway, backend *sink, expected map[alertOf]bool) error {
	ids := map[string]string{}
	for _, h := range l.hosts {
		ids[h.name] = h.id
	}
	telemetry, err := l.settle(o, g, backend, 2*len(expected))
	if err != nil {
		return err
	}
	warnings := g.Warnings()
	usage, err := g.Stop()
	if err != nil {
		return err
	}
	records, err := backend.all()
	if err != nil {
		return err
	}
	a := judge(records, expected, ids)
	p := passageOf(telemetry, o.forward)
	milliseconds := func(q float64) float64 { return float64(quantile(a.byPoint, q).Microseconds()) / 1000 }

	fmt.Printf("%d hosts of %d series, every %v for %v; %d rules over %.0f series\n",
		len(l.hosts), len(l.template.series), o.interval, o.duration, ofPreset+o.rules, telemetry.Sum("alert_series"))
	fmt.Printf("  points a second                       %10.0f\n", float64(s.points)/s.seconds)
	fmt.Printf("  gateway: CPU, percent of one core     %10.1f\n", 100*s.cpu.Seconds()/s.seconds)
	fmt.Printf("    of 1,000 points (ms)                %10.2f\n", 1000*s.cpu.Seconds()/float64(s.points)*1000)
	fmt.Printf("    whole run, with start and end (s)   %10.1f\n", usage.CPU.Seconds())
	fmt.Printf("    evaluating rules, of it             %10.1f\n", telemetry.Sum("alert_evaluation_duration_sum"))
	fmt.Printf("    memory: peak, at the end (MiB)      %10.1f %10.1f\n", usage.Peak/(1<<20), s.last/(1<<20))
	fmt.Printf("  generator: CPU, percent of one core   %10.1f\n", 100*s.generator.Seconds()/s.seconds)
	fmt.Printf("    latest to send (ms)                 %10.1f\n", float64(l.late.Load())/1e6)
	fmt.Printf("  points: sent, accepted, refused       %10d %10.0f %10.0f\n", l.points.Load(), p.accepted, p.refused)
	fmt.Printf("    passed on, waiting, given up        %10.0f %10.0f %10.0f\n", p.passed, p.waiting, p.unsent)
	fmt.Printf("    samples ignored, records held back  %10.0f %10.0f\n", p.ignored, p.suppressed)
	fmt.Printf("  requests: taken, failed, in part      %10d %10d %10d\n", l.requests.Load(), l.failed.Load(), l.partial.Load())
	fmt.Printf("  alerts: expected, fired, resolved     %10d %10d %10d\n", a.expected, a.fired, a.resolved)
	fmt.Printf("    from point to record (ms), %5d:     p50 %.1f  p99 %.1f  max %.1f\n",
		len(a.byPoint), milliseconds(0.5), milliseconds(0.99), milliseconds(1))
	fmt.Printf("    from tick to record (ms), %5d:      max %.1f\n", len(a.byTime), float64(quantile(a.byTime, 1).Microseconds())/1000)
	fmt.Printf("  warnings of the gateway               %10d\n", warnings)

	a.passage(p, l)
	if len(a.faults) == 0 {
		fmt.Println("nothing dropped; every alert fired once, resolved once, and was of its host")
		return nil
	}
	for _, fault := range a.faults[:min(20, len(a.faults))] {
		fmt.Println("  FAULT:", fault)
	}
	return fmt.Errorf("%d faults\n%s", len(a.faults), tail(g.Output()))
}

// passage is what became of the points in the gateway, and of what it had to say.
type passage struct {
	accepted, refused       float64
	passed, waiting, unsent float64
	ignored, suppressed     float64
}

func passageOf(t collector.Telemetry, forward bool) (p passage) {
	p.accepted, p.refused = t.Sum("receiver_accepted_metric_points"), t.Sum("receiver_refused_metric_points")
	p.ignored, p.suppressed = t.Sum("alert_samples_ignored"), t.Sum("alert_events_suppressed")
	p.passed = t.Sum("exporter_sent_metric_points")
	p.unsent = t.Sum("exporter_send_failed_metric_points") + t.Sum("exporter_enqueue_failed")
	if forward {
		p.waiting = p.accepted - p.passed - p.unsent
	}
	return p
}

// passage says what is missing.
func (a *account) passage(p passage, l *load) {
	if p.accepted != float64(l.points.Load()) || p.refused+p.ignored+p.suppressed+p.unsent > 0 {
		a.fault("something was dropped")
	}
	if p.waiting > 0 {
		a.fault("after %v the gateway has not passed on all, it is in its queue", timeout)
	}
	if n := l.failed.Load() + l.partial.Load(); n > 0 {
		a.fault("%d requests failed", n)
		if err := l.failure.Load(); err != nil {
			a.fault("the first: %v", *err)
		}
	}
}

// settle waits until all that was sent has gone through the gateway and all records have come, or for a while.
func (l *load) settle(o *options, g *gateway, backend *sink, records int) (telemetry collector.Telemetry, err error) {
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if telemetry, err = collector.Fetch(g.port); err != nil {
			return "", err
		}
		have, _ := backend.all()
		if passed := telemetry.Sum("exporter_sent_metric_points"); len(have) >= records && (!o.forward || passed >= float64(l.points.Load())) {
			break
		}
	}
	return telemetry, nil
}

// tail is the end of a text.
func tail(text string) string { return text[max(0, len(text)-4000):] }

// ownCPU is what this program has used of the CPUs.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

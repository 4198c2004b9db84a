package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// gatewaysName is the name by which the balancer finds the gateways. It stands in a hosts file that the balancer alone sees, in place of a
// DNS server that knows which gateways are alive.
const gatewaysName = "gateways.test"

// What happens when, in intervals after the start. Half of the hosts, the first shift, are in trouble before, during and after the loss of
// the first gateway; the others get into it once the gateway is gone, and come out of it when it is back.
const (
	firstFrom, firstTo   = 5, 50
	killed, struckOut    = 15, 17
	secondFrom, secondTo = 20, 105
	back, listed         = 60, 62
	balanceEnd           = 130
	// A gateway forgets what it has not heard of for so long.
	forgotten = 20
)

// pair is two gateways behind a balancer, and a sink for each gateway.
type pair struct {
	o        *options
	dir      string
	rules    []rule
	sinks    [2]*sink
	gateways [2]*gateway
	balancer *gateway
	port     int
	unit     time.Duration
}

// balance runs the hosts against two gateways behind a loadbalancing exporter, kills the first gateway, and brings it back.
func balance(ctx context.Context, o *options) error {
	if err := o.absolute(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	t, err := newTemplate(o.series)
	if err != nil {
		return err
	}
	p := &pair{o: o, dir: dir, rules: append(rulesOf(0), rule{silence, len(symptoms) - 1}), unit: max(o.interval, time.Second)}
	defer p.end()
	if err := p.begin(); err != nil {
		return err
	}
	start := time.Now().Add(time.Second)
	hosts := newHosts(o.hosts, o.interval, start)
	memory := slices.IndexFunc(symptoms, func(s symptom) bool { return s.rule == "memory" })
	for i, h := range hosts {
		h.trouble = trouble{symptom: memory, from: p.at(start, firstFrom), to: p.at(start, firstTo)}
		if i%2 == 1 {
			h.trouble = trouble{symptom: memory, from: p.at(start, secondFrom), to: p.at(start, secondTo)}
		}
	}
	l, err := newLoad(t, hosts, o.interval, p.balancer.address, o.connections, o.compress)
	if err != nil {
		return err
	}
	defer l.close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(ctx, start, p.at(start, balanceEnd))
	}()
	kill, err := p.play(ctx, start)
	if err != nil {
		return err
	}
	<-done
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.report(l, kill)
}

// at is a moment of the play.
func (p *pair) at(start time.Time, intervals int) time.Time {
	return start.Add(time.Duration(intervals) * p.unit)
}

// address is the loopback address of a gateway; all have one port.
func address(i int) string { return fmt.Sprintf("127.0.0.%d", 2+i) }

func (p *pair) begin() (err error) {
	if p.port, err = collector.FreePort(); err != nil {
		return err
	}
	for i := range p.sinks {
		if p.sinks[i], err = newSink(); err != nil {
			return err
		}
		if err := p.startGateway(i); err != nil {
			return err
		}
	}
	if err := p.list(0, 1); err != nil {
		return err
	}
	return p.startBalancer()
}

func (p *pair) end() {
	for _, g := range []*gateway{p.gateways[0], p.gateways[1], p.balancer} {
		if g != nil {
			g.Kill()
		}
	}
	for _, s := range p.sinks {
		if s != nil {
			s.Stop()
		}
	}
}

// startGateway starts a gateway with the state that an earlier one has left.
func (p *pair) startGateway(i int) (err error) {
	p.gateways[i], err = startGateway(&gatewayConfig{
		binary: p.o.binary, example: p.o.example, dir: filepath.Join(p.dir, fmt.Sprintf("gateway-%d", i)), host: address(i), port: p.port,
		backend: p.sinks[i].Address, rules: p.rules, interval: p.unit, staleAfter: forgotten * p.unit,
	})
	return err
}

// list says which gateways there are.
func (p *pair) list(gateways ...int) error {
	var b strings.Builder
	for _, i := range gateways {
		fmt.Fprintf(&b, "%s %s\n", address(i), gatewaysName)
	}
	return os.WriteFile(filepath.Join(p.dir, "hosts"), []byte(b.String()), 0o644) //nolint:gosec // A hosts file is read by all.
}

// startBalancer starts the balancer in a mount namespace of its own, in which the program's file stands for /etc/hosts.
func (p *pair) startBalancer() error {
	dir := filepath.Join(p.dir, "balancer")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var ports [3]int
	for i := range ports {
		var err error
		if ports[i], err = collector.FreePort(); err != nil {
			return err
		}
	}
	cmd := exec.Command("sh", "-c", `mount --bind "$1" /etc/hosts && shift && exec "$@"`, "sh", filepath.Join(p.dir, "hosts"),
		p.o.balancer, "--config", p.o.balancerConfig, "--config", collector.Show(ports[2]), "--config", fmt.Sprintf(
			"yaml:{receivers: {otlp: {protocols: {grpc: {endpoint: '127.0.0.1:%d'}, http: {endpoint: '127.0.0.1:%d'}}}}, "+
				"exporters: {load_balancing: {resolver: {dns: {port: '%d'}}}}, service: {telemetry: {logs: {level: error}}}}", ports[0], ports[1], p.port))
	cmd.Env = append(os.Environ(), "GATEWAYS="+gatewaysName, "STATE_DIRECTORY="+filepath.Join(dir, "state"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		}
	}
	process, err := collector.Start(dir, cmd)
	if err != nil {
		return fmt.Errorf("a mount namespace for the balancer: %w", err)
	}
	p.balancer = &gateway{Process: process, address: fmt.Sprintf("127.0.0.1:%d", ports[0]), port: ports[2]}
	return awaitTelemetry(process, ports[2])
}

// play kills the first gateway and brings it back, and returns when it was killed.
func (p *pair) play(ctx context.Context, start time.Time) (kill time.Time, err error) {
	for _, scene := range []struct {
		at   int
		what string
		do   func() error
	}{
		{firstFrom, "the first half of the hosts gets into trouble", nil},
		{killed, "one of two gateways is killed", func() error { kill = time.Now(); p.gateways[0].Kill(); return nil }},
		{struckOut, "its address is gone", func() error { return p.list(1) }},
		{secondFrom, "the other half gets into trouble", nil},
		{firstTo, "the first half is well", nil},
		{back, "the gateway is back, with its state", func() error { return p.startGateway(0) }},
		{listed, "so is its address", func() error { return p.list(0, 1) }},
		{secondTo, "the other half is well", nil},
	} {
		select {
		case <-time.After(time.Until(p.at(start, scene.at))):
		case <-ctx.Done():
			return kill, ctx.Err()
		}
		fmt.Fprintf(os.Stderr, "  %6v  %s\n", time.Since(start).Round(time.Second), scene.what)
		if scene.do != nil {
			if err := scene.do(); err != nil {
				return kill, err
			}
		}
	}
	return kill, nil
}

// report tells what each gateway has said of which host.
func (p *pair) report(l *load, kill time.Time) error {
	h, err := p.history(kill)
	if err != nil {
		return err
	}
	a := &account{}
	var lastAtOther time.Time
	moved := 0
	for i, host := range l.hosts {
		first, second := h.of(0, "memory", host.name), h.of(1, "memory", host.name)
		a.checkHost(h, host.name)
		said := strings.Join(first, " ") + " | " + strings.Join(second, " ")
		atFirst := h.home[host.name] == 0
		switch {
		case i%2 == 0 && atFirst:
			moved++
			lastAtOther = later(lastAtOther, h.firedAt(1, host.name))
			a.want(host.name, said, "fire resolve | fire resolve")
		case i%2 == 0:
			a.want(host.name, said, " | fire resolve")
		case len(first) > 0: // At home with the first gateway, but in trouble only while that was away.
			moved++
			a.want(host.name, said, "fire resolve | fire no_data resolve(stale)")
		default:
			a.want(host.name, said, " | fire resolve")
		}
	}
	telemetry, err := collector.Fetch(p.balancer.port)
	if err != nil {
		return err
	}
	fmt.Printf("%d hosts of %d series, every %v, two gateways behind a balancer, one killed and brought back\n",
		len(l.hosts), len(l.template.series), p.o.interval)
	fmt.Printf("  requests: taken, failed                      %8d %8d\n", l.requests.Load(), l.failed.Load()+l.partial.Load())
	fmt.Printf("  waiting in the balancer at the end           %8.0f\n", telemetry.Sum("exporter_queue_size"))
	fmt.Printf("  alerts before the loss: here, there, at both %8d %8d %8d\n", h.before[0], h.before[1], h.before[2])
	fmt.Printf("  hosts whose alerts the other went on with    %8d\n", moved)
	fmt.Printf("  from the kill to the last of them (s)        %8.1f\n", lastAtOther.Sub(kill).Seconds())
	fmt.Printf("  alerts with one alert.id at both gateways    %8d\n", h.shared)
	fmt.Printf("  records of %s, none of them true: by the one that was killed %v, by the other %v\n", silence, h.silences[0], h.silences[1])
	if n := l.failed.Load() + l.partial.Load(); n > 0 {
		a.fault("%d requests failed: %v", n, *l.failure.Load())
	}
	if h.before[0] == 0 || h.before[1] == 0 || h.before[2] > 0 {
		a.fault("the hosts are not divided between the gateways")
	}
	if len(a.faults) == 0 {
		fmt.Println("each host's alerts came from one gateway at a time, under one alert.id, and every episode has ended")
		return nil
	}
	for _, fault := range a.faults {
		fmt.Println("  FAULT:", fault)
	}
	return errors.New("see above")
}

// want compares what was said of a host.
func (a *account) want(host, said, want string) {
	if said != want {
		a.fault("%s: the gateways said %q, not %q", host, said, want)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

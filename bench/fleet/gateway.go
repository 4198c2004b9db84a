package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// timeout is how long a Collector may take to start.
const timeout = 30 * time.Second

// gateway is a running Collector with the configuration of an example.
type gateway struct {
	*collector.Process
	// address is where it takes OTLP over gRPC.
	address string
	port    int // Of its telemetry.
}

// gatewayConfig is what differs from the example.
type gatewayConfig struct {
	binary, example, dir string
	// host is the loopback address to listen at; port that of OTLP over gRPC, or 0 for a free one.
	host string
	port int
	// backend is where metrics and alerts go.
	backend  string
	rules    []rule
	interval time.Duration
	forward  bool
	// staleAfter, when set, is when silent series are forgotten.
	staleAfter time.Duration
}

// settings is a configuration to lay over the example.
func (c *gatewayConfig) settings(grpcPort, httpPort int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "receivers: {otlp: {protocols: {grpc: {endpoint: \"%s:%d\"}, http: {endpoint: \"%s:%d\"}}}}\n", c.host, grpcPort, c.host, httpPort)
	fmt.Fprintf(&b, "connectors:\n  alert:\n    preset: {host: {override: {cpu: {for: 0s}, memory: {for: 0s}}}}\n    evaluation_interval: %v\n", max(time.Second, min(15*time.Second, c.interval)))
	if c.staleAfter > 0 {
		fmt.Fprintf(&b, "    defaults: {stale_series_after: %v, no_data: {after: %v}}\n", c.staleAfter, c.staleAfter/2)
	}
	b.WriteString("    rules:\n")
	for line := range strings.Lines(rulesYAML(c.rules, c.interval)) {
		b.WriteString("      " + line)
	}
	b.WriteString("service:\n  telemetry: {logs: {level: warn}}\n")
	if !c.forward {
		b.WriteString("  pipelines: {metrics: {exporters: [alert]}}\n")
	}
	return b.String()
}

// startGateway starts a gateway, and waits until it listens.
func startGateway(c *gatewayConfig) (*gateway, error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	ports := [3]int{c.port}
	for i := range ports {
		if ports[i] == 0 {
			var err error
			if ports[i], err = collector.FreePort(); err != nil {
				return nil, err
			}
		}
	}
	settings := filepath.Join(c.dir, "settings.yaml")
	if err := os.WriteFile(settings, []byte(c.settings(ports[0], ports[1])), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(c.binary, "--config", c.example, "--config", settings, "--config", collector.Show(ports[2]))
	cmd.Env = append(os.Environ(), "OTLP_ENDPOINT="+c.backend, "STATE_DIRECTORY="+filepath.Join(c.dir, "state"))
	p, err := collector.Start(c.dir, cmd)
	if err != nil {
		return nil, err
	}
	g := &gateway{Process: p, address: fmt.Sprintf("%s:%d", c.host, ports[0]), port: ports[2]}
	if err := awaitTelemetry(p, ports[2]); err != nil {
		p.Kill()
		return nil, err
	}
	return g, nil
}

// awaitTelemetry waits until a Collector shows its telemetry; by then its receivers listen or are about to.
func awaitTelemetry(p *collector.Process, port int) error {
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err := p.Ended(); err != nil {
			return err
		}
		if _, err := collector.Fetch(port); err == nil {
			return nil
		}
	}
	return errors.New("the collector does not show its telemetry")
}

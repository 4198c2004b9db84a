// Command sampling makes the picture of docs/sampling.md from a real run: it starts the distribution, sends data over the loopback
// interface for two seconds in the middle of a minute, and draws what a plain gauge, the peak and a percentile of that minute say.
//
//	go run ./docs/sampling -binary ./otelcol-psutil
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	metric = "system.network.io.rate"
	minute = time.Minute

	burst  = 2 * time.Second
	chunk  = 1 << 20 // bytes
	chunks = 150     // a second
)

const config = `
receivers:
  psutil/sampled:
    collection_interval: 60s
    initial_delay: 0s
    scrapers: {network: {include: {interfaces: [lo]}}}
    rates: {enabled: true, metrics: [system.network.io]}
    sampling: {interval: 1s, metrics: [system.network.io], format: gauges}
  psutil/each_second:
    collection_interval: 1s
    initial_delay: 0s
    scrapers: {network: {include: {interfaces: [lo]}}}
    rates: {enabled: true, metrics: [system.network.io]}
exporters:
  file/sampled: {path: sampled.jsonl, flush_interval: 1s}
  file/each_second: {path: each_second.jsonl, flush_interval: 1s}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics/sampled: {receivers: [psutil/sampled], exporters: [file/sampled]}
    metrics/each_second: {receivers: [psutil/each_second], exporters: [file/each_second]}
`

func main() {
	binary := flag.String("binary", "./otelcol-psutil", "the distribution")
	minutes := flag.Int("minutes", 4, "how long it runs")
	data := flag.String("data", "", "folder of the data of an earlier run, to draw it again")
	picture := flag.String("svg", "docs/sampling/burst.svg", "the picture to write")
	flag.Parse()
	if err := run(*binary, *data, *picture, *minutes); err != nil {
		fmt.Fprintln(os.Stderr, "sampling:", err)
		os.Exit(1)
	}
}

func run(binary, data, picture string, minutes int) error {
	if data == "" {
		dir, err := os.MkdirTemp("", "sampling")
		if err != nil {
			return err
		}
		if err := collect(binary, dir, minutes); err != nil {
			return err
		}
		data = dir
		fmt.Println("data in", dir)
	}
	each, err := seriesOf(filepath.Join(data, "each_second.jsonl"))
	if err != nil {
		return err
	}
	sampled, err := seriesOf(filepath.Join(data, "sampled.jsonl"))
	if err != nil {
		return err
	}
	return os.WriteFile(picture, []byte(draw(each[metric], sampled)), 0o644)
}

// collect runs the distribution for some minutes, and sends in the middle of the last but one.
func collect(binary, dir string, minutes int) error {
	path, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "collector.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(path, "--config", "collector.yaml")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _ = cmd.Process.Kill() }()
	total := time.Duration(minutes)*minute + 3*time.Second
	until := total - 3*time.Second - minute - minute/2
	time.Sleep(until)
	if err := send(); err != nil {
		return err
	}
	time.Sleep(total - until - burst)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return cmd.Wait()
}

// send sends over the loopback interface for the time of the burst, at an even pace.
func send() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	data := make([]byte, chunk)
	pace := time.NewTicker(time.Second / chunks)
	defer pace.Stop()
	for end := time.After(burst); ; {
		select {
		case <-end:
			return nil
		case <-pace.C:
			if _, err := conn.Write(data); err != nil {
				return err
			}
		}
	}
}

// point is the traffic at the end of the interval that it is of, in bytes a second.
type point struct {
	at    time.Time
	value float64
}

// seriesOf reads what was received over the loopback interface from OTLP JSON lines, by metric.
func seriesOf(path string) (map[string][]point, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	series := make(map[string][]point)
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		if err != nil {
			return nil, err
		}
		for _, rm := range md.ResourceMetrics().All() {
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				add(series, m)
			}
		}
	}
	for _, points := range series {
		slices.SortFunc(points, func(a, b point) int { return a.at.Compare(b.at) })
	}
	return series, nil
}

func add(series map[string][]point, m pmetric.Metric) {
	if m.Type() != pmetric.MetricTypeGauge {
		return
	}
	for _, p := range m.Gauge().DataPoints().All() {
		if way, ok := p.Attributes().Get("network.io.direction"); ok && way.Str() == "receive" {
			series[m.Name()] = append(series[m.Name()], point{p.Timestamp().AsTime(), p.DoubleValue()})
		}
	}
}

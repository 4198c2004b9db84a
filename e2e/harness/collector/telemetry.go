package collector

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Telemetry is a Collector's own, in the Prometheus text format.
type Telemetry string

// Fetch reads the telemetry that a Collector shows at a loopback port.
func Fetch(port int) (Telemetry, error) {
	text, err := Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
	return Telemetry(text), err
}

// Get reads a page.
func Get(url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return string(text), err
}

// Sum adds up the samples whose name holds one string, and whose labels hold all of the others.
func (t Telemetry) Sum(name string, parts ...string) float64 {
	var sum float64
next:
	for line := range strings.Lines(string(t)) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		base, labels, _ := strings.Cut(line[:at], "{")
		if !strings.Contains(base, name) {
			continue
		}
		for _, part := range parts {
			if !strings.Contains(labels, part) {
				continue next
			}
		}
		if v, err := strconv.ParseFloat(line[at+1:], 64); err == nil {
			sum += v
		}
	}
	return sum
}

// Show is the configuration that makes a Collector show its telemetry at a loopback port.
func Show(port int) string {
	return fmt.Sprintf("yaml:service::telemetry::metrics: {level: normal, "+
		"readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %d}}}}]}", port)
}

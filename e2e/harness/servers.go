package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// FileBackend is the configuration, but for a port, of a Collector that takes OTLP over gRPC and writes it to metrics.jsonl and logs.jsonl.
const FileBackend = `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:%d"}}}}
exporters:
  file/metrics: {path: metrics.jsonl, append: true, flush_interval: 50ms}
  file/logs: {path: logs.jsonl, append: true, flush_interval: 50ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [file/metrics]}
    logs: {receivers: [otlp], exporters: [file/logs]}
`

// AwaitListener waits for an address to take connections.
func AwaitListener(t *testing.T, address string) {
	t.Helper()
	Eventually(t, "it listens at "+address, func() error {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
}

// Client asks servers beside a test. One that takes a request and never answers ends no test by the limit of the whole run.
var Client = &http.Client{Timeout: Timeout}

// Get gives the body of a page, and an error where the status is not of success.
func Get(url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, body)
	}
	return body, err
}

// GetJSON decodes the page at a URL.
func GetJSON(url string, v any) error {
	body, err := Get(url)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}

// LookServer finds the program of a server that a test needs. Where it is not installed the test is skipped, or fails with
// E2E_REQUIRE_SERVERS=1 or REQUIRE_ROOT=1.
func LookServer(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	const hint = "no %s on this machine; on Debian: apt-get install prometheus prometheus-alertmanager influxdb"
	if os.Getenv("E2E_REQUIRE_SERVERS") == "1" {
		require.Failf(t, "E2E_REQUIRE_SERVERS=1 asks for every server", hint, name)
	}
	testenv.Missing(t, hint, name)
	return ""
}

// StartServer runs a server in a folder until the test ends, and waits for it to answer at a URL.
func StartServer(t *testing.T, dir, ready, program string, args ...string) *Process {
	t.Helper()
	s := Run(t, dir, exec.Command(program, args...))
	Eventually(t, filepath.Base(program)+" answers", func() error {
		require.NoError(t, s.Ended())
		_, err := Get(ready)
		return err
	})
	return s
}

package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// promoted are the attributes of resources that are labels: that of the host, and those by which hostmetricsreceiver distinguishes processes.
const promoted = "promote_resource_attributes: [host.name, process.pid, process.parent_pid, process.executable.name, process.owner]"

// promServer is a running Prometheus 3 that takes OTLP.
type promServer struct {
	url     string
	running *collector.Process
}

// promSeries is a series of an answer, and its value.
type promSeries struct {
	labels map[string]string
	value  float64
}

// text is the labels in order.
func (s promSeries) text() string {
	var parts []string
	for name, value := range s.labels {
		parts = append(parts, name+"="+strconv.Quote(value))
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ",") + "}"
}

// startPrometheus runs a Prometheus 3 that translates names by a strategy, and has some attributes of resources as labels.
func startPrometheus(t *testing.T, root, strategy, labels string) *promServer {
	t.Helper()
	program := filepath.Join(root, "build/prometheus3")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v: `make build/prometheus3` builds it", err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("otlp: {translation_strategy: %s, %s}\n", strategy, labels)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	port, err := collector.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	p := &promServer{url: "http://" + address}
	if p.running, err = collector.Start(dir, exec.CommandContext(t.Context(), program, "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--web.enable-otlp-receiver")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.running.Kill)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if err := p.running.Ended(); err != nil {
			t.Fatal(err)
		}
		_, err := p.do(t, http.MethodGet, "/-/ready", "", nil)
		if err == nil {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatalf("Prometheus does not get ready: %v\n%s", err, p.running.Output())
		}
	}
}

// do asks for a page, and gives an error where the status is not of success.
func (p *promServer) do(t *testing.T, method, path, contentType string, body []byte) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, p.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return text, err
}

// write sends metrics by OTLP.
func (p *promServer) write(t *testing.T, messages []pmetric.Metrics) {
	t.Helper()
	for _, md := range messages {
		body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.do(t, http.MethodPost, "/api/v1/otlp/v1/metrics", "application/x-protobuf", body); err != nil {
			t.Fatal(err)
		}
	}
}

// query gives the series of the answer to an expression at a time.
func (p *promServer) query(t *testing.T, expression string, at time.Time) (out []promSeries) {
	t.Helper()
	values := url.Values{"query": {expression}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}}
	text, err := p.do(t, http.MethodGet, "/api/v1/query?"+values.Encode(), "", nil)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	var answer struct {
		Data struct {
			ResultType string
			Result     []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s has the value %v: %v", expression, r.Value, err)
		}
		out = append(out, promSeries{r.Metric, value})
	}
	return out
}

package backends

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// backends is a server on loopback that takes OTLP, InfluxDB's line protocol and Prometheus remote write, by the first part of the path.
type backends struct {
	*httptest.Server
	mu      sync.Mutex
	otlp    map[string][]pmetric.Metrics
	influx  map[string][]harness.InfluxLine
	written map[string][]byte // remote write requests, one after the other
	errs    []error
}

func newBackends(t *testing.T) *backends {
	t.Helper()
	b := &backends{otlp: map[string][]pmetric.Metrics{}, influx: map[string][]harness.InfluxLine{}, written: map[string][]byte{}}
	mux := http.NewServeMux()
	for pattern, take := range map[string]func(sender string, body []byte) error{
		"POST /{sender}/v1/metrics":   b.takeOTLP,
		"POST /{sender}/api/v2/write": b.takeInflux,
		"POST /{sender}/write":        b.takeRemoteWrite,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := harness.RequestBody(r)
			b.mu.Lock()
			defer b.mu.Unlock()
			if err == nil {
				err = take(r.PathValue("sender"), body)
			}
			if err != nil {
				b.errs = append(b.errs, fmt.Errorf("%s: %w", r.URL.Path, err))
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.WriteHeader(map[bool]int{true: http.StatusOK, false: http.StatusNoContent}[strings.HasSuffix(pattern, "metrics")])
		})
	}
	b.Server = httptest.NewServer(mux)
	t.Cleanup(b.Close)
	return b
}

func (b *backends) takeOTLP(sender string, body []byte) error {
	// A request to export is, on the wire, what it exports.
	md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(body)
	b.otlp[sender] = append(b.otlp[sender], md)
	return err
}

func (b *backends) takeInflux(sender string, body []byte) error {
	for text := range strings.Lines(string(body)) {
		line, err := harness.ParseInfluxLine(strings.TrimSuffix(text, "\n"))
		if err != nil {
			return err
		}
		b.influx[sender] = append(b.influx[sender], line)
	}
	return nil
}

func (b *backends) takeRemoteWrite(sender string, body []byte) error {
	text, err := harness.DecodeSnappy(body)
	b.written[sender] = append(b.written[sender], text...)
	return err
}

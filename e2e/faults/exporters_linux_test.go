package faults

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// takenFrom has one exporter take what a played host gives five times a second, and a file see it, too.
const takenFrom = `
receivers:
  psutil: {collection_interval: 200ms, initial_delay: 0s, root_path: %q, scrapers: {cpu: {}, memory: {}, system: {}}}
exporters:
  file: {path: scraped-%d.jsonl, rotation: {max_megabytes: 100}}
  %s
extensions: {file_storage: {directory: state, create_directory: true}}
service:
  extensions: [file_storage]
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %d}}}}]}}
  pipelines: {metrics: {receivers: [psutil], exporters: [file, %s]}}
`

// writes is a server that is written to, by InfluxDB's line protocol or by remote write, and answers as the test sets it.
type writes struct {
	*httptest.Server
	mu      sync.Mutex
	status  int // in place of success
	refused int
	at      map[int64]int // instants of the counter in what it took, in milliseconds, and how often they came
	errs    []error
}

func newWrites(t *testing.T) *writes {
	t.Helper()
	w := &writes{at: make(map[int64]int)}
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
	return w
}

func (w *writes) answers(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status = status
}

func (w *writes) serve(rw http.ResponseWriter, r *http.Request) {
	var body []byte
	var err error
	if r.Header.Get("Content-Encoding") == "snappy" {
		if body, err = io.ReadAll(r.Body); err == nil {
			body, err = harness.DecodeSnappy(body)
		}
	} else {
		body, err = harness.RequestBody(r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		return // The sender was killed.
	}
	if w.status != 0 {
		w.refused++
		rw.WriteHeader(w.status)
		return
	}
	if r.Header.Get("Content-Encoding") == "snappy" {
		for series := range protoFields(body, 1) {
			if bytes.Contains(series, []byte("system_cpu_context_switches_total")) {
				for sample := range protoFields(series, 2) {
					w.at[sampleTime(sample)]++
				}
			}
		}
	} else {
		for text := range strings.Lines(string(body)) {
			line, err := harness.ParseInfluxLine(strings.TrimSuffix(text, "\n"))
			if err != nil {
				w.errs = append(w.errs, err)
			}
			if line.Measurement() == turning {
				w.at[time.Unix(0, line.At).UnixMilli()]++
			}
		}
	}
	rw.WriteHeader(http.StatusNoContent)
}

// protoFields gives the fields of a message that have a number and hold bytes.
func protoFields(message []byte, number int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(message) > 0 {
			key, n := binary.Uvarint(message)
			message = message[n:]
			var field []byte
			switch key & 7 {
			case 0:
				_, n = binary.Uvarint(message)
			case 1:
				n = 8
			default:
				length, header := binary.Uvarint(message)
				n = header + int(length)
				field = message[header:n]
			}
			message = message[n:]
			if int(key>>3) == number && !yield(field) {
				return
			}
		}
	}
}

// sampleTime is the time of a sample of remote write, which stands behind its value.
func sampleTime(sample []byte) int64 {
	const value = 1 + 8
	ms, _ := binary.Uvarint(sample[value+1:])
	return int64(ms)
}

// missing counts the scrapes before an instant that a collector's file has and the server has not, and those of the file since another instant.
func (w *writes) missing(t *testing.T, dir string, since, before time.Time, lives int) (missing, seen, twice int) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NoError(t, errors.Join(w.errs...))
	for life := range lives {
		all, err := harness.Batches(filepath.Join(dir, fmt.Sprintf("scraped-%d.jsonl", life)))
		require.NoError(t, err)
		for _, md := range all {
			p, ok := harness.PointsOf(md)[turning]
			if !ok || p.At.After(before) {
				continue
			}
			if p.At.After(since) {
				seen++
			}
			if w.at[p.At.UnixMilli()] == 0 {
				missing++
			}
		}
	}
	for _, n := range w.at {
		twice += n - 1
	}
	return missing, seen, twice
}

// later waits for a scrape after an instant to be taken.
func (w *writes) later(t *testing.T, instant time.Time) {
	t.Helper()
	harness.Eventually(t, "it is taken again", func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		for at := range w.at {
			if at > instant.UnixMilli() {
				return nil
			}
		}
		return fmt.Errorf("nothing of %d scrapes is later than %v", len(w.at), instant)
	})
}

const (
	influxQueued = `influxdb: {endpoint: %s, org: hosts, bucket: hosts, token: none, sending_queue: {storage: file_storage, num_consumers: 1},
    retry_on_failure: {max_elapsed_time: 0s, initial_interval: 100ms, max_interval: 500ms}}`
	remoteWrite         = `prometheus_remote_write: {http: {endpoint: %s}, retry_on_failure: {max_elapsed_time: 1h}}`
	remoteWritePatient  = `prometheus_remote_write: {http: {endpoint: %s}, timeout: 1h, retry_on_failure: {max_elapsed_time: 0s}}`
	remoteWriteWithAWAL = `prometheus_remote_write: {http: {endpoint: %s}, wal: {directory: wal, buffer_size: 1, truncate_frequency: 1s}}`
)

// otherExporter is a collector with one of them, and what becomes of it.
type otherExporter struct {
	name, exporter string
	status         int  // that the backend answers for a while
	kill           bool // whether the collector is killed meanwhile
	lost           func(t *testing.T, lost, of int)

	dir     string
	since   time.Time // when the backend began to refuse
	server  *writes
	running *harness.Process
	lives   int
	begin   func(life int) *harness.Process
}

func lostNothing(t *testing.T, lost, _ int) { t.Helper(); assert.Zero(t, lost) }
func lostSome(t *testing.T, lost, _ int)    { t.Helper(); assert.Positive(t, lost) }

// lostMost is most of what was scraped while the backend refused; what it took before is there.
func lostMost(t *testing.T, lost, of int) { t.Helper(); assert.Greater(t, lost, of/2) }

// TestFaultOtherExporters has a backend refuse for seven seconds what other exporters than those of OTLP write.
func TestFaultOtherExporters(t *testing.T) {
	t.Parallel()
	cases := []*otherExporter{
		{name: "influxdb 503", exporter: influxQueued, status: 503, lost: lostNothing},
		{name: "influxdb 503 and killed", exporter: influxQueued, status: 503, kill: true, lost: lostNothing},
		{name: "influxdb 429", exporter: influxQueued, status: 429, lost: lostMost},
		{name: "remote write 503", exporter: remoteWrite, status: 503, lost: lostSome},
		{name: "remote write with timeout 503", exporter: remoteWritePatient, status: 503, lost: lostNothing},
		{name: "remote write with timeout 503 and killed", exporter: remoteWritePatient, status: 503, kill: true, lost: lostMost},
		{name: "remote write with timeout 429", exporter: remoteWritePatient, status: 429, lost: lostMost},
		{name: "remote write with WAL 503", exporter: remoteWriteWithAWAL, status: 503, lost: lostNothing},
		{name: "remote write with WAL 503 and killed", exporter: remoteWriteWithAWAL, status: 503, kill: true, lost: lostNothing},
	}
	for _, c := range cases {
		host, port := harness.NewFixtureHost(t), harness.FreePort(t)
		c.dir, c.server = t.TempDir(), newWrites(t)
		c.begin = func(life int) *harness.Process {
			c.lives++
			name, _, _ := strings.Cut(c.exporter, ":")
			return harness.Start(t, c.dir, fmt.Sprintf(takenFrom, host.Root, life, fmt.Sprintf(c.exporter, c.server.URL), port, name))
		}
		c.running = c.begin(0)
	}
	for _, c := range cases {
		c.server.later(t, time.Now())
		c.server.answers(c.status)
		c.since = time.Now()
	}
	wait(t, 7*time.Second)
	for _, c := range cases {
		if c.kill {
			c.running.Kill()
			c.running = c.begin(1)
		}
		c.server.answers(0)
		back := time.Now()
		t.Run(c.name, func(t *testing.T) {
			c.server.later(t, back)
			lost, of, twice := c.server.missing(t, c.dir, c.since, back, c.lives)
			t.Logf("%d scrapes were lost of %d since the backend refused, %d came twice; %d requests were refused", lost, of, twice, c.server.refused)
			c.lost(t, lost, of)
			assert.Less(t, memoryPeak(t, c.running.PID()), int64(memoryBound))
			require.NoError(t, c.running.Stop(t, syscall.SIGTERM))
		})
	}
}

package hostpageexporter

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-psutil/otelcol-psutil/internal/exposition"
	"github.com/otelcol-psutil/otelcol-psutil/internal/webclient"
)

const (
	// collectorEvery is how often the Collector's own metrics are read.
	collectorEvery = 10 * time.Second
	// maxCollectorText bounds what is read at once.
	maxCollectorText = 8 << 20
	// recent is for how long a trouble that has happened is told.
	recent = 5 * time.Minute
	// stalled is how long an exporter may have a queue and send nothing.
	stalled = time.Minute
	// maxWatched bounds the counters that are followed.
	maxWatched = 10_000
)

// collector follows the Collector's own metrics.
type collector struct {
	client *http.Client
	url    string

	mu       sync.Mutex
	read     time.Time // When they were last read; zero: never.
	failed   error
	counters map[string]*counter // By metric and labels.
	queues   map[string]*queue   // By exporter and signal.
	waits    map[string]*wait    // By metric: gauges that are 0 when all is well.
}

// counter is one that is followed.
type counter struct {
	metric string
	labels map[string]string
	value  float64
	grew   time.Time // When it last did, zero if it was not seen to.
}

// queue is that of an exporter. The Collector does not tell how old what waits in it is, so it is followed since when it is not empty.
type queue struct {
	size, capacity float64
	since          time.Time // When it was first seen not to be empty, zero while it is.
	seen           time.Time
}

// wait is a gauge that is 0 when nothing waits.
type wait struct {
	value float64
	since time.Time // When it was first seen not to be 0, zero while it is.
}

// startCollector begins to follow the Collector's metrics, if they are configured.
func (p *page) startCollector(ctx context.Context, host component.Host) error {
	cfg := p.cfg.CollectorMetrics.Get()
	if cfg == nil {
		return nil
	}
	client, err := cfg.ToClient(ctx, host.GetExtensions(), p.set)
	if err != nil {
		return fmt.Errorf("collector_metrics: %w", webclient.RedactError(err))
	}
	client.CheckRedirect = webclient.SameServer
	p.collector.client, p.collector.url = client, cfg.Endpoint
	return nil
}

// keepFollowing reads the metrics every so often.
func (p *page) keepFollowing(closing chan struct{}) {
	c := &p.collector
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-closing
		cancel()
	}()
	ticker := time.NewTicker(collectorEvery)
	defer ticker.Stop()
	for {
		c.follow(ctx, p.now)
		select {
		case <-ticker.C:
		case <-closing:
			c.client.CloseIdleConnections()
			return
		}
	}
}

// follow reads the metrics once.
func (c *collector) follow(ctx context.Context, now func() time.Time) {
	families, err := c.fetch(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed = err; err == nil {
		c.take(families, now())
	}
}

func (c *collector) fetch(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(ctx, collectorEvery/2)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, http.NoBody)
	if err != nil {
		return nil, webclient.RedactError(err)
	}
	r.Header.Set("Accept", exposition.Accept())
	res, err := c.client.Do(r)
	if err != nil {
		return nil, webclient.RedactError(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	families, err := exposition.Parse(io.LimitReader(res.Body, maxCollectorText))
	return families, webclient.RedactError(err)
}

// take follows what has come.
func (c *collector) take(families map[string]*dto.MetricFamily, now time.Time) {
	first := c.read.IsZero()
	c.read = now
	if c.counters == nil {
		c.counters = map[string]*counter{}
	}
	if c.queues == nil {
		c.queues = map[string]*queue{}
	}
	c.waits = nextWaits(c.waits, families, now)
	for name, f := range families {
		name = strings.TrimSuffix(name, "_total")
		if !strings.HasPrefix(name, "otelcol_") {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			switch {
			case m.Counter != nil:
				c.count(name, labels, m.Counter.GetValue(), now, first)
			case m.Gauge != nil && strings.HasPrefix(name, "otelcol_exporter_queue_"):
				c.queue(labels["exporter"]+" "+labels["data_type"], name, m.Gauge.GetValue(), now)
			}
		}
	}
	maps.DeleteFunc(c.queues, func(_ string, q *queue) bool { return !q.seen.Equal(now) })
}

// queue takes the size or the capacity of a queue.
func (c *collector) queue(key, metric string, value float64, now time.Time) {
	q := c.queues[key]
	if q == nil {
		q = &queue{}
		c.queues[key] = q
	}
	q.seen = now
	switch metric {
	case "otelcol_exporter_queue_size":
		q.size, q.since = value, nonZeroSince(q.since, value, now)
	case "otelcol_exporter_queue_capacity":
		q.capacity = value
	}
}

// nextWaits are the gauges of waiting as they are now.
func nextWaits(before map[string]*wait, families map[string]*dto.MetricFamily, now time.Time) map[string]*wait {
	out := map[string]*wait{}
	for _, w := range waiting {
		f := families[w.metric]
		if f == nil {
			continue
		}
		next := &wait{}
		for _, m := range f.GetMetric() {
			next.value += m.GetGauge().GetValue()
		}
		if b := before[w.metric]; b != nil {
			next.since = b.since
		}
		next.since = nonZeroSince(next.since, next.value, now)
		out[w.metric] = next
	}
	return out
}

// nonZeroSince is since when a value is not 0.
func nonZeroSince(before time.Time, value float64, now time.Time) time.Time {
	switch {
	case value == 0:
		return time.Time{}
	case before.IsZero():
		return now
	default:
		return before
	}
}

func (c *collector) count(name string, labels map[string]string, value float64, now time.Time, first bool) {
	var b strings.Builder
	b.WriteString(name)
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString("\x00" + key + "\x00" + labels[key])
	}
	known := c.counters[b.String()]
	if known == nil {
		if len(c.counters) >= maxWatched {
			return
		}
		known = &counter{metric: name, labels: labels}
		c.counters[b.String()] = known
		if first {
			known.value = value // When it grew is not known.
		}
	}
	if value > known.value {
		known.grew = now
	}
	known.value = value
}

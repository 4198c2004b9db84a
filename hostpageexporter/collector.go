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
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"

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

// trouble is a counter of the Collector or its components that only grows when something is wrong.
type trouble struct {
	check  string
	metric string // Without the suffix _total, which telemetry may add.
	text   string // What happened, behind the number.
	// except is a label and the value with which the counter counts what is right.
	except [2]string
}

// troubles are all that are looked at, besides exporters. Metrics with the names of signals are named by their beginning, up to "*".
var troubles = []trouble{
	{"reading the host", "otelcol_psutil_files_unreadable", "reads of kernel files failed", [2]string{}},
	{"reading the host", "otelcol_psutil_scrapes_late", "scrapes were late", [2]string{}},
	{"reading the host", "otelcol_psutil_samples_late", "samples were late", [2]string{}},
	{"reading the host", "otelcol_scraper_errored_metric_points", "points could not be read", [2]string{}},
	{"alerts", "otelcol_alert_rule_errors", "evaluations of rules failed", [2]string{}},
	{"alerts", "otelcol_alert_outbox_dropped", "records gave way in the outbox", [2]string{}},
	{"alerts", "otelcol_alert_delivery_attempts", "deliveries of records failed", [2]string{"outcome", "accepted"}},
	{"alerts", "otelcol_alertmanager_requests", "requests to Alertmanager failed", [2]string{"outcome", "accepted"}},
	{"receivers", "otelcol_receiver_refused_*", "items were refused", [2]string{}},
	{"receivers", "otelcol_receiver_failed_*", "items failed", [2]string{}},
	{"processors", "otelcol_processor_refused_*", "items were refused", [2]string{}},
}

// collector follows the Collector's own metrics.
type collector struct {
	client *http.Client
	url    string

	mu       sync.Mutex
	read     time.Time // When they were last read; zero: never.
	failed   error
	counters map[string]*counter // By metric and labels.
	queues   map[string]*queue   // By exporter and signal.
}

// counter is one that is followed.
type counter struct {
	metric string
	labels map[string]string
	value  float64
	grew   time.Time // When it last did, zero if it was not seen to.
}

type queue struct{ size, capacity float64 }

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
	r.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	res, err := c.client.Do(r)
	if err != nil {
		return nil, webclient.RedactError(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(res.Body, maxCollectorText))
	return families, webclient.RedactError(err)
}

// take follows what has come.
func (c *collector) take(families map[string]*dto.MetricFamily, now time.Time) {
	first := c.read.IsZero()
	c.read = now
	if c.counters == nil {
		c.counters = map[string]*counter{}
	}
	c.queues = map[string]*queue{}
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
				key := labels["exporter"] + " " + labels["data_type"]
				if c.queues[key] == nil {
					c.queues[key] = &queue{}
				}
				if strings.HasSuffix(name, "_size") {
					c.queues[key].size = m.Gauge.GetValue()
				} else {
					c.queues[key].capacity = m.Gauge.GetValue()
				}
			}
		}
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

// checks says how the Collector is. Nothing, where its metrics are not configured.
func (c *collector) checks(now time.Time) []healthCheck {
	if c.client == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.failed != nil:
		return []healthCheck{{Name: "collector", Status: statusDegraded, Message: "its own metrics can't be read: " + c.failed.Error()}}
	case c.read.IsZero():
		return []healthCheck{{Name: "collector", Status: statusOK, Message: "its own metrics have not been read yet"}}
	}
	return append(c.exporterChecks(now), c.troubleChecks(now)...)
}

// exporterState is what is known of one exporter.
type exporterState struct {
	sent, failed, refused float64
	lastSent, lastFailed  time.Time
	queue                 queue
}

// exporterChecks has one check for each exporter.
func (c *collector) exporterChecks(now time.Time) []healthCheck {
	states := map[string]*exporterState{}
	of := func(name string) *exporterState {
		if states[name] == nil {
			states[name] = &exporterState{}
		}
		return states[name]
	}
	for _, x := range c.counters {
		name := x.labels["exporter"]
		if name == "" {
			continue
		}
		s := of(name)
		switch {
		case strings.HasPrefix(x.metric, "otelcol_exporter_sent_"):
			s.sent += x.value
			s.lastSent = later(s.lastSent, x.grew)
		case strings.HasPrefix(x.metric, "otelcol_exporter_send_failed_"):
			s.failed += x.value
			s.lastFailed = later(s.lastFailed, x.grew)
		case strings.HasPrefix(x.metric, "otelcol_exporter_enqueue_failed_"):
			s.refused += x.value
			s.lastFailed = later(s.lastFailed, x.grew)
		}
	}
	for key, q := range c.queues {
		name, _, _ := strings.Cut(key, " ")
		s := of(name)
		s.queue.size, s.queue.capacity = s.queue.size+q.size, s.queue.capacity+q.capacity
	}
	var out []healthCheck
	for _, name := range slices.Sorted(maps.Keys(states)) {
		out = append(out, states[name].check(name, now))
	}
	return out
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (s *exporterState) check(name string, now time.Time) healthCheck {
	out := healthCheck{Name: "exporter " + name, Status: statusOK}
	var parts []string
	switch {
	case !s.lastSent.IsZero():
		parts = append(parts, fmt.Sprintf("last success %s ago", now.Sub(s.lastSent).Round(time.Second)))
	case s.sent == 0:
		parts = append(parts, "nothing sent yet")
	}
	if s.queue.capacity > 0 {
		parts = append(parts, fmt.Sprintf("queue %.0f of %.0f", s.queue.size, s.queue.capacity))
	}
	if s.failed > 0 {
		parts = append(parts, fmt.Sprintf("%.0f items given up", s.failed))
	}
	if s.refused > 0 {
		parts = append(parts, fmt.Sprintf("%.0f items lost, for the queue was full", s.refused))
	}
	out.Message = strings.Join(parts, "; ")
	switch {
	case !s.lastFailed.IsZero() && now.Sub(s.lastFailed) < recent, s.queue.size > 0 && (s.lastSent.IsZero() || now.Sub(s.lastSent) > stalled):
		out.Status = statusDegraded
	}
	return out
}

// troubleChecks has one check for each name among the troubles: what has happened lately, with where.
func (c *collector) troubleChecks(now time.Time) []healthCheck {
	var out []healthCheck
	for _, t := range troubles {
		i := slices.IndexFunc(out, func(h healthCheck) bool { return h.Name == t.check })
		if i < 0 {
			out = append(out, healthCheck{Name: t.check, Status: statusOK, Message: "no trouble in the last 5m"})
			i = len(out) - 1
		}
		count, newest, where := 0.0, time.Time{}, []string(nil)
		for _, x := range c.counters {
			if !t.counts(x) || x.grew.IsZero() || now.Sub(x.grew) > recent {
				continue
			}
			count += x.value
			newest = later(newest, x.grew)
			if text := labelText(x.labels); text != "" {
				where = append(where, text)
			}
		}
		if count == 0 {
			continue
		}
		slices.Sort(where)
		text := fmt.Sprintf("%.0f %s", count, t.text)
		if len(where) > 0 {
			text += " (" + strings.Join(where[:min(len(where), 3)], "; ") + ")"
		}
		if out[i].Status == statusOK {
			out[i].Message = text
		} else {
			out[i].Message += "; " + text
		}
		at := newest.UnixMicro()
		out[i].Status, out[i].Since = statusDegraded, since(at)
	}
	return out
}

func (t *trouble) counts(x *counter) bool {
	if prefix, wild := strings.CutSuffix(t.metric, "*"); wild && !strings.HasPrefix(x.metric, prefix) || !wild && x.metric != t.metric {
		return false
	}
	return t.except[0] == "" || x.labels[t.except[0]] != t.except[1]
}

// labelText says which component or file it is.
func labelText(labels map[string]string) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if v := labels[key]; v != "" && !strings.HasPrefix(key, "otel_scope") && key != "transport" {
			out = append(out, key+" "+v)
		}
	}
	return short(strings.Join(out, ", "))
}

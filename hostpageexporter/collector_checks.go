package hostpageexporter

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// trouble is a counter of the Collector or its components that only grows when something is wrong.
type trouble struct {
	check  string
	metric string // Without the suffix _total, which telemetry may add.
	text   string // What happened, behind the number.
	// except is a label and the value with which the counter counts what is right, or what another trouble tells; only is one that it must have.
	except, only [2]string
	// usual is not wrong by itself: it is told, and the agent is well.
	usual bool
}

// troubles are all that are looked at, besides exporters. Metrics with the names of signals are named by their beginning, up to "*".
var troubles = []trouble{
	{check: "reading the host", metric: "otelcol_psutil_files_unreadable", text: "reads of kernel files failed"},
	{check: "reading the host", metric: "otelcol_psutil_process_reads_failed", text: "files of processes could not be read", except: denied},
	{check: "reading the host", metric: "otelcol_psutil_process_reads_failed", text: "files of processes may not be read by this user", only: denied, usual: true},
	{check: "reading the host", metric: "otelcol_psutil_scrapes_late", text: "scrapes were late"},
	{check: "reading the host", metric: "otelcol_psutil_samples_late", text: "samples were late"},
	{check: "reading the host", metric: "otelcol_scraper_errored_metric_points", text: "points could not be read"},
	{check: "alerts", metric: "otelcol_alert_rule_errors", text: "evaluations of rules failed"},
	{check: "alerts", metric: "otelcol_alert_outbox_undelivered", text: "records were not delivered at a stop"},
	{check: "alerts", metric: "otelcol_alert_outbox_dropped", text: "records gave way in the outbox"},
	{check: "alerts", metric: "otelcol_alert_delivery_attempts", text: "deliveries of records failed", except: [2]string{"outcome", "accepted"}},
	{check: "alerts", metric: "otelcol_alertmanager_requests", text: "requests to Alertmanager failed", except: [2]string{"outcome", "accepted"}},
	{check: "alerts", metric: "otelcol_notify_messages", text: "attempts to tell people failed", except: [2]string{"outcome", "accepted"}},
	{check: "receivers", metric: "otelcol_receiver_refused_*", text: "items were refused"},
	{check: "receivers", metric: "otelcol_receiver_failed_*", text: "items failed"},
	{check: "processors", metric: "otelcol_processor_refused_*", text: "items were refused"},
}

// denied is the reason of a file that another user owns: an agent that is not root meets it with each process.
var denied = [2]string{"reason", "denied"}

// waiting are gauges that are 0 when all is well, and for how long they may be anything else.
var waiting = []struct {
	check, metric, text string
	allowed             time.Duration
}{
	{"reading the host", "otelcol_psutil_stuck_mounts", "mounts do not answer", 0},
	{"alerts", "otelcol_alert_outbox_size", "records wait for delivery", stalled},
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
		if !q.since.IsZero() && (s.queue.since.IsZero() || q.since.Before(s.queue.since)) {
			s.queue.since = q.since
		}
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
		text := fmt.Sprintf("queue %.0f of %.0f", s.queue.size, s.queue.capacity)
		if age := now.Sub(s.queue.since); !s.queue.since.IsZero() && age > 0 {
			text += fmt.Sprintf(", not empty for %s", age.Round(time.Second))
		}
		parts = append(parts, text)
	}
	if s.failed > 0 {
		parts = append(parts, fmt.Sprintf("%.0f items given up", s.failed))
	}
	if s.refused > 0 {
		parts = append(parts, fmt.Sprintf("%.0f items lost, for the queue was full or its storage failed", s.refused))
	}
	out.Message = strings.Join(parts, "; ")
	// Without a success that was seen, a queue has time to be emptied.
	idle := s.lastSent
	if idle.IsZero() {
		idle = s.queue.since
	}
	switch {
	case s.queue.size > 0 && now.Sub(idle) > stalled:
		out.Status, out.Since = statusDegraded, since(idle.UnixMicro())
	case !s.lastFailed.IsZero() && now.Sub(s.lastFailed) < recent:
		out.Status, out.Since = statusDegraded, since(s.lastFailed.UnixMicro())
	}
	return out
}

// troubleChecks has one check for each name among the troubles: what has happened lately, with where, and what waits.
func (c *collector) troubleChecks(now time.Time) []healthCheck {
	var out []healthCheck
	tell := func(check, text string, at time.Time, usual bool) {
		i := slices.IndexFunc(out, func(h healthCheck) bool { return h.Name == check })
		if i < 0 {
			out = append(out, healthCheck{Name: check, Status: statusOK})
			i = len(out) - 1
		}
		if text == "" {
			return
		}
		if out[i].Message != "" {
			out[i].Message += "; "
		}
		out[i].Message += text
		if !usual {
			out[i].Status, out[i].Since = statusDegraded, since(at.UnixMicro())
		}
	}
	for i := range troubles {
		text, newest := c.happened(&troubles[i], now)
		tell(troubles[i].check, text, newest, troubles[i].usual)
	}
	for _, w := range waiting {
		if x := c.waits[w.metric]; x != nil && !x.since.IsZero() && now.Sub(x.since) >= w.allowed {
			tell(w.check, fmt.Sprintf("%.0f %s, for %s", x.value, w.text, now.Sub(x.since).Round(time.Second)), x.since, false)
		}
	}
	for i := range out {
		if out[i].Message == "" {
			out[i].Message = "no trouble in the last 5m"
		}
	}
	return out
}

// mostNamed is how many of those that something is true of a message names.
const mostNamed = 10

// happened says what has happened lately of a trouble, with where, and when last.
func (c *collector) happened(t *trouble, now time.Time) (text string, newest time.Time) {
	count, where := 0.0, []string(nil)
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
		return "", newest
	}
	slices.Sort(where)
	text = fmt.Sprintf("%.0f %s", count, t.text)
	if len(where) > 0 {
		named := strings.Join(where[:min(len(where), mostNamed)], "; ")
		if more := len(where) - mostNamed; more > 0 {
			named += fmt.Sprintf("; and %d more", more)
		}
		text += " (" + named + ")"
	}
	return text, newest
}

func (t *trouble) counts(x *counter) bool {
	if prefix, wild := strings.CutSuffix(t.metric, "*"); wild && !strings.HasPrefix(x.metric, prefix) || !wild && x.metric != t.metric {
		return false
	}
	if t.only[0] != "" && x.labels[t.only[0]] != t.only[1] {
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

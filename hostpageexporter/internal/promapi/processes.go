package promapi

import (
	"math"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// processMetric is a metric that is read from the tables of processes. Its name, unit and attributes are those of the receiver.
type processMetric struct {
	name, unit, help string
	kind             history.Kind
	direction        string // The attribute disk.io.direction, if it has one.
	of               func(*history.Usage) float64
}

var processMetrics = []processMetric{
	{"process.cpu.time", "s", "CPU seconds of a process", history.Counter, "", func(u *history.Usage) float64 { return u.CPU }},
	{"process.children.cpu.time", "s", "CPU seconds of children that have ended", history.Counter, "", func(u *history.Usage) float64 { return u.Children }},
	{"process.memory.usage", "By", "Resident memory of a process", history.Gauge, "", func(u *history.Usage) float64 { return u.Memory }},
	{"process.disk.io", "By", "Bytes that a process read", history.Counter, "read", func(u *history.Usage) float64 { return u.Read }},
	{"process.disk.io", "By", "Bytes that a process wrote", history.Counter, "write", func(u *history.Usage) float64 { return u.Write }},
	{"process.thread.count", "{thread}", "Threads of a process", history.Gauge, "", func(u *history.Usage) float64 { return u.Threads }},
}

func (m *processMetric) prometheusName() string { return metricName(m.name, m.unit, m.kind) }

func (m *processMetric) kindName() string {
	if m.kind == history.Counter {
		return "counter"
	}
	return "gauge"
}

// processKey tells processes and groups apart.
type processKey struct {
	pid, created int64
	group        string
}

// processSeries is one series that is made of tables.
type processSeries struct {
	labels  labels.Labels
	wanted  bool
	total   float64
	missing bool // In the newest table.
	samples sampleList
}

// processSamples makes series of the tables of a time. Tables have changes a second; a counter adds them up from 0.
func (q *querier) processSamples(hints *storage.SelectHints, matchers []*labels.Matcher) ([]storage.Series, error) {
	var wanted []*processMetric
	for i := range processMetrics {
		if namesMatch(matchers, processMetrics[i].prometheusName()) {
			wanted = append(wanted, &processMetrics[i])
		}
	}
	if len(wanted) == 0 || !q.index.hasTables {
		return nil, nil
	}
	var out []storage.Series
	all := make([]map[processKey]*processSeries, len(wanted))
	for i := range all {
		all[i] = map[processKey]*processSeries{}
	}
	count := 0
	for t := q.store.Table(hints.Start * 1000); ; t = q.store.Table(t.Next) {
		if t.Time != 0 && t.Time >= hints.Start*1000 {
			if count += (len(t.Rows) + len(t.Groups)) * len(wanted); count > maxSamples {
				return nil, errTooMuch
			}
			for i, m := range wanted {
				q.addTable(m, all[i], &t, matchers)
			}
		}
		if t.Time == 0 && t.Next == 0 {
			t.Next = q.store.TableAfter(hints.Start * 1000)
		}
		if t.Next == 0 || t.Next > hints.End*1000 {
			break
		}
	}
	for _, series := range all {
		for _, s := range series {
			if s.wanted {
				out = append(out, s.samples.series(s.labels))
			}
		}
	}
	return out, nil
}

// addTable adds a table to the series of a metric.
func (q *querier) addTable(m *processMetric, all map[processKey]*processSeries, t *history.Table, matchers []*labels.Matcher) {
	seen := make(map[processKey]bool, len(t.Rows)+len(t.Groups))
	add := func(key processKey, describe func() []labels.Label, u *history.Usage) {
		v := m.of(u)
		if math.IsNaN(v) {
			return
		}
		seen[key] = true
		s := all[key]
		if s == nil {
			s = &processSeries{missing: true, labels: labelsOf(m.prometheusName(), m.labels(describe()), q.index.host)}
			s.wanted = matches(matchers, s.labels)
			all[key] = s
		}
		if !s.wanted {
			return
		}
		if m.kind == history.Counter {
			if s.missing && t.Previous != 0 {
				s.samples.add(t.Previous, s.total)
			}
			if t.Previous != 0 {
				s.total += v * float64(t.Time-t.Previous) / 1e6
			}
			v = s.total
		}
		s.missing = false
		s.samples.add(t.Time, v)
	}
	for i := range t.Rows {
		r := &t.Rows[i]
		add(processKey{pid: r.Pid, created: r.Created}, func() []labels.Label { return describe(&r.Process) }, &r.Usage)
	}
	for i := range t.Groups {
		g := &t.Groups[i]
		add(processKey{group: g.Name}, func() []labels.Label { return []labels.Label{{Name: "process_group_name", Value: g.Name}} }, &g.Usage)
	}
	for key, s := range all {
		if !seen[key] && !s.missing {
			s.missing = true
			s.samples.add(t.Time, staleMarker)
		}
	}
}

func (m *processMetric) labels(own []labels.Label) []labels.Label {
	if m.direction != "" {
		own = append(own, labels.Label{Name: "disk_io_direction", Value: m.direction})
	}
	return own
}

// describe are the labels of a process.
func describe(p *history.Process) []labels.Label {
	out := []labels.Label{{Name: "process_pid", Value: strconv.FormatInt(p.Pid, 10)}}
	for _, l := range []labels.Label{
		{Name: "process_executable_name", Value: p.Name}, {Name: "process_owner", Value: p.User}, {Name: "container_id", Value: p.Container},
	} {
		if l.Value != "" {
			out = append(out, l)
		}
	}
	return out
}

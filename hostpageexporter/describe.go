package hostpageexporter

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertcontext"
)

const (
	// describedTime is the time before an alert that is described, in describedPoints parts.
	describedTime   = time.Hour
	describedPoints = 60
	// describedProcesses and describedChanges bound what is named.
	describedProcesses = 5
	describedChanges   = 5
	// describedSeries is of how many series the values are read: an alert of more is about all of them, and one line says little.
	describedSeries = 64
)

// Describe says what the history has around an alert: the last hour of its series, and the processes and series of the moment at which it began.
func (p *page) Describe(ctx context.Context, a alertcontext.Alert) (alertcontext.Context, bool) {
	store := p.store.Load()
	if store == nil {
		return alertcontext.Context{}, false
	}
	catalogue := store.Catalogue(p.now())
	c := alertcontext.Context{From: a.Until.Add(-describedTime), Until: a.Until}
	if m, ids := seriesOf(&catalogue, &a, a.Metric); len(ids) > 0 && (m.ValueUnit == a.Unit || a.Unit != "1") {
		c.Metric, c.Unit = m.Name, m.ValueUnit
		c.Values = hourOf(store, ids, &c, a.LowIsBad)
	} else if a.Unit == "1" && ctx.Err() == nil {
		c.Metric, c.Unit = a.Metric, a.Unit
		c.Values = shareOf(store, &catalogue, &a, &c)
	}
	if isOfHost(&catalogue, &a) && ctx.Err() == nil {
		c.Processes = processesAt(store, a.Started, strings.Contains(a.Metric, "memory") || strings.Contains(a.Metric, "paging"))
		if kept, ok := store.Kept(a.Episode); ok {
			c.Moved = changesOf(&catalogue, kept.Series)
		}
	}
	return c, c.Values != nil || c.Processes != nil || c.Moved != nil
}

// seriesOf returns a metric and the series of it that an alert is about: those of its resource that have the attributes of its group.
func seriesOf(c *history.Catalogue, a *alertcontext.Alert, name string) (*history.MetricState, []uint32) {
	for i := range c.Metrics {
		m := &c.Metrics[i]
		if m.Name != name {
			continue
		}
		var ids []uint32
		for j := range m.Series {
			if s := &m.Series[j]; hasAll(a.Resource, c.Resources[s.Resource], nil, nil) && hasAll(a.Group, c.Resources[s.Resource], m.Keys, s.Values) {
				ids = append(ids, s.ID)
			}
		}
		if len(ids) > 0 && len(ids) <= describedSeries {
			return m, ids
		}
	}
	return nil, nil
}

// hasAll tells whether a series has the attributes, of its own or of its resource.
func hasAll(want map[string]string, resource []history.Attribute, keys []string, values []*string) bool {
	for key, value := range want {
		if i := slices.Index(keys, key); i >= 0 && i < len(values) && values[i] != nil {
			if *values[i] != value {
				return false
			}
			continue
		}
		i := slices.IndexFunc(resource, func(x history.Attribute) bool { return x.Key == key })
		if i < 0 || resource[i].Value != value {
			return false
		}
	}
	return true
}

// isOfHost tells whether an alert is about the host whose processes are known.
func isOfHost(c *history.Catalogue, a *alertcontext.Alert) bool {
	const hostName = "host.name"
	if !c.HasTables || c.Host < 0 {
		return false
	}
	i := slices.IndexFunc(c.Resources[c.Host], func(x history.Attribute) bool { return x.Key == hostName })
	return i < 0 || a.Resource[hostName] == "" || c.Resources[c.Host][i].Value == a.Resource[hostName]
}

// hourOf reads the values of the series, of several the worst of each time.
func hourOf(store *history.Store, ids []uint32, c *alertcontext.Context, lowIsBad bool) []float64 {
	r := hourReader{from: c.From.UnixMicro(), length: c.Until.Sub(c.From).Microseconds(), low: lowIsBad, values: make([]float64, describedPoints)}
	for i := range r.values {
		r.values[i] = math.NaN()
	}
	err := store.Range(history.Query{
		Selection: history.Selection{IDs: ids}, From: c.From.UnixMicro(), To: c.Until.UnixMicro() + 1, Width: 4 * describedPoints,
	}, &r)
	if err != nil || !r.some {
		return nil
	}
	bridge(r.values)
	return r.values
}

// bridgedParts is how many parts without a value in a row are only the time between two scrapes.
const bridgedParts = 2

// bridge lets a value last over the parts that lie between it and the next one, where these are few.
func bridge(values []float64) {
	last := -1
	for i, v := range values {
		if math.IsNaN(v) {
			continue
		}
		if last >= 0 && i-last-1 <= bridgedParts {
			for j := last + 1; j < i; j++ {
				values[j] = values[last]
			}
		}
		last = i
	}
}

// hourReader sorts values into equal parts of a time.
type hourReader struct {
	from, length int64
	low, some    bool
	times        []int64
	values       []float64
}

// Plan is of no interest.
func (*hourReader) Plan(history.Plan) {}

// Group takes the times of the series that follow.
func (r *hourReader) Group(_ int, times []int64) { r.times = append(r.times[:0], times...) }

// Series keeps the worst value of each part.
func (r *hourReader) Series(v *history.Values) {
	worst := v.Max
	if r.low {
		worst = v.Min
	}
	if worst == nil {
		worst = v.Avg
	}
	for i, x := range worst {
		at := (r.times[i] - r.from) * int64(len(r.values)) / r.length
		if math.IsNaN(x) || at < -1 || at > int64(len(r.values)) {
			continue
		}
		at = min(max(at, 0), int64(len(r.values))-1) // A bucket may begin a little before the hour.
		r.some = true
		if old := r.values[at]; math.IsNaN(old) || (x > old) != r.low {
			r.values[at] = x
		}
	}
}

// processesAt returns the processes that took the most of the CPU, or of the memory, at a time.
func processesAt(store *history.Store, at time.Time, byMemory bool) []alertcontext.Process {
	table := store.Table(at.UnixMicro())
	if table.Time == 0 || at.UnixMicro()-table.Time > describedTime.Microseconds() {
		return nil
	}
	known := func(v float64) float64 {
		if math.IsNaN(v) {
			return 0
		}
		return v
	}
	slices.SortStableFunc(table.Rows, func(a, b history.Row) int {
		cpu, memory := cmp.Compare(known(b.CPU), known(a.CPU)), cmp.Compare(known(b.Memory), known(a.Memory))
		if byMemory {
			return cmp.Or(memory, cpu)
		}
		return cmp.Or(cpu, memory)
	})
	var out []alertcontext.Process
	for i := range table.Rows[:min(len(table.Rows), describedProcesses)] {
		r := &table.Rows[i]
		out = append(out, alertcontext.Process{Name: r.Name, Pid: r.Pid, CPU: r.CPU, Memory: r.Memory})
	}
	return out
}

// changesOf names the series that moved most.
func changesOf(c *history.Catalogue, changes []history.SeriesChange) []alertcontext.Change {
	out := make([]alertcontext.Change, 0, describedChanges)
	for _, x := range changes[:min(len(changes), describedChanges)] {
		for i := range c.Metrics {
			m := &c.Metrics[i]
			j := slices.IndexFunc(m.Series, func(s history.SeriesState) bool { return s.ID == x.ID })
			if j < 0 {
				continue
			}
			var part []string
			for _, v := range m.Series[j].Values {
				if v != nil && *v != "" {
					part = append(part, *v)
				}
			}
			out = append(out, alertcontext.Change{Metric: m.Name, Part: strings.Join(part, " "), Unit: m.ValueUnit, Before: x.Before, After: x.After})
		}
	}
	return out
}

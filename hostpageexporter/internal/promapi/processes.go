package promapi

import (
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// processMetric is a metric that is read from the tables of processes.
type processMetric struct {
	tableMetric
	of func(*history.Usage) float64
}

var processMetrics = []processMetric{
	{rate("process.cpu.time", "s", "CPU seconds of a process"), func(u *history.Usage) float64 { return u.CPU }},
	{rate("process.children.cpu.time", "s", "CPU seconds of children that have ended"), func(u *history.Usage) float64 { return u.Children }},
	{level("process.memory.usage", "By", "Resident memory of a process"), func(u *history.Usage) float64 { return u.Memory }},
	{rate("process.disk.io", "By", "Bytes that a process read").with("disk.io.direction", "read"), func(u *history.Usage) float64 { return u.Read }},
	{rate("process.disk.io", "By", "Bytes that a process wrote").with("disk.io.direction", "write"), func(u *history.Usage) float64 { return u.Write }},
	{level("process.thread.count", "{thread}", "Threads of a process"), func(u *history.Usage) float64 { return u.Threads }},
}

// processKey tells processes and groups apart.
type processKey struct {
	pid, created int64
	group        string
}

// processSamples makes series of the tables of processes of a time.
func (q *querier) processSamples(hints *storage.SelectHints, matchers []*labels.Matcher) ([]storage.Series, error) {
	var wanted []*processMetric
	var all []*tableSeries[processKey]
	for i := range processMetrics {
		if m := &processMetrics[i]; namesMatch(matchers, m.prometheusName()) {
			wanted, all = append(wanted, m), append(all, newTableSeries[processKey](&m.tableMetric, matchers, q.index.host))
		}
	}
	if len(wanted) == 0 || !q.index.hasTables {
		return nil, nil
	}
	count := 0
	for t := q.store.Table(hints.Start * 1000); ; t = q.store.Table(t.Next) {
		if t.Time != 0 && t.Time >= hints.Start*1000 {
			if count += (len(t.Rows) + len(t.Groups)) * len(wanted); count > maxSamples {
				return nil, errTooMuch
			}
			for i, m := range wanted {
				addProcesses(all[i], m, &t)
			}
		}
		if t.Time == 0 && t.Next == 0 {
			t.Next = q.store.TableAfter(hints.Start * 1000)
		}
		if t.Next == 0 || t.Next > hints.End*1000 {
			return allSeries(all), nil
		}
	}
}

func addProcesses(to *tableSeries[processKey], m *processMetric, t *history.Table) {
	to.begin(t.Previous, t.Time)
	for i := range t.Rows {
		r := &t.Rows[i]
		to.add(processKey{pid: r.Pid, created: r.Created}, m.of(&r.Usage), func() []labels.Label { return describe(&r.Process) })
	}
	for i := range t.Groups {
		g := &t.Groups[i]
		to.add(processKey{group: g.Name}, m.of(&g.Usage), func() []labels.Label { return []labels.Label{{Name: "process_group_name", Value: g.Name}} })
	}
	to.end()
}

// describe are the labels of a process.
func describe(p *history.Process) []labels.Label {
	return known([]labels.Label{
		{Name: "process_pid", Value: strconv.FormatInt(p.Pid, 10)},
		{Name: "process_executable_name", Value: p.Name},
		{Name: "process_owner", Value: p.User},
		{Name: "container_id", Value: p.Container},
	})
}

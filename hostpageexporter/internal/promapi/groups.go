package promapi

import (
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// groupMetric is a metric that is read from the tables of control groups.
type groupMetric struct {
	tableMetric
	of func(*history.GroupUsage) float64
}

var groupMetrics = []groupMetric{
	{rate("container.cpu.time", "s", "CPU seconds of a group"), func(u *history.GroupUsage) float64 { return u.CPU }},
	{level("container.cpu.usage", "{cpu}", "CPUs that a group used"), func(u *history.GroupUsage) float64 { return u.CPU }},
	{level("container.cpu.limit", "{cpu}", "CPUs that a group may use at most"), func(u *history.GroupUsage) float64 { return u.CPULimit }},
	{level("container.cpu.limit.utilization", "1", "Share of its limit of CPU time that a group used"), func(u *history.GroupUsage) float64 { return share(u.CPU, u.CPULimit) }},
	{rate("container.cpu.throttling_data.periods", "{period}", "Periods of its CPU limit in which a group ran"), func(u *history.GroupUsage) float64 { return u.Periods }},
	{
		rate("container.cpu.throttling_data.throttled_periods", "{period}", "Periods in which a group used up its CPU time"),
		func(u *history.GroupUsage) float64 { return u.Periods * u.Throttled },
	},
	{level("container.memory.working_set", "By", "Memory of a group less the inactive part of its page cache"), func(u *history.GroupUsage) float64 { return u.Memory }},
	{level("container.memory.usage.limit", "By", "Memory that a group may use at most"), func(u *history.GroupUsage) float64 { return u.MemoryLimit }},
	{level("container.memory.available", "By", "Limit of memory of a group less its working set"), func(u *history.GroupUsage) float64 { return u.MemoryLimit - u.Memory }},
	{level("container.memory.limit.utilization", "1", "Share of its limit of memory that the working set of a group is"), func(u *history.GroupUsage) float64 { return share(u.Memory, u.MemoryLimit) }},
	{rate("container.disk.io", "By", "Bytes that a group read").with("disk.io.direction", "read"), func(u *history.GroupUsage) float64 { return u.Read }},
	{rate("container.disk.io", "By", "Bytes that a group wrote").with("disk.io.direction", "write"), func(u *history.GroupUsage) float64 { return u.Write }},
	{
		total("container.memory.linux.events", "{event}", "Processes of a group that were killed for lack of memory").with("linux.cgroup.memory.event", "oom_kill"),
		func(u *history.GroupUsage) float64 { return u.OOMKills },
	},
}

// share is NaN of a limit that is not known, or that nothing can be a share of.
func share(part, limit float64) float64 {
	if limit <= 0 {
		return math.NaN()
	}
	return part / limit
}

// groupSamples makes series of the tables of control groups of a time.
func (q *querier) groupSamples(hints *storage.SelectHints, matchers []*labels.Matcher) ([]storage.Series, error) {
	var wanted []*groupMetric
	var all []*tableSeries[history.ControlGroup]
	for i := range groupMetrics {
		if m := &groupMetrics[i]; namesMatch(matchers, m.prometheusName()) {
			wanted, all = append(wanted, m), append(all, newTableSeries[history.ControlGroup](&m.tableMetric, matchers, q.index.host))
		}
	}
	if len(wanted) == 0 || !q.index.hasGroups {
		return nil, nil
	}
	count := 0
	for t := q.store.ControlGroups(hints.Start * 1000); ; t = q.store.ControlGroups(t.Next) {
		if t.Time != 0 && t.Time >= hints.Start*1000 {
			if count += len(t.Rows) * len(wanted); count > maxSamples {
				return nil, errTooMuch
			}
			for i, m := range wanted {
				all[i].begin(t.Previous, t.Time)
				for j := range t.Rows {
					r := &t.Rows[j]
					all[i].add(r.ControlGroup, m.of(&r.GroupUsage), func() []labels.Label { return describeGroup(&r.ControlGroup) })
				}
				all[i].end()
			}
		}
		if t.Next == 0 || t.Next > hints.End*1000 {
			return allSeries(all), nil
		}
	}
}

// describeGroup are the labels of a control group.
func describeGroup(g *history.ControlGroup) []labels.Label {
	return known([]labels.Label{
		{Name: "linux_cgroup_path", Value: g.Path},
		{Name: "container_name", Value: g.Container},
		{Name: "container_id", Value: g.ContainerID},
		{Name: "container_image_name", Value: g.Image},
		{Name: "container_runtime_name", Value: g.Runtime},
		{Name: "systemd_unit_name", Value: g.Unit},
		{Name: "k8s_pod_name", Value: g.Pod},
		{Name: "k8s_namespace_name", Value: g.Namespace},
		{Name: "k8s_container_name", Value: g.PodContainer},
	})
}

package hostpageexporter

import (
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// groupPath is the resource attribute that every control group has.
const groupPath = "linux.cgroup.path"

// describesGroup tells whether a resource is a control group, as the psutil receiver has them.
func describesGroup(attributes pcommon.Map) bool {
	_, ok := attributes.Get(groupPath)
	return ok
}

// ofGroup names the resource attributes that are of a control group, not of its host.
func ofGroup(key string) bool {
	switch key {
	case groupPath, "k8s.pod.uid", "k8s.pod.name", "k8s.namespace.name", "k8s.container.name", "systemd.unit.name", "systemd.slice":
		return true
	default:
		return strings.HasPrefix(key, "container.")
	}
}

// group takes what is said of a control group as a row of the table of its time. Metrics of other names are left to be series: true if there are any.
func (p *push) group(rm pmetric.ResourceMetrics) (others bool) {
	attributes := rm.Resource().Attributes()
	nan := math.NaN()
	sample := history.GroupSample{
		ControlGroup: identifyGroup(attributes), CPU: nan, Periods: nan, ThrottledPeriods: nan, Read: nan, Write: nan, OOMKills: nan, Usage: nan,
		CPULimit: nan, Memory: nan, MemoryLimit: nan,
	}
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			if isOfGroup(m) {
				readGroupMetric(&sample, m)
			} else {
				others = true
			}
		}
	}
	if sample.Time == 0 {
		return others
	}
	host, ok := p.Resource(p.setKey(attributes, ofGroup), func() []history.Attribute { return texts(attributes, ofGroup) })
	if !ok {
		p.beyond++
		return others
	}
	p.ControlGroup(host, &sample)
	return others
}

// isOfGroup tells whether a metric is kept in the table of groups, or left out of the history because its group has a row there.
func isOfGroup(m pmetric.Metric) bool { return strings.HasPrefix(m.Name(), "container.") }

func identifyGroup(attributes pcommon.Map) history.ControlGroup {
	text := func(key string) string {
		if v, ok := attributes.Get(key); ok {
			return v.AsString()
		}
		return ""
	}
	return history.ControlGroup{
		Path: text(groupPath), Container: text("container.name"), ContainerID: text("container.id"), Image: text("container.image.name"),
		Runtime: text("container.runtime.name"), Unit: text("systemd.unit.name"), Pod: text("k8s.pod.name"), Namespace: text("k8s.namespace.name"),
		PodContainer: text("k8s.container.name"),
	}
}

// readGroupMetric puts a metric of a control group into its sample. Others than those that the table shows are left alone.
func readGroupMetric(s *history.GroupSample, m pmetric.Metric) {
	var points pmetric.NumberDataPointSlice
	delta := false
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		points = m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		points = m.Sum().DataPoints()
		delta = m.Sum().IsMonotonic() && m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	default:
		return
	}
	for _, dp := range points.All() {
		to := groupValue(s, m.Name(), dp.Attributes())
		if to == nil || dp.Flags().NoRecordedValue() {
			continue
		}
		if t := int64(dp.Timestamp()); t > s.Time {
			s.Time = t
		}
		if m.Name() == "container.cpu.time" {
			s.Start = int64(dp.StartTimestamp())
		}
		s.Delta = s.Delta || delta
		if math.IsNaN(*to) {
			*to = 0
		}
		*to += number(dp)
	}
}

// groupValue is where a point of a metric goes; nil if it is not shown.
func groupValue(s *history.GroupSample, metric string, attributes pcommon.Map) *float64 {
	is := func(key, value string) bool {
		v, ok := attributes.Get(key)
		return ok && v.AsString() == value
	}
	switch metric {
	case "container.cpu.time":
		return &s.CPU
	case "container.cpu.usage":
		return &s.Usage
	case "container.cpu.limit":
		return &s.CPULimit
	case "container.cpu.throttling_data.periods":
		return &s.Periods
	case "container.cpu.throttling_data.throttled_periods":
		return &s.ThrottledPeriods
	case "container.memory.working_set":
		return &s.Memory
	case "container.memory.usage.limit":
		return &s.MemoryLimit
	case "container.disk.io":
		if is("disk.io.direction", "read") {
			return &s.Read
		}
		return &s.Write
	case "container.memory.linux.events":
		if is("linux.cgroup.memory.event", "oom_kill") {
			return &s.OOMKills
		}
	}
	return nil
}

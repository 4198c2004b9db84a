package hostpageexporter

import (
	"math"
	"path"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// process takes a resource that is a process, or a group, as a row of the table of its time.
func (p *push) process(rm pmetric.ResourceMetrics) {
	attributes := rm.Resource().Attributes()
	host, ok := p.Resource(p.setKey(attributes, ofProcess), func() []history.Attribute { return texts(attributes, ofProcess) })
	if !ok {
		p.beyond++
		return
	}
	unknown := math.NaN()
	sample := history.ProcessSample{
		Process: identify(attributes), CPU: unknown, Children: unknown, Read: unknown, Write: unknown, Utilization: unknown, Memory: unknown,
		Threads: unknown,
	}
	if group, ok := attributes.Get("process.group.name"); ok {
		sample.Group = group.AsString()
	}
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			readProcessMetric(&sample, m)
		}
	}
	if sample.Time != 0 {
		p.Process(host, &sample)
	}
}

// identify reads who a process is.
func identify(attributes pcommon.Map) history.Process {
	text := func(key string) string {
		if v, ok := attributes.Get(key); ok {
			return v.AsString()
		}
		return ""
	}
	integer := func(key string) int64 {
		v, _ := attributes.Get(key)
		if v.Type() == pcommon.ValueTypeInt {
			return v.Int()
		}
		return 0
	}
	out := history.Process{
		Name: text("process.executable.name"), User: text("process.owner"), Container: text("container.id"), CommandLine: text("process.command_line"),
	}
	if _, ok := attributes.Get("process.pid"); ok {
		out.Pid = integer("process.pid")
	}
	if _, ok := attributes.Get("process.parent_pid"); ok {
		out.Parent = integer("process.parent_pid")
	}
	if t, err := time.Parse(time.RFC3339Nano, text("process.creation.time")); err == nil {
		out.Created = t.UnixMilli()
	}
	out.Unit, out.ControlGroup = text("systemd.unit.name"), text(groupPath)
	if out.Unit == "" {
		out.Unit = unitOf(text("process.linux.cgroup"))
	}
	return out
}

// unitOf is the systemd unit that a control group belongs to, empty if it is none's.
func unitOf(cgroup string) string {
	for cgroup != "" && cgroup != "/" && cgroup != "." {
		if base := path.Base(cgroup); strings.HasSuffix(base, ".service") || strings.HasSuffix(base, ".scope") {
			return base
		}
		cgroup = path.Dir(cgroup)
	}
	return ""
}

// readProcessMetric puts a metric of a process into its sample. Others than those that the table shows are left alone.
func readProcessMetric(s *history.ProcessSample, m pmetric.Metric) {
	var points pmetric.NumberDataPointSlice
	cumulative := true
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		points = m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		points = m.Sum().DataPoints()
		cumulative = m.Sum().AggregationTemporality() != pmetric.AggregationTemporalityDelta
	default:
		return
	}
	for _, dp := range points.All() {
		if dp.Flags().NoRecordedValue() {
			continue
		}
		value := number(dp)
		var to *float64
		switch m.Name() {
		case "process.cpu.time":
			to = &s.CPU
			s.Start = int64(dp.StartTimestamp())
		case "process.children.cpu.time":
			to = &s.Children
		case "process.cpu.utilization":
			to = &s.Utilization
		case "process.disk.io":
			to = &s.Write
			if d, ok := dp.Attributes().Get("disk.io.direction"); ok && d.AsString() == "read" {
				to = &s.Read
			}
		case "process.memory.usage":
			to = &s.Memory
		case "process.thread.count":
			to = &s.Threads
		case "process.group.count", "process.group.process.count":
			s.Count = int64(value)
			continue
		default:
			return
		}
		s.Time = max(s.Time, int64(dp.Timestamp()))
		s.Delta = s.Delta || m.Name() == "process.cpu.time" && !cumulative
		if math.IsNaN(*to) {
			*to = 0
		}
		*to += value
	}
}

package hostpageexporter

import (
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// The mean over all CPUs is made at each push: the maximum of a mean can't be made of the maxima of its parts, and a page that asks for
// 256 CPUs to show their mean asks for a lot.
const (
	metricUtilization = "system.cpu.utilization"
	metricMean        = "host_page.cpu.utilization"
	descriptionMean   = "Mean of system.cpu.utilization over all CPUs; the mode busy is what is neither idle nor iowait."
	attributeMode     = "cpu.mode"
	modeIdle          = "idle"
	modeIOWait        = "iowait" // idle, too: nothing runs
	modeBusy          = "busy"
)

// cpuMean gathers the CPUs of one scrape.
type cpuMean struct {
	time  int64
	modes []cpuMode
}

type cpuMode struct {
	name string
	sum  float64
	n    int
}

func (m *cpuMean) add(dp pmetric.NumberDataPoint, value float64) {
	mode, ok := dp.Attributes().Get(attributeMode)
	if !ok {
		return
	}
	m.time = int64(dp.Timestamp())
	m.addMode(mode.AsString(), value, 1)
	switch mode.AsString() {
	case modeIdle:
		m.addMode(modeBusy, 1-value, 1)
	case modeIOWait:
		m.addMode(modeBusy, -value, 0)
	}
}

func (m *cpuMean) addMode(name string, value float64, cpus int) {
	for i := range m.modes {
		if m.modes[i].name == name {
			m.modes[i].sum += value
			m.modes[i].n += cpus
			return
		}
	}
	if len(m.modes) < 20 {
		m.modes = append(m.modes, cpuMode{name, value, cpus})
	}
}

// putMean takes the mean of a scrape as series of their own.
func (p *push) putMean(resource int, key history.Key, m *cpuMean) {
	if len(m.modes) == 0 {
		return
	}
	handle := p.Metric(metricMean, "1", descriptionMean, history.Gauge)
	key = p.metricKey(key, metricMean, history.Gauge)
	for _, mode := range m.modes {
		if mode.n == 0 {
			continue
		}
		var set history.Key
		p.hasher.Text(&set, attributeMode, mode.name)
		p.Put(resource, handle, history.Sample{Key: key.Join(set), Time: m.time, Values: [3]float64{mode.sum / float64(mode.n)}},
			func() []history.Attribute { return []history.Attribute{{Key: attributeMode, Value: mode.name}} })
	}
}

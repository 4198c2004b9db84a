package psutilreceiver

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// pointsByGroup scrapes once, and gives what was recorded of each group, by the name of the group and that of the metric with its attributes.
func pointsByGroup(t *testing.T, h *taskHost, configure func(*Config, *ProcessConfig)) map[string]map[string]float64 {
	t.Helper()
	o := h.scraper(t, configure)
	md, err := o.group.runs[0].scrape(t.Context())
	require.NoError(t, err)
	groups := map[string]map[string]float64{}
	for _, rm := range md.ResourceMetrics().All() {
		attributes := rm.Resource().Attributes().AsRaw()
		key := fmt.Sprint(attributes["process.group.name"])
		if pid, single := attributes["process.pid"]; single {
			key = fmt.Sprint(pid)
		}
		groups[key] = map[string]float64{}
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			var points pmetric.NumberDataPointSlice
			if m.Type() == pmetric.MetricTypeGauge {
				points = m.Gauge().DataPoints()
			} else {
				points = m.Sum().DataPoints()
			}
			for _, p := range points.All() {
				groups[key][m.Name()+attributesOf(p.Attributes())] = p.DoubleValue() + float64(p.IntValue())
			}
		}
	}
	return groups
}

// TestGroupsOfPrograms holds what is told of a group beyond sums: the program that an interpreter runs, the age of its oldest member, the states of
// its members, and the signals that wait for them.
func TestGroupsOfPrograms(t *testing.T) {
	h := newTaskHost(t, 1)
	for _, started := range []int{60_00, 20_00, 50_00} {
		h.add("python3", started)
	}
	h.show(t)
	for i, pid := range []int{2, 3, 4} {
		h.write(t, strconv.Itoa(pid)+"/cmdline", "python3\x00-u\x00/srv/app.py\x00")
		h.write(t, strconv.Itoa(pid)+"/status", fmt.Sprintf("Uid:\t0\t0\t0\t0\nSigPnd:\t0000000000000000\nShdPnd:\t%016x\n", 1<<i|1<<9))
	}
	h.write(t, "4/stat", "4 (python3) Z 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 5000 0 0 18446744073709551615\n")
	groups := pointsByGroup(t, h, func(cfg *Config, process *ProcessConfig) {
		cfg.Metrics.ProcessGroupUptime.Enabled = true
		cfg.Metrics.ProcessGroupStatus.Enabled = true
		cfg.Metrics.ProcessSignalsPending.Enabled = true
		process.GroupBy, process.Top.N = []string{"program"}, 0
	})
	app := groups["app.py"]
	require.NotNil(t, app, "%v", groups)
	assert.InDelta(t, 3600-20, app["process.group.uptime"], 1e-9, "of the process that started first")
	assert.InDelta(t, 2, app["process.group.status{process.state=sleeping}"], 0)
	assert.InDelta(t, 1, app["process.group.status{process.state=defunct}"], 0)
	assert.InDelta(t, 0, app["process.group.status{process.state=running}"], 0, "a state without members is there, too")
	assert.InDelta(t, 6, app["process.signals_pending"], 0)
	assert.NotContains(t, groups["other"], "process.group.uptime", "of no process")
}

// TestLimitsOfShownProcesses holds that limits are told of single processes, where there is a limit.
func TestLimitsOfShownProcesses(t *testing.T) {
	h := newTaskHost(t, 1)
	h.add("app", 200)
	h.show(t)
	h.write(t, "2/limits", "Max cpu time              unlimited            unlimited            seconds   \n"+
		"Max open files            1024                 1048576              files     \n")
	shown := pointsByGroup(t, h, func(cfg *Config, process *ProcessConfig) {
		cfg.Metrics.ProcessUnixFileDescriptorLimit.Enabled = true
		cfg.Metrics.ProcessRlimit.Enabled = true
		process.Top.N = 0
	})
	assert.InDelta(t, 1024, shown["2"]["process.unix.file_descriptor.limit"], 0)
	assert.InDelta(t, 1024, shown["2"]["process.rlimit{process.rlimit.type=nofile}"], 0)
	assert.NotContains(t, shown["2"], "process.rlimit{process.rlimit.type=cpu}")
	assert.NotContains(t, shown["1"], "process.unix.file_descriptor.limit", "of a process whose limits can't be read nothing is told")
	assert.NotContains(t, shown["other"], "process.unix.file_descriptor.limit")
}

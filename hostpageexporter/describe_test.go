package hostpageexporter

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertcontext"
)

// anHour fills a page with an hour of scrapes, and returns when the last one was.
func anHour(t *testing.T, points func(minute int) []point) *testPage {
	t.Helper()
	p := start(t, nil)
	for minute := range 61 {
		p.send(points(minute)...)
		p.advance(time.Minute)
	}
	return p
}

// described asks for an alert of the host that the pages of the tests have, as the notify exporter does.
func (p *testPage) described(t *testing.T, change func(a *alertcontext.Alert)) (alertcontext.Context, bool) {
	t.Helper()
	a := alertcontext.Alert{
		Metric: "m", Unit: "By", Value: math.NaN(), Resource: map[string]string{"host.name": "web1"}, Group: map[string]string{"device": "sda"},
		Started: p.now().Add(-5 * time.Minute), Until: p.now(), Episode: "e",
	}
	change(&a)
	return p.page.Describe(t.Context(), a)
}

// The last hour is that of the series that decided, of several the worst, in sixty parts.
func TestDescribeTheLastHour(t *testing.T) {
	p := anHour(t, func(minute int) []point {
		return []point{
			{metric: "m", value: float64(minute), attributes: map[string]any{"device": "sda", "direction": "read"}},
			{metric: "m", value: float64(-minute), attributes: map[string]any{"device": "sda", "direction": "write"}},
			{metric: "m", value: 1000, attributes: map[string]any{"device": "sdb", "direction": "read"}},
		}
	})
	c, ok := p.described(t, func(*alertcontext.Alert) {})
	require.True(t, ok)
	assert.Equal(t, "By", c.Unit)
	require.Len(t, c.Values, 60)
	assert.InDelta(t, 60, c.Values[59], 2)
	assert.InDelta(t, 30, c.Values[30], 2)
	low, _ := p.described(t, func(a *alertcontext.Alert) { a.LowIsBad = true })
	assert.InDelta(t, -60, low.Values[59], 2)
	for name, change := range map[string]func(a *alertcontext.Alert){
		"another host":   func(a *alertcontext.Alert) { a.Resource["host.name"] = "web2" },
		"another device": func(a *alertcontext.Alert) { a.Group["device"] = "sdc" },
		"another metric": func(a *alertcontext.Alert) { a.Metric = "n" },
		"another time":   func(a *alertcontext.Alert) { a.Until = a.Until.Add(-48 * time.Hour) },
	} {
		c, _ := p.described(t, change)
		assert.Nil(t, c.Values, name)
	}
}

// A share is read as the alert's value says that it is made, and not at all where no way leads to that value.
func TestDescribeAShare(t *testing.T) {
	p := anHour(t, func(minute int) []point {
		used := float64(minute)
		return []point{
			{metric: "usage", value: used, attributes: map[string]any{"device": "sda", "state": "used"}},
			{metric: "usage", value: 90 - used, attributes: map[string]any{"device": "sda", "state": "free"}},
			{metric: "usage", value: 10, attributes: map[string]any{"device": "sda", "state": "reserved"}},
			{metric: "available", value: 80 - used, attributes: map[string]any{"device": "sda"}},
			{metric: "limit", value: 80, attributes: map[string]any{"device": "sda"}},
		}
	})
	for _, row := range []struct {
		metric       string
		value, begin float64
	}{
		{"usage", 60. / 90, 0}, {"usage", 0.6, 0}, {"usage", 1. / 3, 1}, {"available / limit", 0.25, 1}, {"available / limit", 0.75, 0},
	} {
		c, ok := p.described(t, func(a *alertcontext.Alert) { a.Metric, a.Unit, a.Value = row.metric, "1", row.value })
		require.True(t, ok, row)
		assert.InDelta(t, row.value, c.Values[59], 0.03, row)
		assert.InDelta(t, row.begin, c.Values[0], 0.06, row)
		assert.Equal(t, "1", c.Unit)
	}
	c, _ := p.described(t, func(a *alertcontext.Alert) { a.Metric, a.Unit, a.Value = "usage", "1", 0.05 })
	assert.Nil(t, c.Values)
}

// The processes are those of the moment at which it began, the largest first: by the CPU, or by memory where the rule is about memory.
func TestDescribeTheProcesses(t *testing.T) {
	p := start(t, nil)
	for i := range 5 {
		for pid, share := range map[int]float64{1: 0.1, 2: 0.9, 3: 0.5} {
			p.sendProcess(map[string]any{
				"host.name": "web1", "process.pid": pid, "process.creation.time": "2026-01-01T11:00:00Z", "process.executable.name": fmt.Sprint("p", pid),
			}, point{"process.cpu.time", true, share * float64(10*i), nil}, point{"process.memory.usage", false, 1e6 / share, nil})
		}
		p.send(point{"m", false, 1, nil})
		p.advance(10 * time.Second)
	}
	c, ok := p.described(t, func(a *alertcontext.Alert) { a.Started = p.now() })
	require.True(t, ok)
	require.Len(t, c.Processes, 3)
	assert.Equal(t, "p2", c.Processes[0].Name)
	assert.InDelta(t, 0.9, c.Processes[0].CPU, 0.01)
	for i := 1; i < len(c.Processes); i++ {
		assert.GreaterOrEqual(t, c.Processes[i-1].CPU, c.Processes[i].CPU, fmt.Sprint(c.Processes))
	}
	byMemory, _ := p.described(t, func(a *alertcontext.Alert) { a.Started, a.Metric = p.now(), "system.memory.utilization" })
	for i := 1; i < len(byMemory.Processes); i++ {
		assert.GreaterOrEqual(t, byMemory.Processes[i-1].Memory, byMemory.Processes[i].Memory)
	}
	other, _ := p.described(t, func(a *alertcontext.Alert) { a.Started, a.Resource["host.name"] = p.now(), "web2" })
	assert.Empty(t, other.Processes, "another host's")
	early, _ := p.described(t, func(a *alertcontext.Alert) { a.Started = p.now().Add(-24 * time.Hour) })
	assert.Empty(t, early.Processes)
}

// A page that has stopped describes nothing, and one that runs is asked by those who tell people.
func TestTheRunningPageIsAsked(t *testing.T) {
	p := anHour(t, func(minute int) []point {
		return []point{{metric: "only.here", value: float64(minute), attributes: map[string]any{"device": "sda"}}}
	})
	a := alertcontext.Alert{
		Metric: "only.here", Unit: "By", Resource: map[string]string{"host.name": "web1"}, Group: map[string]string{"device": "sda"}, Started: p.now(), Until: p.now(),
	}
	c, ok := alertcontext.Describe(t.Context(), a)
	require.True(t, ok)
	assert.Len(t, c.Values, 60)
	p.stop()
	_, ok = alertcontext.Describe(t.Context(), a)
	assert.False(t, ok)
}

package main

import (
	"fmt"
	"strings"
	"time"
)

// symptom is a way for a host to be in trouble: series that leave their quiet values for a while, and the rule that sees it.
type symptom struct {
	// rule is the name of the rule that fires.
	rule string
	// yaml is the rest of the rule, empty for those of `preset: host`. I, W and F stand for the interval, a window and a forecast's window.
	yaml string
	// metric and attributes (values, all of which it has) select the series; loud is their value in trouble, of a counter the rate.
	metric, attributes string
	loud               float64
}

// silence is the symptom of a host that sends nothing.
const silence = "host_silent"

// symptoms are those of the preset, then those of the rules that the program adds, one a rule.
var symptoms = []symptom{
	{"cpu", "", "system.cpu.utilization", "idle", 0.1},
	{"memory", "", "system.memory.utilization", "used", 0.97},
	{"disk", "", "system.filesystem.usage", "used /data", 9e11},
	{"swap", "", "system.paging.utilization", "used", 0.6},

	{"load", "metric: system.cpu.load_average.1m, thresholds: {warning: {above: 16, clear: 12, for: F}}", "system.cpu.load_average.1m", "", 24},
	{
		"iowait", "metric: system.cpu.utilization, match: {cpu.mode: iowait}, window: W, aggregate: avg, thresholds: {warning: {above: 30%, clear: 20%}}",
		"system.cpu.utilization", "iowait", 0.8,
	},
	{
		"steal", "metric: system.cpu.utilization, match: {cpu.mode: steal}, window: W, aggregate: p90, thresholds: {warning: {above: 20%}}",
		"system.cpu.utilization", "steal", 0.5,
	},
	{
		"memory_available", "metric: system.memory.linux.available, thresholds: {critical: {below: 512MiB, clear: 1GiB}}",
		"system.memory.linux.available", "", 1 << 28,
	},
	{
		"memory_pressure", "metric: system.memory.linux.pressure.10s, match: {system.linux.pressure.stall_type: some}, thresholds: {warning: {above: 20%}}",
		"system.memory.linux.pressure.10s", "some", 0.4,
	},
	{
		"io_pressure", "metric: system.io.linux.pressure.10s, match: {system.linux.pressure.stall_type: full}, thresholds: {warning: {above: 20%}}",
		"system.io.linux.pressure.10s", "full", 0.4,
	},
	{
		"disk_busy", "metric: system.disk.io_time, window: W, aggregate: rate, thresholds: {warning: {above: 0.6, clear: 0.5}}",
		"system.disk.io_time", "sda", 0.99,
	},
	{
		"disk_reads", "metric: system.disk.io, match: {disk.io.direction: read}, window: W, aggregate: rate, thresholds: {warning: {above: 200000000}}",
		"system.disk.io", "read sda", 8e8,
	},
	{
		"receive_errors", "ratio: {numerator: {metric: system.network.errors, match: {network.io.direction: receive}}, " +
			"denominator: {metric: system.network.packet.count, match: {network.io.direction: receive}}}, " +
			"group_by: [resource.host.name, resource.host.id], window: W, aggregate: increase, thresholds: {warning: {above: 1%}}",
		"system.network.errors", "receive", 200,
	},
	{
		"packets_dropped", "metric: system.network.packet.dropped, match: {network.io.direction: transmit}, window: W, aggregate: rate, " +
			"group_by: [resource.host.name, resource.host.id], group_aggregate: sum, thresholds: {warning: {above: 50}}",
		"system.network.packet.dropped", "transmit", 400,
	},
	{
		"process_memory", "metric: process.memory.usage, group_by: [resource.host.name, resource.host.id], group_aggregate: max, thresholds: {warning: {above: 8GiB}}",
		"process.memory.usage", "", 1 << 34,
	},
	{
		"process_cpu", "metric: process.cpu.utilization, match: {cpu.mode: user}, window: W, aggregate: avg, thresholds: {warning: {above: 60%}}",
		"process.cpu.utilization", "user", 0.99,
	},
	{"threads", "metric: process.thread.count, thresholds: {warning: {above: 2000}}", "process.thread.count", "", 5000},
	{
		"running", "metric: system.process.count, match: {process.state: running}, thresholds: {warning: {above: 100}}",
		"system.process.count", "running", 500,
	},
	{"swapping", "metric: system.paging.operations, match: {system.paging.fault.type: major}, group_aggregate: sum, window: W, aggregate: rate, " +
		"thresholds: {warning: {above: 1000}}", "system.paging.operations", "major", 8000},
	{"disk_full_soon", "metric: system.filesystem.usage, match: {system.filesystem.state: free}, forecast: {window: W, horizon: 1h}, " +
		"thresholds: {warning: {below: 0}}", "system.filesystem.usage", "free /data", -1e8},
	{
		"conntrack", "metric: system.network.conntrack.count, thresholds: {warning: {above: 200000}}, only_if: {metric: system.uptime, above: 600}",
		"system.network.conntrack.count", "", 250000,
	},
	{
		"oom_kill", "metric: system.memory.linux.oom_kills, window: W, aggregate: increase, thresholds: {critical: {above: 0.5}}",
		"system.memory.linux.oom_kills", "", 10,
	},
	{"interface_down", "metric: system.network.interface.up, thresholds: {critical: {below: 1}}", "system.network.interface.up", "eth0", 0},
	{silence, "metric: system.uptime, group_by: [resource.host.name, resource.host.id], absent: {for: W}, severity: critical", "", "", 0},
}

// ofPreset is how many symptoms are seen by the preset.
const ofPreset = 4

// cyclesOfWindow is how many intervals a window has.
const cyclesOfWindow = 4

// rule is a rule of the gateway by its name, and the symptom that it sees.
type rule struct {
	name    string
	symptom int
}

// rulesOf lists the preset's rules and n more: one for each symptom, and then the same again under other names.
func rulesOf(n int) []rule {
	rules := make([]rule, 0, ofPreset+n)
	for i := range ofPreset {
		rules = append(rules, rule{symptoms[i].rule, i})
	}
	own := len(symptoms) - ofPreset
	for i := range n {
		s := ofPreset + i%own
		name := symptoms[s].rule
		if i >= own {
			name = fmt.Sprintf("%s_%d", name, i/own+1)
		}
		rules = append(rules, rule{name, s})
	}
	return rules
}

// rulesYAML is the list of the rules that are not of the preset.
func rulesYAML(rules []rule, interval time.Duration) string {
	spans := strings.NewReplacer(": W", ": "+(cyclesOfWindow*interval).String(), ": F", ": "+(2*interval).String())
	var b strings.Builder
	for _, r := range rules {
		if text := symptoms[r.symptom].yaml; text != "" {
			fmt.Fprintf(&b, "- {name: %s, %s}\n", r.name, spans.Replace(text))
		}
	}
	return b.String()
}

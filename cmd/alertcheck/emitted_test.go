package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRulesOnMetricsThatAreOff(t *testing.T) {
	for _, c := range []struct{ receiver, metric, more, want string }{
		{``, "system.memory.linux.dirty, above: 1GiB", "", ""},
		{``, "system.memory.linux.active, above: 1GiB", "", `no receiver emits system.memory.linux.active: in receivers::psutil set metrics::system.memory.linux.active::enabled to true`},
		{`metrics: {system.memory.linux.active: {enabled: true}}`, "system.memory.linux.active, above: 1GiB", "", ""},
		{``, "system.network.errors.rate, above: 1", "", `no receiver emits system.network.errors.rate: in receivers::psutil set rates::enabled to true`},
		{`rates: {enabled: true}`, "system.network.errors.rate, above: 1", "", ""},
		{`rates: {enabled: true, metrics: [system.network.io]}`, "system.network.errors.rate, above: 1", "", `no receiver emits system.network.errors.rate: in receivers::psutil add system.network.errors to rates::metrics`},
		{``, "system.cpu.utilization.p95, above: 90%", "", `no receiver emits system.cpu.utilization.p95: in receivers::psutil set sampling::interval, for instance to 1s`},
		{`sampling: {interval: 1s}`, "system.cpu.utilization.p95, above: 90%", "", `no receiver emits system.cpu.utilization.p95: in receivers::psutil set sampling::format to gauges`},
		{`sampling: {interval: 1s, format: gauges}`, "system.cpu.utilization.p95, above: 90%", "", ""},
		{`scrapers: {cpu: }`, "process.memory.usage, above: 1GiB", "", `no receiver emits process.memory.usage: in receivers::psutil name process under scrapers`},
		{``, "system.memory.linux.active, above: 1GiB", ", otlp", ""}, // Others may send it.
	} {
		_, said := checked(t, "receivers:\n  otlp:\n  psutil:\n    "+c.receiver+"\nconnectors:\n  alert: {rules: [{name: r, severity: warning, metric: "+c.metric+"}]}\n"+
			"exporters: {nop: }\nservice:\n  pipelines:\n    metrics: {receivers: [psutil"+c.more+"], exporters: [alert]}\n    logs: {receivers: [alert], exporters: [nop]}\n")
		want := c.want
		if want != "" {
			want = `connectors::alert: warning: rule "r": ` + want
		}
		assert.Equal(t, want, said, "%s %s", c.receiver, c.metric)
	}
}

func TestRulesOnTheOldForm(t *testing.T) {
	for _, c := range []struct{ receiver, rule, want string }{
		{`psutil: {compat: hostmetrics}`, "metric: system.cpu.utilization, match: {state: wait}, above: 90%", ""},
		{`psutil: {compat: hostmetrics}`, "metric: system.network.packets, match: {direction: receive, device: eth0}, aggregate: rate, window: 1m, above: 1000", ""},
		{
			`psutil: {compat: hostmetrics}`, "metric: system.network.packet.count, aggregate: rate, window: 1m, above: 1000",
			`no receiver emits system.network.packet.count: in receivers::psutil leave compat out, or write system.network.packets here`,
		},
		{
			`psutil: `, "metric: system.cpu.utilization, match: {state: wait}, above: 90%",
			`match.state: system.cpu.utilization has no such attribute (did you mean "cpu.mode"? "state" ` + saysOld + ")",
		},
		{`hostmetrics: {scrapers: {cpu: }}`, "metric: system.cpu.utilization, match: {state: wait}, above: 90%", ""},
		{`hostmetrics: {scrapers: {cpu: }}`, "metric: system.processes.count, match: {status: blocked}, above: 9", ""},
	} {
		name, _, _ := strings.Cut(c.receiver, ":")
		_, said := checked(t, "receivers:\n  "+c.receiver+"\nconnectors:\n  alert: {rules: [{name: r, severity: warning, "+c.rule+"}]}\n"+
			"exporters: {nop: }\nservice:\n  pipelines:\n    metrics: {receivers: ["+name+"], exporters: [alert]}\n    logs: {receivers: [alert], exporters: [nop]}\n")
		want := c.want
		if want != "" {
			want = `connectors::alert: warning: rule "r": ` + want
		}
		assert.Equal(t, want, said, "%s %s", c.receiver, c.rule)
	}
}

// TestReceiversUnderTheOldTypesAreOurs holds that a rule on what a receiver of the type hostmetrics does not emit is warned of, too.
func TestReceiversUnderTheOldTypesAreOurs(t *testing.T) {
	for _, receiver := range []string{"psutil", "host_metrics", "hostmetrics"} {
		assert.NotNil(t, defaultConfigOf(receiver), receiver)
	}
	assert.Nil(t, defaultConfigOf("otlp"))
	assert.Equal(t, "hostmetrics", defaultConfigOf("hostmetrics").Compat)
}

package main

import (
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
		{``, "nfs.client.rpc.retransmit.count, aggregate: rate, window: 1m, above: 1", "", `no receiver emits nfs.client.rpc.retransmit.count: in receivers::psutil name nfs under scrapers`},
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

// TestReceiversUnderTheOldTypesAreOurs holds that a rule on what a receiver of the type hostmetrics does not emit is warned of, too.
func TestReceiversUnderTheOldTypesAreOurs(t *testing.T) {
	for _, receiver := range []string{"psutil", "host_metrics", "hostmetrics"} {
		assert.NotNil(t, defaultConfigOf(receiver), receiver)
	}
	assert.Nil(t, defaultConfigOf("otlp"))
	assert.Equal(t, "hostmetrics", defaultConfigOf("hostmetrics").Compat)
}

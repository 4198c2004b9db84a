package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checked writes a rules file and returns what `alertcheck rules` says of it.
func checked(t *testing.T, text string, flags ...string) (status int, said string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	var out, errs bytes.Buffer
	status = run(append(append([]string{"rules"}, flags...), file), nil, &out, &errs)
	return status, strings.TrimSpace(strings.ReplaceAll(errs.String(), file+": ", ""))
}

func TestRulesAreCheckedAgainstTheMetrics(t *testing.T) {
	const ok = "severity: warning"
	for _, c := range []struct{ rule, want string }{
		// Names.
		{`{metric: system.cpu.utilisation, above: 80%}`, `warning: rule "r": metric: the psutil receiver has no system.cpu.utilisation (did you mean "system.cpu.utilization"?)`},
		{`{metric: system.filesystem.utlization, above: 80%}`, `warning: rule "r": metric: the psutil receiver has no system.filesystem.utlization (did you mean "system.filesystem.utilization"?)`},
		{`{metric: system_cpu_utilization, above: 80%}`, `warning: rule "r": metric: the psutil receiver has no system_cpu_utilization (did you mean "system.cpu.utilization"?)`},
		{`{metric: system.cpu.utilization.p90, above: 80%}`, `warning: rule "r": metric: the psutil receiver has no system.cpu.utilization.p90 (did you mean "system.cpu.utilization.p50"?)`},
		{`{metric: process.memory.usge, above: 1GiB}`, `warning: rule "r": metric: the psutil receiver has no process.memory.usge (did you mean "process.memory.usage"?)`},
		{`{metric: process.group.count, above: 1}`, `warning: rule "r": metric: the psutil receiver has no process.group.count (did you mean "process.group.process.count"?)`},
		{`{ratio: {numerator: {metric: system.network.error}, denominator: {metric: system.network.packet.counts}}, window: 5m, aggregate: increase, above: 1%}`, `` +
			`warning: rule "r": ratio.numerator.metric: the psutil receiver has no system.network.error (did you mean "system.network.errors"?)` + "\n" +
			`warning: rule "r": ratio.denominator.metric: the psutil receiver has no system.network.packet.counts (did you mean "system.network.packet.count"?)`},
		{`{metric: http.server.request.duration, above: 1}`, ``},
		{`{metric: system.processes.count, above: 1000}`, ``},
		{`{metric: node_load1, above: 10}`, ``},
		// Attributes.
		{`{metric: process.cpu.utilization, match: {process.executable.name: postgres}, above: 80%}`, `` +
			`warning: rule "r": match.process.executable.name: of process.cpu.utilization it is an attribute of the resource: write {resource: {process.executable.name: …}}`},
		{`{metric: system.cpu.utilization, match: {resource: {cpu.mode: idle}}, below: 20%}`, `` +
			`warning: rule "r": match.resource.cpu.mode: of system.cpu.utilization it is an attribute of the data points: write it beside "resource"`},
		{`{metric: system.memory.utilization, match: {state: used}, above: 80%}`, `` +
			`warning: rule "r": match.state: system.memory.utilization has no such attribute (did you mean "system.memory.state"? "state" ` + saysOld + ")"},
		{`{metric: system.cpu.utilization, match: {cpu.mod: idle}, below: 20%}`, `` +
			`warning: rule "r": match.cpu.mod: system.cpu.utilization has no such attribute (did you mean "cpu.mode"?)`},
		{`{metric: system.cpu.utilization, match: {resource: {process.pid: 7}}, above: 80%}`, `` +
			`warning: rule "r": match.resource.process.pid: the resource of system.cpu.utilization has no such attribute: only metrics of processes and groups have it`},
		{`{metric: system.cpu.utilization, match: {resource: {host.nam: db1}}, above: 80%}`, `` +
			`warning: rule "r": match.resource.host.nam: the psutil receiver has no such attribute (did you mean "host.name"?)`},
		{`{metric: system.uptime, match: {cpu: a}, below: 300}`, `warning: rule "r": match.cpu: system.uptime has no such attribute (its points have none)`},
		{`{metric: system.cpu.utilization, match: {resource: {deployment.environment.name: prod, k8s.node.name: a}}, above: 80%}`, ``},
		{`{metric: process.cpu.utilization, group_by: [host.name], above: 80%}`, `` +
			`warning: rule "r": group_by "host.name": of process.cpu.utilization it is an attribute of the resource: write "resource.host.name"`},
		{`{metric: system.disk.io, window: 5m, aggregate: rate, group_by: [resource.system.device], above: 80MB}`, `` +
			`warning: rule "r": group_by "resource.system.device": of system.disk.io it is an attribute of the data points: write "system.device"`},
		{`{metric: system.disk.io, window: 5m, aggregate: rate, group_by: [device], above: 80MB}`, `` +
			`warning: rule "r": group_by "device": system.disk.io has no such attribute (did you mean "system.device"? "device" ` + saysOld + ")"},
		{`{metric: system.memory.usage, above: 1GiB, only_if: {metric: system.cpu.utilization, match: {host.name: a}, above: 50%}}`, `` +
			`warning: rule "r": only_if.match.host.name: of system.cpu.utilization it is an attribute of the resource: write {resource: {host.name: …}}`},
		{`{metric: process.cpu.time, match: {process.executable.name: sshd}, absent: {for: 3m}}`, `` +
			`warning: rule "r": match.process.executable.name: of process.cpu.time it is an attribute of the resource: write {resource: {process.executable.name: …}}`},
		// Values.
		{`{metric: system.cpu.utilization, match: {cpu.mode: idel}, below: 20%}`, `warning: rule "r": match.cpu.mode: there is no value "idel" (did you mean "idle"?)`},
		{`{metric: system.cpu.utilization, match: {cpu.mode: {in: [idle, sleep]}}, below: 20%}`, `` +
			`warning: rule "r": match.cpu.mode: there is no value "sleep" (known: user, nice, system, idle, iowait, interrupt, steal)`},
		{`{metric: system.network.errors, match: {network.io.direction: {regex: "rx|tx"}}, window: 5m, aggregate: increase, above: 1}`, `` +
			`warning: rule "r": match.network.io.direction: there is no value "rx" (known: receive, transmit)` + "\n" +
			`warning: rule "r": match.network.io.direction: there is no value "tx" (known: receive, transmit)`},
		{`{metric: system.network.io, match: {network.interface.name: wg0}, window: 5m, aggregate: rate, above: 1MB}`, ``},
		// Units.
		{`{metric: process.memory.usage, above: 80%}`, `rule "r": warning: process.memory.usage: threshold 80% needs a metric of unit "1" or "%", not "By"`},
		{`{metric: system.memory.utilization, above: 5GiB}`, `rule "r": warning: system.memory.utilization: threshold 5GiB needs a metric of unit "By" or "By/s", not "1"`},
		{`{metric: system.memory.usage, above: 1GiB, only_if: {metric: system.network.io, above: 50%}}`, `` +
			`rule "r": only_if: system.network.io: threshold 50% needs a metric of unit "1" or "%", not "By"`},
		// Ranges.
		{`{metric: system.memory.utilization, above: 90}`, `warning: rule "r": warning: above 90 never holds: the value of system.memory.utilization is from 0 to 1 (did you mean 90%?)`},
		{`{metric: system.memory.utilization.p95, above: 90}`, `warning: rule "r": warning: above 90 never holds: the value of system.memory.utilization.p95 is from 0 to 1 (did you mean 90%?)`},
		{`{metric: system.cpu.linux.pressure.1m, above: 20}`, `warning: rule "r": warning: above 20 never holds: the value of system.cpu.linux.pressure.1m is from 0 to 1 (did you mean 20%?)`},
		{`{metric: system.memory.utilization, above: 120%}`, `warning: rule "r": warning: above 120% never holds: the value of system.memory.utilization is from 0 to 1`},
		{`{metric: hw.battery.charge, below: 20}`, `warning: rule "r": warning: below 20 always holds: the value of hw.battery.charge is from 0 to 1 (did you mean 20%?)`},
		{`{metric: system.memory.usage, below: 0}`, `warning: rule "r": warning: below 0 never holds: the value of system.memory.usage is at least 0`},
		{`{metric: system.cpu.utilization, match: {cpu.mode: idle}, scale: -1, offset: 1, group_aggregate: avg, above: 80}`, `` +
			`warning: rule "r": warning: above 80 never holds: the value of system.cpu.utilization is from 0 to 1 (did you mean 80%?)`},
		{`{metric: system.cpu.utilization, scale: 100, above: 80}`, ``},
		{`{metric: system.cpu.utilization, group_aggregate: sum, above: 3}`, ``},
		{`{metric: system.memory.utilization, above: 1, only_if: {metric: system.cpu.utilization, above: 50}}`, `` +
			`warning: rule "r": warning: above 1 never holds: the value of system.memory.utilization is from 0 to 1` + "\n" +
			`warning: rule "r": only_if: above 50 never holds: the value of system.cpu.utilization is from 0 to 1 (did you mean 50%?)`},
		{`{metric: system.filesystem.utilization, forecast: {window: 1h, horizon: 4h}, above: 100%}`, ``},
		{`{metric: hw.temperature, below: -20}`, ``},
		// Counters and distributions.
		{`{metric: system.network.errors, above: 100}`, `` +
			`warning: rule "r": system.network.errors is a counter, whose value is its total since its start: compare its rate or increase over a window`},
		{`{metric: system.network.errors.rate, above: 100}`, ``},
		{`{metric: system.cpu.utilization, statistic: p95, above: 50%}`, `` +
			`rule "r": statistic p95: system.cpu.utilization has number data points; statistics are of histograms, such as system.cpu.utilization.distribution`},
		{`{metric: system.cpu.utilization.distribution, above: 50%}`, `` +
			`rule "r": metric system.cpu.utilization.distribution has histogram data points: say which statistic of them, such as p95`},
		{`{metric: system.cpu.utilization.distribution, statistic: p95, above: 50%}`, ``},
	} {
		status, said := checked(t, "rules: ["+strings.TrimSuffix(c.rule, "}")+", name: r, "+ok+"}]")
		assert.Equal(t, c.want, said, c.rule)
		failing := c.want != "" && !strings.HasPrefix(c.want, "warning: ")
		assert.Equal(t, failing, status == failed, c.rule)
	}
}

func TestSilencesAreCheckedAgainstTheMetrics(t *testing.T) {
	for _, c := range []struct{ match, want string }{
		{`{alert.rule.name: cpu, cpu.mode: idle}`, `warning: silences[0]: match.cpu.mode: no alert that it may be about has this attribute: a group has what group_by names, or what match leaves open`},
		{`{alert.rule.name: cpu, resource: {process.pid: 7}}`, `warning: silences[0]: match.resource.process.pid: the resource of system.cpu.utilization has no such attribute: only metrics of processes and groups have it`},
		{`{host.nme: db1}`, `warning: silences[0]: match.host.nme: no alert that it may be about has this attribute (did you mean "host.name"?)`},
		{`{host.name: db1, system.filesystem.mountpoint: /}`, ``},
		{`{resource: {host.name: {glob: "db*"}, deployment.environment.name: test}}`, ``},
		{`{alert.rule.name: cqu}`, `silences[0]: match.alert.rule.name: cqu matches no rule (did you mean "cpu"?)`},
	} {
		_, said := checked(t, "preset: host\nsilences: [{match: "+c.match+", from: 2026-01-01T00:00:00Z, to: 2027-01-01T00:00:00Z}]")
		assert.Equal(t, c.want, said, c.match)
	}
}

func TestStrictMakesErrorsOfWarnings(t *testing.T) {
	const doubtful = "rules: [{name: r, metric: system.memory.utilization, above: 90, severity: warning}]"
	status, said := checked(t, doubtful)
	assert.Equal(t, ok, status)
	assert.NotEmpty(t, said)
	status, _ = checked(t, doubtful, "--strict")
	assert.Equal(t, failed, status)
	status, said = checked(t, "preset: host", "--strict")
	assert.Equal(t, ok, status)
	assert.Empty(t, said)
	status, said = checked(t, "rules: [{name: r, metric: m, match: {k: {regex: ^a}}, above: 90, severity: warning}]")
	assert.Equal(t, ok, status)
	assert.Equal(t, `warning: rules[0] "r": match.k: regex "^a" has to match the whole value, as in Prometheus: for a part of it write "a.*"`, said)
}

// TestOwnRulesPassStrictly holds what this tree has of rules to its own checks: examples, the packaged configuration, and those in the pages.
func TestOwnRulesPassStrictly(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../../examples/*.yaml", "../../liveprovider/*.yaml", "testdata/host.rules.yaml", "testdata/fleet.rules.yaml"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	rulesBlock := regexp.MustCompile("(?ms)^```yaml\n(rules:\n.*?)^```")
	for _, page := range []string{"../../README.md", "../../alertprocessor/README.md", "../../docs/processes.md", "../../docs/sampling.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range rulesBlock.FindAllSubmatch(text, -1) {
			file := filepath.Join(t.TempDir(), strings.ReplaceAll(filepath.Base(page), ".md", ".yaml"))
			require.NoError(t, os.WriteFile(file, m[1], 0o600))
			files = append(files, file)
		}
	}
	require.Greater(t, len(files), 10)
	for _, file := range files {
		var out, errs bytes.Buffer
		status := run([]string{"rules", "--strict", file}, nil, &out, &errs)
		assert.Equal(t, ok, status, "%s\n%s", out.String(), errs.String())
	}
}

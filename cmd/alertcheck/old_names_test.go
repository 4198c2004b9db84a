package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

const saysOld = "is the name of hostmetricsreceiver, which the psutil receiver has with `compat: hostmetrics` alone"

// TestOldNamesAreSaidToBeThat goes through the table of hostmetricsreceiver's names: a file of rules with one of them, of a metric or of an attribute, gets told
// that it is an old name, and which one is of today.
func TestOldNamesAreSaidToBeThat(t *testing.T) {
	checked := 0
	for i := range hostmetrics.Metrics {
		m := &hostmetrics.Metrics[i]
		if m.Elsewhere {
			continue
		}
		if m.OldName() != m.Name {
			checked++
			stdout, stderr := checkText(t, ruleOn(m.OldName(), ""))
			assert.Contains(t, stdout, fmt.Sprintf("%q %s; without that write %s", m.OldName(), saysOld, m.Name))
			assert.Empty(t, stderr, "no warning: other receivers have it")
		}
		for _, a := range m.Attributes {
			if a.Old == a.Key {
				continue
			}
			checked++
			rule := ruleOn(m.OldName(), fmt.Sprintf("group_by: [%q], ", a.Old))
			stdout, stderr := checkText(t, rule)
			said := stderr
			if m.OldName() != m.Name { // The name of the metric says it already.
				said = stdout
			}
			assert.Contains(t, said, saysOld, rule)
			assert.Contains(t, said, a.Key, rule)
		}
	}
	assert.Greater(t, checked, 40)
	_, stderr := checkText(t, "rules: [{name: x, metric: process.memory.usage, match: {resource: {process.cgroup: a}}, severity: warning, above: 5GB}]")
	assert.Contains(t, stderr, `(did you mean "process.linux.cgroup"? "process.cgroup" `+saysOld)
}

func ruleOn(metric, more string) string {
	return fmt.Sprintf("rules: [{name: x, metric: %s, %sseverity: warning, absent: {for: 5m}}]", metric, more)
}

func checkText(t *testing.T, text string) (stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	var out, errs strings.Builder
	require.Equal(t, ok, run([]string{"rules", file}, nil, &out, &errs), "%s: %s", text, errs.String())
	return out.String(), errs.String()
}

// TestNoNameOfTodayIsSaidToBeOld has the preset, rules that have the names of today, and a configuration whose receiver has the old ones.
func TestNoNameOfTodayIsSaidToBeOld(t *testing.T) {
	for _, text := range []string{
		"preset: host",
		"rules: [{name: x, metric: system.cpu.utilization, match: {cpu.mode: iowait}, severity: warning, above: 50%}]",
		"rules: [{name: x, metric: system.cpu.load_average.1m, severity: warning, above: 50}]",
		"processors: {alert: {rules: [{name: x, metric: system.network.dropped, match: {device: a}, severity: warning, absent: {for: 5m}}]}}\nexporters: {nop: }\n" +
			"receivers: {nop: , psutil: {compat: hostmetrics}}\n" +
			"service: {pipelines: {metrics: {receivers: [psutil], processors: [alert], exporters: [nop]}, " +
			"logs: {receivers: [nop], processors: [alert], exporters: [nop]}}}\n",
	} {
		stdout, stderr := checkText(t, text)
		assert.NotContains(t, stdout+stderr, "hostmetricsreceiver", text)
	}
}

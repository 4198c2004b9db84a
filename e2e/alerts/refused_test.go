package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// TestWhatCanNotBeMeantIsRefused holds that the binary refuses at its start what it once took and then ignored.
func TestWhatCanNotBeMeantIsRefused(t *testing.T) {
	const until = ", from: 2026-01-01T00:00:00Z, to: 2030-01-01T00:00:00Z}]"
	for name, c := range map[string]struct{ receiver, alert, exporter, want string }{
		"a silence of a resource attribute at the top": {alert: "silences: [{match: {resource.host.name: db1}" + until, want: "is written {resource: {host.name: …}}"},
		"a silence by another word for the rule":       {alert: "silences: [{match: {alert.rule: cpu}" + until, want: `did you mean "alert.rule.name"?`},
		"a silence of a severity that there is not":    {alert: "silences: [{match: {alert.severity: crit}" + until, want: `did you mean "critical"?`},
		"a silence of a rule that there is not":        {alert: "silences: [{match: {alert.rule.name: cpus}" + until, want: `did you mean "cpu"?`},
		"a silence of everything without a word":       {alert: "silences: [{from: 2026-01-01T00:00:00Z, to: 2030-01-01T00:00:00Z}]", want: `write "all: true" to silence all`},
		"an empty list": {
			alert: "rules: [{name: r, metric: m, match: {k: {in: []}}, above: 1, severity: warning}]", want: "match.k: in: [] matches nothing",
		},
		"for without a unit": {
			alert: "rules: [{name: r, metric: m, above: 1, severity: warning, for: 30}]", want: "rules[0]::for is 30: a duration has a unit, as in 30s",
		},
		"for beside absent": {
			alert: "rules: [{name: r, metric: m, absent: {for: 1m}, severity: warning, for: 30s}]", want: `"for" means nothing beside "absent"`,
		},
		"a duration of the receiver": {receiver: "initial_delay: 5", want: "initial_delay is 5: a duration has a unit, as in 5s"},
		"a duration of a block that the exporter embeds": {
			exporter: "retry_on_failure: {initial_interval: 5}", want: "retry_on_failure::initial_interval is 5: a duration has a unit, as in 5s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := "receivers:\n  psutil:\n    " + c.receiver + "\nconnectors:\n  alert:\n    preset: host\n    " + c.alert +
				"\nexporters:\n  alertmanager:\n    endpoint: http://localhost:9093\n    " + c.exporter + "\nservice:\n  pipelines:\n" +
				"    metrics: {receivers: [psutil], exporters: [alert]}\n    logs: {receivers: [alert], exporters: [alertmanager]}\n"
			path := filepath.Join(t.TempDir(), "collector.yaml")
			require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
			out, err := exec.Command(harness.Binary(t), "validate", "--config", path).CombinedOutput()
			require.Error(t, err)
			assert.Contains(t, string(out), c.want)
		})
	}
}

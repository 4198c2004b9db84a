package hostile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// TestRulesThatNeverEnd are answered at once by validate: steps that overflow, loops, texts that double.
func TestRulesThatNeverEnd(t *testing.T) {
	t.Parallel()
	const config = `
receivers: {otlp: {protocols: {grpc: }}}
connectors:
  alert:
    rules: [{name: a, metric: m, threshold: 1, severity: warning, message: '%s'}]
    silences: [{all: true, cron: '%s', duration: 1h}]
exporters: {nop: }
service: {pipelines: {metrics: {receivers: [otlp], exporters: [alert]}, logs: {receivers: [alert], exporters: [nop]}}}
`
	for name, c := range map[string]struct{ message, cron, want string }{
		"fine":                  {"{{.Value}}", "0 3 * * *", ""},
		"a step":                {"x", "*/99999999999 * * * *", "step"},
		"a step that overflows": {"x", "1-59/9223372036854775807 * * * *", "step"},
		"a loop":                {"{{range 9999999999999}}{{end}}", "0 3 * * *", "steps"},
		"loops in loops":        {strings.Repeat("{{range 99}}", 10) + "x" + strings.Repeat("{{end}}", 10), "0 3 * * *", "steps"},
		"a wide number":         {`{{printf "` + strings.Repeat("%999999d", 500) + `" 1}}`, "0 3 * * *", "width"},
		"a text that doubles":   {`{{$x := "x"}}` + strings.Repeat("{{$x = print $x $x}}", 60), "0 3 * * *", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, config, c.message, c.cron), 0o600))
			cmd := exec.Command(harness.Binary(t), "validate", "--config", path)
			cmd.Env = append(os.Environ(), "GOMEMLIMIT=1GiB")
			kill := time.AfterFunc(harness.Timeout, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
			out, err := cmd.CombinedOutput()
			if c.want == "" {
				require.NoError(t, err, "%s", out)
				return
			}
			require.Error(t, err)
			assert.Contains(t, string(out), c.want)
			assert.NotContains(t, string(out), "goroutine")
		})
	}
}

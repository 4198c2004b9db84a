package hostile

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// oneAlertmanager sends the alerts of its rule to one Alertmanager.
const oneAlertmanager = `
receivers:
  otlp: {protocols: {http: {endpoint: %[1]s}}}
connectors:
  alert:
    evaluation_interval: 1s
    rules: [{name: load, metric: load, threshold: 5, severity: warning, group_by: [resource.host.name]}]
exporters:
  alertmanager:
    endpoint: %[2]s
    headers: {X-Token: s3cret-header}
    resend_interval: 1h
    retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}
  host_page:
    endpoint: %[3]s
    collector_metrics: {endpoint: "%[4]s", headers: {X-Token: s3cret-header}}
service:
  telemetry: {metrics: {level: none}, logs: {level: debug}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert, host_page]}
    logs: {receivers: [alert], exporters: [alertmanager, host_page]}
`

// TestSecretsGoToTheServerAlone has the servers that the Collector talks to send it elsewhere, refuse it and end. The password of the URL, the header
// and the key of the query go to the servers that are configured, and stand in no log, no dump and on no page.
func TestSecretsGoToTheServerAlone(t *testing.T) {
	t.Parallel()
	dir, receiver, page := t.TempDir(), harness.FreeAddress(t), harness.FreeAddress(t)
	am, elsewhere := newAlertmanager(t), newAlertmanager(t)
	am.does(func(w http.ResponseWriter, r *http.Request) bool {
		code := http.StatusTemporaryRedirect
		if r.Method == http.MethodGet {
			code = http.StatusFound
		}
		w.Header().Set("Location", elsewhere.URL+r.URL.Path)
		w.WriteHeader(code)
		return true
	})
	secret := strings.Replace(am.URL, "://", "://ops:s3cret-password@", 1)
	text := fmt.Sprintf(oneAlertmanager, receiver, secret+"/?key=s3cret-key", page, secret+"/metrics?key=s3cret-key")
	p := harness.Start(t, dir, text)
	sendHighLoad(t, receiver, "real")
	health := func() string {
		body, err := harness.Get("http://" + page + "/health")
		if err != nil {
			return err.Error() // The page answers with another status while something is wrong.
		}
		return string(body)
	}
	p.AwaitOutput(t, "Temporary Redirect")
	harness.Eventually(t, "the health", func() error {
		if text := health(); !strings.Contains(text, "can't be read") {
			return errors.New(text)
		}
		return nil
	})
	assert.Contains(t, p.Output(), "which is not done")
	am.mu.Lock()
	assert.Equal(t, "s3cret-header", am.header.Get("X-Token"))
	am.mu.Unlock()
	texts := []string{p.Output(), health()}

	am.CloseClientConnections()
	am.Close()
	sendHighLoad(t, receiver, "other")
	harness.Eventually(t, "the server is gone", func() error {
		if text := health(); !strings.Contains(text, "refused") || !strings.Contains(p.Output(), "connection refused") {
			return errors.New(text)
		}
		return nil
	})
	texts = append(texts, p.Output(), health())
	dump, err := exec.Command(harness.Binary(t), "print-config", "--config", filepath.Join(dir, "collector.yaml")).CombinedOutput()
	require.NoError(t, err, "%s", dump)
	assert.Contains(t, string(dump), "resend_interval")
	texts = append(texts, string(dump))
	for _, bad := range []string{"https://ops:s3cret-password/x@am.example", "ops:s3cret-password@am.example", "https://ops:s3cret%password@am.example"} {
		path := filepath.Join(t.TempDir(), "bad.yaml")
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(text, secret+"/?key=s3cret-key", `"`+bad+`"`)), 0o600))
		out, err := exec.Command(harness.Binary(t), "validate", "--config", path).CombinedOutput()
		require.Error(t, err, bad)
		texts = append(texts, string(out))
	}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			assert.NotContains(t, line, "s3cret")
		}
	}
	elsewhere.mu.Lock()
	defer elsewhere.mu.Unlock()
	assert.Zero(t, elsewhere.asked, "nothing goes to where a redirect leads")
}

// TestAServerSaysHowLongToWait for months: alerts go to it as soon as the exporter's own interval is over.
func TestAServerSaysHowLongToWait(t *testing.T) {
	t.Parallel()
	for _, delay := range []string{"9999999", "9223372036854775807", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		t.Run(delay, func(t *testing.T) {
			t.Parallel()
			receiver, am := harness.FreeAddress(t), newAlertmanager(t)
			refused := false
			am.does(func(w http.ResponseWriter, _ *http.Request) bool {
				if refused {
					return false
				}
				refused = true
				w.Header().Set("Retry-After", delay)
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			})
			p := harness.Start(t, t.TempDir(), fmt.Sprintf(oneAlertmanager, receiver, am.URL, harness.FreeAddress(t), "http://127.0.0.1:1/metrics"))
			sendHighLoad(t, receiver, "first")
			am.await(t, "first")
			sendHighLoad(t, receiver, "second")
			am.await(t, "second")
			require.NoError(t, p.Stop(t, syscall.SIGTERM))
		})
	}
}

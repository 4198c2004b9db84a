package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A channel is tried out: what the server answered is said, and what is wrong, without secrets.
func TestNotify(t *testing.T) {
	t.Setenv("HOOK_TOKEN", "s3cretT0ken")
	t.Setenv("PAGER_KEY", "01234567890123456789012345678901") // It is text, though it has digits only.
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		if strings.Contains(r.URL.Path, "bad") {
			http.Error(w, "no such hook: "+r.URL.Path, http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, "ok, thanks")
	}))
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`
exporters:
  notify:
    channels:
      good: {type: slack, url: "`+server.URL+`/good/${env:HOOK_TOKEN}"}
      bad: {type: webhook, url: "`+server.URL+`/bad/${env:HOOK_TOKEN}"}
      pager: {type: pagerduty, url: "`+server.URL+`/v2/enqueue", routing_key: "${env:PAGER_KEY}"}
`), 0o600))
	try := func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		status := run(append([]string{"notify"}, args...), strings.NewReader(""), &stdout, &stderr)
		assert.NotContains(t, stdout.String()+stderr.String(), "s3cret")
		return status, stdout.String(), stderr.String()
	}
	status, said, wrong := try("--config", path, "--channel", "good")
	require.Equal(t, ok, status, wrong)
	assert.Contains(t, said, `good: told: 127.0.0.1:`)
	assert.Contains(t, said, `answered 200 OK: "ok, thanks"`)
	assert.Contains(t, bodies[0], "TEST INFO test")
	assert.Contains(t, bodies[0], "Nothing is wrong")

	status, _, wrong = try("--config", path, "--channel", "bad")
	assert.Equal(t, failed, status)
	assert.Contains(t, wrong, "answered 404 Not Found")

	bodies = nil
	status, said, wrong = try("--config", path, "--channel", "pager")
	assert.Equal(t, ok, status, wrong)
	require.Len(t, bodies, 2, "nobody is left with an incident")
	var events [2]struct {
		EventAction string `json:"event_action"`
		DedupKey    string `json:"dedup_key"`
	}
	for i := range events {
		require.NoError(t, json.Unmarshal([]byte(bodies[i]), &events[i]))
	}
	assert.Equal(t, "trigger resolve", events[0].EventAction+" "+events[1].EventAction)
	assert.Equal(t, events[0].DedupKey, events[1].DedupKey)
	assert.Contains(t, said, "and to its end")

	status, _, wrong = try("--config", path, "--channel", "nope")
	assert.Equal(t, failed, status)
	assert.Contains(t, wrong, `there is no channel "nope" (channels: bad, good, pager)`)
	status, _, _ = try("--config", path)
	assert.Equal(t, misuse, status)
	status, _, wrong = try("--config", path, "--channel", "good", "--component", "notify/other")
	assert.Equal(t, failed, status)
	assert.Contains(t, wrong, "notify/other")
}

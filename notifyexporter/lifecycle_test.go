package notifyexporter

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/otelcol-psutil/otelcol-psutil/notifyexporter/internal/metadata"
)

// watchedHost keeps the status that was reported last.
type watchedHost struct {
	*memory
	mu     sync.Mutex
	status *componentstatus.Event
}

func (h *watchedHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = e
}

func (h *watchedHost) last() componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.status == nil {
		return componentstatus.StatusNone
	}
	return h.status.Status()
}

// The exporter as the Collector runs it: workers tell by themselves, a dead channel is in the status and holds up no other, and after a restart what was
// not told is.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	// The server is dead for the first exporter, also where an attempt of it comes late.
	const life = "X-Life"
	var taken atomic.Int64
	mail := newServerOf(t, func(w http.ResponseWriter, r request) {
		if r.header.Get(life) == "first" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		taken.Add(1)
	})
	chat := newServerOf(t, func(http.ResponseWriter, request) {})
	got := func(s *serverOf) int { return len(s.requests()) }
	host := &watchedHost{memory: newMemory()}
	var ahead atomic.Int64
	start := func(which string) *notifier {
		cfg, err := configOf(t, `
accept_external_records: true
storage: disk
group_wait: 0s
messages_per_minute: 1000
retry_on_failure: {initial_interval: 10ms, max_interval: 50ms}
channels:
  mail: {type: webhook, url: "`+mail.URL+`", headers: {`+life+`: `+which+`}}
  chat: {type: webhook, url: "`+chat.URL+`"}
`)
		require.NoError(t, err)
		set := exportertest.NewNopSettings(metadata.Type)
		set.ID = component.MustNewID("notify")
		n, err := newNotifier(set, cfg, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
		require.NoError(t, err)
		created := n.now()
		n.elapsed = func() time.Duration { return n.now().Sub(created) }
		require.NoError(t, n.Start(t.Context(), host))
		return n
	}
	n := start("first")
	fire := disk("db1")
	require.NoError(t, n.ConsumeLogs(t.Context(), fire.logs()))
	require.Eventually(t, func() bool { return got(chat) == 1 && got(mail) > 1 }, time.Minute, 10*time.Millisecond)
	ahead.Store(int64(2 * time.Minute))
	require.Eventually(t, func() bool { return host.last() == componentstatus.StatusRecoverableError }, time.Minute, 10*time.Millisecond)
	require.NoError(t, n.Shutdown(t.Context()))
	require.NoError(t, n.Shutdown(t.Context()))

	n = start("second")
	require.Eventually(t, func() bool { return taken.Load() == 1 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, n.ConsumeLogs(t.Context(), fire.logs()))
	require.NoError(t, n.ConsumeLogs(t.Context(), fire.resolved(time.Minute).logs()))
	require.Eventually(t, func() bool { return taken.Load() == 2 && got(chat) == 2 }, time.Minute, 10*time.Millisecond)
	require.NoError(t, n.Shutdown(t.Context()))
	assert.EqualValues(t, 2, taken.Load(), "nothing is told twice")
}

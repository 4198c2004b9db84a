package events

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/systemd/systemdtest"
)

// unitHost is a host with a systemd of the test.
type unitHost struct {
	t       *testing.T
	manager *systemdtest.Manager
	watcher *Watcher
	log     *Log
	looks   int
}

func newUnitHost(t *testing.T) *unitHost {
	t.Helper()
	h := &unitHost{t: t, log: NewLog(100_000)}
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	h.manager = systemdtest.Serve(t, root)
	h.log.Follow()
	w, err := NewWatcher(Options{Root: root, Kinds: []Kind{UnitFailed}}, h.log)
	require.NoError(t, err)
	h.watcher = w
	t.Cleanup(func() { assert.NoError(t, w.Close()) })
	return h
}

// look looks until systemd has answered, and gives the events.
func (h *unitHost) look() (found []string) {
	h.t.Helper()
	h.looks++
	require.Eventually(h.t, func() bool {
		require.NoError(h.t, h.watcher.Look(time.Unix(1e6, 0)))
		return h.manager.Calls("ListUnitsByPatterns") >= h.looks && h.idle()
	}, time.Minute, time.Millisecond)
	events := h.log.Take(time.Unix(1e6, 0), false)
	h.log.Delivered(len(events))
	for _, e := range events {
		text, _, _ := strings.Cut(e.Text, ";")
		found = append(found, fmt.Sprintf("%v %s at %d", e.Field("systemd.unit.name"), text, e.Time.Unix()))
	}
	return found
}

// idle tells whether the last look had its answer: none is pending.
func (h *unitHost) idle() bool {
	s, ok := h.watcher.sources[0].(*unitSource)
	return ok && s.answered
}

// unit changes a service.
func (h *unitHost) unit(name, active, sub, result string, at int, invocation byte) {
	h.manager.Change(systemdtest.Unit{Name: name, ActiveState: active, SubState: sub, Properties: map[string]any{
		"StateChangeTimestamp": uint64(at) * 1e6, "InvocationID": []byte{invocation}, "Result": result, "ExecMainCode": int32(1), "ExecMainStatus": int32(3),
	}})
}

// TestUnitsThatRecover holds that each failure of a unit is told of once, whether it has failed at the next look, has been started by hand, or by systemd.
func TestUnitsThatRecover(t *testing.T) {
	h := newUnitHost(t)
	h.unit("old.service", "failed", "failed", "exit-code", 10, 1)
	assert.Empty(t, h.look(), "what was there before")
	assert.Empty(t, h.look())

	h.unit("hand.service", "failed", "failed", "exit-code", 11, 1)
	h.unit("hand.service", "active", "running", "success", 12, 2)
	assert.Equal(t, []string{"hand.service Unit hand.service has failed: exit-code at 11"}, h.look())
	assert.Empty(t, h.look())

	h.unit("hand.service", "failed", "failed", "exit-code", 13, 2)
	assert.Equal(t, []string{"hand.service Unit hand.service has failed: exit-code at 13"}, h.look())
	for range 2 * maxToldLooks {
		assert.Empty(t, h.look(), "it goes on to have failed")
	}

	h.unit("loop.service", "activating", "auto-restart", "signal", 14, 1)
	first := h.look()
	h.unit("loop.service", "activating", "auto-restart-queued", "signal", 15, 1)
	assert.Empty(t, h.look(), "the same failure")
	h.unit("loop.service", "active", "running", "success", 16, 2)
	h.unit("loop.service", "activating", "auto-restart", "signal", 17, 2)
	h.unit("loop.service", "active", "running", "success", 18, 3)
	h.unit("loop.service", "activating", "auto-restart", "signal", 19, 3)
	h.unit("loop.service", "failed", "failed", "start-limit-hit", 20, 3)
	assert.Equal(t, []string{
		"loop.service Unit loop.service has failed: signal at 14", "loop.service Unit loop.service has failed: signal at 17",
		"loop.service Unit loop.service has failed: signal at 19", "loop.service Unit loop.service has failed: start-limit-hit at 20",
	}, append(first, h.look()...))
	assert.Equal(t, int64(6), h.log.Count(UnitFailed))

	h.unit("new.service", "failed", "failed-before-auto-restart", "exit-code", 21, 1) // As since systemd 254.
	h.unit("new.service", "activating", "auto-restart", "exit-code", 22, 1)
	h.unit("new.service", "activating", "auto-restart-queued", "exit-code", 23, 1)
	assert.Equal(t, []string{"new.service Unit new.service has failed: exit-code at 21"}, h.look())
	assert.Empty(t, h.look())

	h.unit("always.service", "activating", "auto-restart", "success", 21, 1)
	assert.Empty(t, h.look(), "it ended well")
}

// TestUnitsAfterDisconnect holds that a systemd that went away, as with daemon-reexec, is listened to again.
func TestUnitsAfterDisconnect(t *testing.T) {
	h := newUnitHost(t)
	h.look()
	h.manager.Disconnect()
	h.unit("a.service", "failed", "failed", "exit-code", 11, 1)
	assert.Equal(t, []string{"a.service Unit a.service has failed: exit-code at 11"}, h.look(), "it has failed meanwhile")
	h.unit("a.service", "active", "running", "success", 12, 2)
	h.unit("a.service", "failed", "failed", "exit-code", 13, 2)
	h.unit("a.service", "active", "running", "success", 14, 3)
	assert.Equal(t, []string{"a.service Unit a.service has failed: exit-code at 13"}, h.look())
}

// TestUnitsFlood holds that failures that nobody can remember are counted.
func TestUnitsFlood(t *testing.T) {
	h := newUnitHost(t)
	h.look()
	const all = 3000
	for i := range all {
		h.manager.Signal("", systemdtest.Unit{Name: fmt.Sprintf("u%d.service", i), ActiveState: "failed", Properties: map[string]any{"StateChangeTimestamp": uint64(5e6)}})
	}
	h.look()
	assert.Equal(t, int64(all), h.log.Count(UnitFailed))
}

package systemd

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/systemd/systemdtest"
)

// following is a query that follows, of units that have failed.
func following() Query {
	return Query{States: append([]string{"failed"}, RestartStates...), Limit: 1000, Units: true, Failure: true, ChangeTime: true, Restarts: true, Follow: true}
}

// unitOf is a service in a state, since a time.
func unitOf(name, active, sub, result string, at int, invocation byte) systemdtest.Unit {
	return systemdtest.Unit{Name: name, ActiveState: active, SubState: sub, Properties: map[string]any{
		"StateChangeTimestamp": uint64(at) * 1e6, "InvocationID": []byte{invocation}, "Result": result, "ExecMainCode": int32(1),
		"ExecMainStatus": int32(3), "NRestarts": uint32(invocation),
	}}
}

// onEach runs a test with a peer that is asked directly, and one behind a bus.
func onEach(t *testing.T, test func(t *testing.T, root string, m *systemdtest.Manager)) {
	t.Helper()
	for _, private := range []bool{true, false} {
		t.Run(fmt.Sprint("private ", private), func(t *testing.T) {
			root := t.TempDir()
			m := systemdtest.Serve(t, root)
			if !private {
				require.NoError(t, os.Remove(filepath.Join(root, "run/systemd/private")))
			}
			test(t, root, m)
		})
	}
}

// failuresOf are those of a reading, as text.
func failuresOf(t *testing.T, r *Reader) (found []string, lost int) {
	t.Helper()
	s, err := r.Read(patient)
	require.NoError(t, err)
	for _, u := range s.Failures {
		found = append(found, fmt.Sprintf("%s %s/%s %s %d %d %d %s", u.Name, u.ActiveState, u.SubState, u.Result, u.ExitKind, u.ExitCode, u.Restarts, u.Invocation))
	}
	return found, s.Lost
}

// TestFollow holds that a unit that fails between two readings is told of, whatever it does then.
func TestFollow(t *testing.T) {
	onEach(t, func(t *testing.T, root string, m *systemdtest.Manager) {
		t.Helper()
		m.Set("running", unitOf("web-1.service", "active", "running", "success", 1, 1))
		r := slowly(root, following())
		t.Cleanup(func() { require.NoError(t, r.Close()) })
		found, _ := failuresOf(t, r)
		assert.Empty(t, found)

		m.Change(unitOf("web-1.service", "failed", "failed", "exit-code", 2, 1))
		m.Change(unitOf("web-1.service", "failed", "failed", "exit-code", 2, 1)) // Another property changed.
		m.Change(unitOf("web-1.service", "active", "running", "success", 3, 2))
		m.Change(unitOf("loop@a.service", "activating", "auto-restart", "signal", 2, 5))
		m.Change(unitOf("loop@a.service", "activating", "auto-restart-queued", "signal", 3, 5))
		m.Change(unitOf("loop@a.service", "active", "running", "success", 4, 6))
		m.Change(unitOf("always.service", "activating", "auto-restart", "success", 4, 6))
		m.Change(systemdtest.Unit{Name: "mnt-a\\x2db.mount", ActiveState: "failed", SubState: "failed", Properties: map[string]any{"StateChangeTimestamp": uint64(4e6)}})
		m.Change(systemdtest.Unit{Name: "mnt-a\\x2db.mount", ActiveState: "active", SubState: "mounted"})
		found, lost := failuresOf(t, r)
		assert.Equal(t, []string{
			"web-1.service failed/failed exit-code 1 3 1 01", "loop@a.service activating/auto-restart signal 1 3 5 05",
			"mnt-a\\x2db.mount failed/failed  -1 -1 -1 ",
		}, found)
		assert.Zero(t, lost)
		found, _ = failuresOf(t, r)
		assert.Empty(t, found)
		assert.Equal(t, 1, m.Calls("Subscribe"), "once a connection")
	})
}

// TestFollowAfterDisconnect holds that a connection that was lost is followed again.
func TestFollowAfterDisconnect(t *testing.T) {
	onEach(t, func(t *testing.T, root string, m *systemdtest.Manager) {
		t.Helper()
		m.Set("running", unitOf("a.service", "active", "running", "success", 1, 1))
		r := slowly(root, following())
		t.Cleanup(func() { require.NoError(t, r.Close()) })
		_, _ = failuresOf(t, r)
		m.Disconnect()
		_, _ = failuresOf(t, r)
		m.Change(unitOf("a.service", "failed", "failed", "exit-code", 2, 1))
		m.Change(unitOf("a.service", "active", "running", "success", 3, 2))
		found, _ := failuresOf(t, r)
		assert.Equal(t, []string{"a.service failed/failed exit-code 1 3 1 01"}, found)
	})
}

// TestFollowOthers holds that signals of others on the bus are not believed.
func TestFollowOthers(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	require.NoError(t, os.Remove(filepath.Join(root, "run/systemd/private")))
	r := slowly(root, following())
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	_, _ = failuresOf(t, r)
	m.Signal(":1.99", unitOf("a.service", "failed", "failed", "exit-code", 2, 1))
	found, _ := failuresOf(t, r)
	assert.Empty(t, found)
}

// TestFollowFlood holds that a flood of failures takes bounded memory, and is counted.
func TestFollowFlood(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	r := slowly(root, following())
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	_, _ = failuresOf(t, r)
	const all = 3 * maxFailures
	for i := range all {
		m.Signal("", unitOf("u"+strconv.Itoa(i)+".service", "failed", "failed", "exit-code", 2, 1))
	}
	found, lost := failuresOf(t, r)
	assert.Len(t, found, maxFailures)
	assert.Equal(t, all-maxFailures, lost)
}

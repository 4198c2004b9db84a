package systemd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/systemd/systemdtest"
)

// patient is longer than any answer takes.
const patient = time.Minute

// slowly is a reader that gives a machine which does much else time to answer.
func slowly(root string, q Query) *Reader {
	r := NewReader(NewClient(root), q)
	r.deadline = patient
	return r
}

func all() Query {
	return Query{
		Limit: 1000, Units: true, System: true, Restarts: true, Timers: true, Sockets: true, StartTime: true, ChangeTime: true, Failure: true,
	}
}

// TestRead holds each property that is asked for, against a peer that answers as systemd does.
func TestRead(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	m.Set("degraded",
		systemdtest.Unit{Name: "a.service", ActiveState: "failed", SubState: "failed", Properties: map[string]any{
			"NRestarts": uint32(7), "ActiveEnterTimestamp": uint64(1e15), "StateChangeTimestamp": uint64(2e15),
			"Result": "exit-code", "ExecMainCode": int32(1), "ExecMainStatus": int32(3), "InvocationID": []byte{1, 0xab},
		}},
		systemdtest.Unit{Name: "b.timer", ActiveState: "active", SubState: "waiting", Properties: map[string]any{"LastTriggerUSec": uint64(3e15)}},
		systemdtest.Unit{Name: "c.socket", ActiveState: "active", SubState: "listening", Properties: map[string]any{
			"NAccepted": uint32(12), "NRefused": uint32(2),
		}},
		systemdtest.Unit{Name: "never.timer", ActiveState: "inactive", SubState: "dead", Properties: map[string]any{"LastTriggerUSec": ^uint64(0)}},
	)
	r := slowly(root, all())
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	for range 2 { // The second by the same connection.
		s, err := r.Read(patient)
		require.NoError(t, err)
		assert.Equal(t, "degraded", s.State)
		assert.Equal(t, int64(1), s.Failed)
		none := Unit{Restarts: Unknown, Accepted: Unknown, Refused: Unknown, ExitCode: Unknown, ExitKind: Unknown}
		a, b, c, never := none, none, none, none
		a.Name, a.ActiveState, a.SubState, a.Restarts, a.Result, a.ExitKind, a.ExitCode = "a.service", "failed", "failed", 7, "exit-code", 1, 3
		a.Started, a.Changed, a.Invocation = time.Unix(1e9, 0), time.Unix(2e9, 0), "01ab"
		b.Name, b.ActiveState, b.SubState, b.LastTrigger = "b.timer", "active", "waiting", time.Unix(3e9, 0)
		c.Name, c.ActiveState, c.SubState, c.Accepted, c.Refused = "c.socket", "active", "listening", 12, 2
		never.Name, never.ActiveState, never.SubState = "never.timer", "inactive", "dead"
		assert.Equal(t, []Unit{a, b, c, never}, s.Units)
	}
}

// TestReadAsksForNothingElse holds that only what is wanted is asked for.
func TestReadAsksForNothingElse(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	m.Set("running", systemdtest.Unit{Name: "a.service", ActiveState: "active"}, systemdtest.Unit{Name: "b.timer", ActiveState: "active"})
	r := slowly(root, Query{Limit: 10, Units: true, Include: []string{"*.service"}})
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	s, err := r.Read(patient)
	require.NoError(t, err)
	require.Len(t, s.Units, 1)
	assert.Equal(t, 1, m.Calls("ListUnitsByPatterns"))
	assert.Zero(t, m.Calls("Get"))
	assert.Equal(t, int64(Unknown), s.Failed)
}

func TestReadLimitAndExclude(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	var units []systemdtest.Unit
	for i := range 200 { // More than are in flight at once.
		units = append(units, systemdtest.Unit{
			Name: "u" + strconv.Itoa(i) + ".service", ActiveState: "active", Properties: map[string]any{"NRestarts": uint32(i)},
		})
	}
	m.Set("running", units...)
	r := slowly(root, Query{Limit: 150, Units: true, Restarts: true, Exclude: []string{"u1?.service"}})
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	s, err := r.Read(patient)
	require.ErrorIs(t, err, ErrTooMany)
	require.Len(t, s.Units, 150)
	for _, u := range s.Units {
		assert.Equal(t, u.Name, "u"+strconv.FormatInt(u.Restarts, 10)+".service")
		assert.NotRegexp(t, `^u1\d\.service$`, u.Name)
	}
}

// TestNoSystemd holds that a host without systemd, or with a socket that nobody listens at any more, is none with a fault.
func TestNoSystemd(t *testing.T) {
	stale := t.TempDir()
	for _, name := range []string{"run/systemd/private", "run/dbus/system_bus_socket"} {
		path := filepath.Join(stale, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
	}
	for _, root := range []string{t.TempDir(), stale} {
		_, err := NewClient(root).Read(context.Background(), all())
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
}

// TestStalled holds that a systemd that does not answer costs the caller no more than its patience, and that the next answer is taken.
func TestStalled(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	m.Set("running", systemdtest.Unit{Name: "a.service", ActiveState: "active"})
	r := slowly(root, all())
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	m.Stall(true)
	r.deadline = 100 * time.Millisecond
	_, err := r.Read(time.Millisecond)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = r.Read(patient) // Until the deadline of the reading that goes on.
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	m.Stall(false)
	r.deadline = patient
	_, err = r.Read(patient)
	require.NoError(t, err)
}

// TestConnectionEnds holds that a connection that was lost is opened again.
func TestConnectionEnds(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	r := slowly(root, all())
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	_, err := r.Read(patient)
	require.NoError(t, err)
	m.Disconnect()
	_, err = r.Read(patient)
	require.Error(t, err)
	_, err = r.Read(patient)
	require.NoError(t, err)
}

// TestCloseEndsAReading holds that nobody waits for a systemd that does not answer.
func TestCloseEndsAReading(t *testing.T) {
	root := t.TempDir()
	m := systemdtest.Serve(t, root)
	m.Stall(true)
	r := slowly(root, all())
	_, err := r.Read(time.Millisecond)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, r.Close())
}

package events

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// TestOOMVictimsThatWereNeverSeen has this kernel kill processes that began and grew between two looks, beside one that somebody else killed, and one that
// ended by itself.
func TestOOMVictimsThatWereNeverSeen(t *testing.T) {
	const limit = 32 << 20
	group := fmt.Sprintf("oom-ends-%d.service", os.Getpid())
	procs := memoryGroup(t, group, limit)
	w, log := watchThisHost(t, OOMKill)
	s, ok := w.sources[0].(*oomSource)
	require.True(t, ok)
	if s.log != nil {
		require.NoError(t, s.log.close())
		s.log = nil
	}
	s.inferAlone()
	if s.ends == nil {
		if s.ends = listenForKills(""); s.ends == nil {
			testenv.Missing(t, "the kernel does not tell of the ends of processes")
		}
	}
	require.NoError(t, w.Look(time.Now()))
	log.Delivered(len(log.Take(time.Now(), false)))
	require.Error(t, exec.Command("/bin/sh", "-c", "kill -9 $$").Run())
	require.NoError(t, exec.Command("/bin/true").Run())
	victims := map[int64]bool{}
	for range 2 {
		victim := exec.Command("/bin/sh", "-c", "echo $$ >"+procs+" && exec tail /dev/zero")
		require.Error(t, victim.Run())
		victims[int64(victim.Process.Pid)] = true
	}
	require.NoError(t, w.Look(time.Now()))
	require.NoError(t, w.Look(time.Now()))
	for _, e := range log.Take(time.Now(), false) {
		if e.Field("system.oom_kill.cgroup") != "/"+group {
			continue
		}
		pid, _ := e.Field(keyPID).(int64)
		assert.True(t, victims[pid], "%v", e)
		delete(victims, pid)
		assert.Equal(t, "tail", e.Field(keyExecutable))
		if s.ends.statistics != nil {
			size, _ := e.Field("process.memory.usage").(int64)
			assert.Greater(t, size, int64(limit/2), "the most that it had")
		}
	}
	assert.Empty(t, victims, "each is told of")
}

// TestEndsBeforeTheCounter holds that a victim is found that ended while the look went on in which the counter had not moved yet, and none from before.
func TestEndsBeforeTheCounter(t *testing.T) {
	t.Parallel()
	s := &oomSource{ends: &killEnds{}}
	var events []Event
	look := func(due int64, ended ...sizedProcess) {
		s.infer(time.Unix(1, 0), due, ended, nil, func(e Event) { events = append(events, e) })
	}
	look(0, sizedProcess{pid: 7, resident: 100})
	look(0, sizedProcess{pid: 8, resident: 50})
	look(1)
	require.Len(t, events, 1)
	assert.Equal(t, int64(8), events[0].Field(keyPID))
	assert.Equal(t, "process_ends", events[0].Field(keyKillSource))
	look(1)
	look(0)
	look(0, sizedProcess{pid: 9, resident: 1})
	require.Len(t, events, 2, "a process that takes its time to end")
	assert.Equal(t, int64(9), events[1].Field(keyPID))
	look(1)
	for range maxEndLooks {
		assert.Len(t, events, 2)
		look(0)
	}
	require.Len(t, events, 3)
	assert.Nil(t, events[2].Field(keyPID), "nobody is made the victim twice")
}

// TestFindEnded holds who is taken for the victim of which kill, and when that is certain.
func TestFindEnded(t *testing.T) {
	a, b, unknown := sizedProcess{pid: 1, resident: 10, group: "/a/x"}, sizedProcess{pid: 2, resident: 20, group: "/b"}, sizedProcess{pid: 3, resident: 5}
	inA, inB := groupKills{path: "/a"}, groupKills{path: "/b"}
	for name, c := range map[string]struct {
		kills []inferredKill
		ended []sizedProcess
		want  string
	}{
		"none":                      {[]inferredKill{{}}, nil, "0 false;"},
		"one of the host":           {[]inferredKill{{}}, []sizedProcess{unknown}, "3 true;"},
		"one of the host, two died": {[]inferredKill{{}}, []sizedProcess{b, a}, "2 false;"},
		"each in its group":         {[]inferredKill{{group: &inA}, {group: &inB}}, []sizedProcess{b, a}, "1 true;2 true;"},
		"somebody else's":           {[]inferredKill{{group: &inA}}, []sizedProcess{b}, "0 false;"},
		"beside somebody else's":    {[]inferredKill{{group: &inA}}, []sizedProcess{b, a}, "1 true;"},
		"of a group not known":      {[]inferredKill{{group: &inA}}, []sizedProcess{b, unknown}, "3 true;"},
		"perhaps the other":         {[]inferredKill{{group: &inA}}, []sizedProcess{a, unknown}, "1 false;"},
		"twice in a group":          {[]inferredKill{{group: &inA}, {group: &inA}}, []sizedProcess{a, unknown}, "1 true;3 true;"},
		"of a group and the host":   {[]inferredKill{{}, {group: &inB}}, []sizedProcess{b, a}, "1 true;2 true;"},
	} {
		findEnded(c.kills, c.ended)
		got := ""
		for _, k := range c.kills {
			pid := int32(0)
			if k.victim != nil {
				pid = k.victim.pid
			}
			got += fmt.Sprint(pid, " ", k.certain, ";")
		}
		assert.Equal(t, c.want, got, name)
	}
}

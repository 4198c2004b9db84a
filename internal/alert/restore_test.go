package alert

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// store is storage that takes the ops of a snapshot.
type store map[string][]byte

func (s store) write(ops []Op) {
	for _, op := range ops {
		if op.Value == nil {
			delete(s, op.Key)
		} else {
			s[op.Key] = op.Value
		}
	}
}

// restartFrom stops the engine at one moment and starts another at a later one from what was stored.
func (r *rig) restartFrom(s store, stop, start float64) {
	r.t.Helper()
	s.write(r.engine.Snapshot(at(stop)))
	r.restart(start)
	require.NoError(r.t, r.engine.Restore(s, at(start)))
}

func TestRestart(t *testing.T) {
	t.Parallel()
	t.Run("firing=>restart=>firing: nothing is said again", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(0, 90)
		fire := r.drain()
		r.restartFrom(store{}, 10, 70)
		r.engine.Evaluate(at(70))
		r.step(75, 91)
		assert.Empty(t, r.transitions())
		r.step(90, 10)
		events := r.drain()
		require.Len(t, events, 1)
		assert.Equal(t, alertschema.TransitionResolve, events[0].Transition)
		assert.Equal(t, fire[0].EpisodeID, events[0].EpisodeID)
		assert.Equal(t, fire[0].EpisodeID+"-2", events[0].UID)
		assert.Equal(t, at(0).UnixNano(), events[0].StartedAt)
	})
	t.Run("firing=>restart=>cured while down: the resolve comes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(0, 90)
		r.drain()
		r.restartFrom(store{}, 10, 5000)
		r.step(5001, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("firing=>restart=>silence: the no-data policy takes its time again", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(0, 90)
		r.drain()
		r.restartFrom(store{}, 10, 1000)
		r.engine.Evaluate(at(1299))
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(1300))
		assert.Equal(t, []string{"no_data:warning"}, r.transitions())
		r.engine.Evaluate(at(1901))
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("pending=>restart: downtime does not count towards for", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.For = new(time.Minute) }), nil)
		r.step(0, 90)
		r.step(30, 90)
		r.restartFrom(store{}, 30, 630)
		r.step(645, 90) // 45 of the 60 seconds.
		assert.Empty(t, r.transitions())
		r.step(660, 90)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
	})
	t.Run("pending=>more than an hour down=>pending afresh", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.For = new(time.Minute) }), nil)
		r.step(0, 90)
		r.step(45, 90)
		r.restartFrom(store{}, 45, 4000)
		r.step(4015, 90)
		r.step(4060, 90)
		assert.Empty(t, r.transitions())
		r.step(4075, 90)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
	})
	t.Run("recovering=>restart: keep_firing_for is remembered", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.KeepFiringFor = new(time.Minute) }), nil)
		r.step(0, 90)
		r.drain()
		r.step(15, 10)
		r.step(45, 10)
		r.restartFrom(store{}, 45, 145)
		r.step(160, 10)
		assert.Empty(t, r.transitions())
		r.step(175, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("a rule with a window is ignored until the window is full again", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = time.Minute, "max" }), nil)
		r.step(0, 90)
		r.drain()
		r.restartFrom(store{}, 10, 20)
		for s := 30.0; s < 75; s += 15 {
			r.step(s, 10)
			assert.Empty(t, r.transitions(), "at %vs", s)
		}
		r.step(75, 10)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("undelivered events survive, in order and with their numbers", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		disks(r, 0, 3, func(int) float64 { return 90 })
		before := r.engine.Peek(nil, 10)
		r.engine.Ack(before[1].Seq)
		r.restartFrom(store{}, 1, 2)
		after := r.engine.Peek(nil, 10)
		for i := range before {
			before[i].Identity = nil // It is not stored.
		}
		assert.Equal(t, []event.Event{before[0], before[2]}, after)
	})
	t.Run("absent: a firing alert is held until the series is seen", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: time.Minute}}}, nil)
		r.step(0, 1)
		r.engine.Evaluate(at(60))
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
		r.restartFrom(store{}, 61, 100)
		r.engine.Evaluate(at(3000))
		assert.Empty(t, r.transitions())
		r.step(3010, 1)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("flapping is remembered", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		for i := range 6 {
			r.step(float64(i*15), []float64{90, 10}[i%2])
			r.drain()
		}
		r.restartFrom(store{}, 76, 80)
		r.step(90, 90)
		r.step(105, 10)
		assert.Empty(t, r.transitions())
		r.step(705, 10)
		assert.Equal(t, []string{"flapping_end:warning", "resolve"}, r.transitions())
	})
}

func TestReload(t *testing.T) {
	t.Parallel()
	reload := func(t *testing.T, edit func(*rules.RuleConfig)) (*rig, []string) {
		t.Helper()
		r := newRig(t, ladderRule(nil), nil)
		r.step(0, 99)
		r.drain()
		s := store{}
		s.write(r.engine.Snapshot(at(1)))
		edit(&r.cfg.Rules[0])
		r.restart(2)
		require.NoError(t, r.engine.Restore(s, at(2)))
		var reasons []string
		for _, ev := range r.drain() {
			reasons = append(reasons, ev.Transition.String()+" "+ev.Reason.String())
		}
		return r, reasons
	}
	t.Run("another text: silence", func(t *testing.T) {
		t.Parallel()
		r, said := reload(t, func(rc *rules.RuleConfig) { rc.Message = "new words" })
		assert.Empty(t, said)
		r.step(15, 99)
		assert.Empty(t, r.transitions())
	})
	t.Run("another threshold: the next value decides", func(t *testing.T) {
		t.Parallel()
		r, said := reload(t, func(rc *rules.RuleConfig) {
			rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: 80}, "critical": {Above: 99}}
		})
		assert.Empty(t, said)
		r.step(15, 99)
		assert.Equal(t, []string{"deescalate:warning"}, r.transitions())
	})
	t.Run("a level is gone: the alert goes on at the next lower one", func(t *testing.T) {
		t.Parallel()
		r, said := reload(t, func(rc *rules.RuleConfig) { rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: 80}} })
		assert.Equal(t, []string{"deescalate rule_changed"}, said, "nobody goes on believing in the level")
		r.step(15, 99)
		assert.Empty(t, r.transitions())
		r.step(30, 9)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("another selection: the old groups are closed", func(t *testing.T) {
		t.Parallel()
		r, said := reload(t, func(rc *rules.RuleConfig) { rc.GroupBy = []string{"a"} })
		assert.Equal(t, []string{"resolve rule_changed"}, said)
		r.step(15, 99)
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
	})
	t.Run("the rule is gone: one resolve", func(t *testing.T) {
		t.Parallel()
		_, said := reload(t, func(rc *rules.RuleConfig) { rc.Name = "other" })
		assert.Equal(t, []string{"resolve rule_removed"}, said)
	})
	t.Run("for is raised: what fires goes on firing", func(t *testing.T) {
		t.Parallel() // Prometheus puts it back to pending (TestFiringAlertResetToPendingOnHoldDurationIncrease); we do not.
		r, said := reload(t, func(rc *rules.RuleConfig) { rc.For = new(time.Hour) })
		assert.Empty(t, said)
		r.step(15, 99)
		assert.Empty(t, r.transitions())
	})
}

func TestSnapshotWritesWhatChanged(t *testing.T) {
	t.Parallel()
	keys := func(ops []Op) map[string]bool {
		out := map[string]bool{}
		for _, op := range ops {
			out[op.Key[:2]] = op.Value != nil
		}
		return out
	}
	r := newRig(t, ladderRule(nil), nil)
	r.step(0, 10)
	assert.Equal(t, map[string]bool{"me": true}, keys(r.engine.Snapshot(at(0))))
	r.step(15, 90)
	ops := r.engine.Snapshot(at(15))
	assert.Equal(t, map[string]bool{"me": true, "a/": true, "o/": true}, keys(ops))
	r.step(30, 90)
	assert.Equal(t, map[string]bool{"me": true}, keys(r.engine.Snapshot(at(30))))
	r.engine.Redo(ops)
	assert.Equal(t, map[string]bool{"me": true, "a/": true, "o/": true}, keys(r.engine.Snapshot(at(31))))
	r.drain()
	assert.Equal(t, map[string]bool{"me": true, "o/": false}, keys(r.engine.Snapshot(at(32))))
	r.step(45, 10)
	r.drain()
	for s := 60.0; s < 800; s += 15 {
		r.step(s, 10)
	}
	assert.Equal(t, map[string]bool{"me": true, "a/": false, "o/": false}, keys(r.engine.Snapshot(at(800))))
}

func TestRestoreOfCorruptState(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	disks(r, 0, 3, func(int) float64 { return 90 })
	good := store{}
	good.write(r.engine.Snapshot(at(1)))
	require.Len(t, good, 7)
	for key := range good {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			bad := maps.Clone(good)
			bad[key] = append([]byte{}, good[key]...)
			bad[key][len(bad[key])/2] ^= 0x40
			fresh := newRig(t, ladderRule(nil), nil)
			err := fresh.engine.Restore(bad, at(2))
			require.ErrorIs(t, err, attr.ErrCorrupt)
			disks(fresh, 15, 3, func(int) float64 { return 90 })
			disks(fresh, 30, 3, func(int) float64 { return 10 })
			fresh.drain()
			bad.write(fresh.engine.Snapshot(at(31)))
			again := newRig(t, ladderRule(nil), nil)
			require.NoError(t, again.engine.Restore(bad, at(32)), "the next snapshot has repaired it")
		})
	}
}

// TestRestoreWithoutMeta: without the time of the state nothing of it is of use, and it must not come back at the restart after that.
func TestRestoreWithoutMeta(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	r.step(0, 90)
	stored := store{}
	stored.write(r.engine.Snapshot(at(1)))
	for name, lose := range map[string]func(store){
		"its list is damaged": func(s store) { delete(s, metaKey) },
		"its value is gone":   func(s store) { s[metaKey] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := maps.Clone(stored)
			lose(s)
			fresh := newRig(t, ladderRule(nil), nil)
			require.EqualError(t, fresh.engine.Restore(s, at(60)),
				"meta is missing, so the time of the stored state is unknown and all of it is left out")
			assert.Empty(t, fresh.engine.Active())
			s.write(fresh.engine.Snapshot(at(61)))
			assert.Equal(t, []string{metaKey}, slices.Collect(maps.Keys(s)))
		})
	}
}

func TestExemplarLeadsToTheTrace(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	r.engine.Begin(at(0))
	m := r.engine.Matcher("m")
	require.True(t, m.Select(&r.origin, Stream{Unit: "1"}))
	m.Observe(&Point{Time: at(0).UnixNano(), Value: 90, Exemplar: &window.Exemplar{TraceID: [16]byte{7}, SpanID: [8]byte{9}}})
	r.engine.Flush(at(0))
	events := r.drain()
	require.Len(t, events, 1)
	assert.Equal(t, [16]byte{7}, events[0].TraceID)
	assert.Equal(t, [8]byte{9}, events[0].SpanID)
}

// versioned returns a stored value of a version and its content. The checksum is right, for it would keep a fuzzer out.
func versioned(version byte, content []byte) []byte {
	out := append([]byte{version}, content...)
	return binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(out))
}

// upgradeStates are the states that older builds have stored, by version.
func upgradeStates(tb testing.TB) map[byte]store {
	tb.Helper()
	states := map[byte]store{}
	for version := byte(1); version <= 2; version++ {
		text, err := os.ReadFile(fmt.Sprintf("../alertpipe/testdata/upgrade/version%d.json", version))
		require.NoError(tb, err)
		state := store{}
		require.NoError(tb, json.Unmarshal(text, &state))
		states[version] = state
	}
	return states
}

// FuzzRestore gives the engine all that a storage may return, under the keys that belong to it.
func FuzzRestore(f *testing.F) {
	cfg := rules.DefaultConfig()
	cfg.Rules = ladderRule(nil)
	ruleSet, err := rules.Compile(cfg)
	require.NoError(f, err)
	meta3 := attr.Unseal((&storedMeta{savedAt: base.UnixNano(), nextSeq: 3}).encode()).Bytes
	for version, state := range upgradeStates(f) {
		content := func(key string) []byte { return state[key][1 : len(state[key])-4] }
		for key, value := range state {
			f.Add(version, content(metaKey), content(indexKey), content(key), content(key))
			if s, err := decodeAlert(value); err == nil {
				f.Add(byte(3), meta3, []byte{}, attr.Unseal(s.encode()).Bytes, []byte{})
			}
			if ev, err := event.Decode(value); err == nil {
				f.Add(byte(3), meta3, []byte{}, []byte{}, attr.Unseal(event.Encode(&ev)).Bytes)
			}
		}
	}
	f.Fuzz(func(t *testing.T, version byte, meta, index, alert, ev []byte) {
		meta, index, alert, ev = versioned(version, meta), versioned(version, index), versioned(version, alert), versioned(version, ev)
		stored := map[string][]byte{metaKey: meta, indexKey: index, alertKey(7): alert, eventKey(1): ev}
		e := New(ruleSet, base)
		if s, err := decodeAlert(alert); err == nil {
			again, err := decodeAlert(s.encode())
			require.NoError(t, err)
			assert.Equal(t, s.encode(), again.encode())
			stored[alertKey(alertschema.AlertID(s.rule, s.group))] = alert
			other := New(ruleSet, base)
			other.adopt(other.states[0], &s, second)
			other.closeStored(7, &s, alertschema.ReasonRuleRemoved)
			other.Evaluate(at(3600))
			other.Snapshot(at(3601))
		}
		if ev, err := event.Decode(ev); err == nil {
			again, err := event.Decode(event.Encode(&ev))
			require.NoError(t, err)
			assert.Equal(t, event.Encode(&ev), event.Encode(&again))
		}
		_, _, _ = KeysOfVersion2(func(key string) ([]byte, error) { return stored[key], nil })
		_ = e.Restore(stored, at(1))
		e.Evaluate(at(2))
		e.Evaluate(at(3600))
		next := store(stored)
		next.write(e.Snapshot(at(3601)))
		delete(next, indexKey) // The store deletes it.
		require.NoError(t, New(ruleSet, base).Restore(next, at(3602)), "the next snapshot has repaired it")
	})
}

// What an upstream delivers again after a crash was decided upon before: it moves nothing, however old the state of then was.
func TestBatchesDecidedBeforeACrashDoNothing(t *testing.T) {
	t.Parallel()
	batches := []point{{s: 0, v: 90}, {s: 15, v: 10}, {s: 30, v: 95}, {s: 45, v: 99}}
	for _, flapping := range []bool{true, false} {
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Flapping = &rules.FlappingConfig{Enabled: &flapping} }), nil)
		for _, p := range batches {
			r.observe(p.s, p)
			r.drain()
		}
		episode := r.engine.states[0].order[0].alert.started
		s := store{}
		r.restartFrom(s, 45, 60)
		r.observe(60, batches...)
		assert.Empty(t, r.transitions(), "a resolve at 15 s would be older than the episode")
		require.Len(t, r.engine.Active(), 1)
		assert.Equal(t, episode, r.engine.Active()[0].Since.UnixNano())
		r.observe(75, point{s: 75, v: 10})
		events := r.drain()
		require.Len(t, events, 1, "what is new is decided upon")
		assert.Equal(t, at(75).UnixNano(), events[0].Time)

		// And the same once it has resolved, for as long as samples of then are taken.
		for now := 90.0; now < 330; now += 15 {
			r.observe(now, point{s: now, v: 10})
			r.engine.Evaluate(at(now))
		}
		r.restartFrom(s, 330, 340)
		for _, p := range append(batches, point{s: 60, v: 99}) {
			r.observe(340, p)
		}
		assert.Empty(t, r.transitions(), "flapping %v", flapping)
	}
}

// A clock that was set back must not make the alert deaf.
func TestDecisionsOfTheFutureDoNotBind(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	r.step(7200, 90)
	r.drain()
	s := store{}
	s.write(r.engine.Snapshot(at(7200)))
	r.restart(0)
	require.NoError(t, r.engine.Restore(s, at(0)))
	r.step(75, 10)
	assert.Equal(t, []string{"resolve"}, r.transitions())
}

func TestAbsenceOverRestarts(t *testing.T) {
	t.Parallel()
	gone := func(t *testing.T) *rig {
		t.Helper()
		return newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 4 * time.Minute}}}, nil)
	}
	t.Run("seen=>restart=>never again: it fires", func(t *testing.T) {
		t.Parallel()
		r := gone(t)
		r.step(0, 1)
		r.step(15, 1)
		r.restartFrom(store{}, 20, 100)
		r.engine.Evaluate(at(339))
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(340))
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
	})
	t.Run("never seen=>restart: it does not", func(t *testing.T) {
		t.Parallel()
		r := gone(t)
		r.engine.Evaluate(at(15))
		r.restartFrom(store{}, 20, 100)
		r.engine.Evaluate(at(5000))
		assert.Empty(t, r.transitions())
	})
	t.Run("a silence that had begun goes on, without the time of the restart", func(t *testing.T) {
		t.Parallel()
		r := gone(t)
		r.step(0, 1)
		for s := 15.0; s <= 180; s += 15 {
			r.engine.Evaluate(at(s))
		}
		s := store{}
		r.restartFrom(s, 180, 1000)
		r.engine.Evaluate(at(1059))
		assert.Empty(t, r.transitions())
		r.engine.Evaluate(at(1060))
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
		r.restartFrom(s, 1060, 2000)
		r.engine.Evaluate(at(2000))
		assert.Empty(t, r.transitions(), "it is firing already")
		r.step(2010, 1)
		assert.Equal(t, []string{"resolve"}, r.transitions())
	})
	t.Run("restarts in a row do not put it off for ever", func(t *testing.T) {
		t.Parallel()
		r := gone(t)
		r.step(0, 1)
		s := store{}
		now := 0.0
		for now < 1000 && r.engine.Pending() == 0 {
			for range 10 { // Two and a half minutes a life.
				now += 15
				r.engine.Evaluate(at(now))
			}
			r.restartFrom(s, now, now+1)
		}
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
		assert.LessOrEqual(t, now, 300.0)
	})
	t.Run("a series that is there costs no writes", func(t *testing.T) {
		t.Parallel()
		r := gone(t)
		r.step(0, 1)
		r.engine.Snapshot(at(0))
		for s := 15.0; s < 600; s += 15 {
			r.step(s, 1)
			require.Len(t, r.engine.Snapshot(at(s)), 1)
		}
		assert.Zero(t, r.engine.Stats(at(600)).Alerts)
	})
}

// What older builds stored is read whole, and stored again in the form of today.
func TestStoredByOlderBuilds(t *testing.T) {
	t.Parallel()
	alerts, events, before, today := 0, 0, 0, 0
	states := upgradeStates(t)
	for key, value := range states[2] {
		switch key[0] {
		case 'a':
			s, err := decodeAlert(value)
			require.NoError(t, err, key)
			older, err := decodeAlert(states[1][key])
			require.NoError(t, err, key)
			older.decided, older.seen, older.lastSample = s.decided, s.seen, s.lastSample
			assert.Equal(t, s, older)
			again, err := decodeAlert(s.encode())
			require.NoError(t, err)
			assert.Equal(t, s, again)
			alerts, before, today = alerts+1, before+len(value), today+len(s.encode())
		case 'o':
			ev, err := event.Decode(value)
			require.NoError(t, err, key)
			older, err := event.Decode(states[1][key])
			require.NoError(t, err, key)
			older.Point = ev.Point
			assert.Equal(t, ev, older)
			again, err := event.Decode(event.Encode(&ev))
			require.NoError(t, err)
			assert.Equal(t, ev, again)
			events, before, today = events+1, before+len(value), today+len(event.Encode(&ev))
		case 'm':
			m, err := decodeMeta(value)
			require.NoError(t, err)
			again, err := decodeMeta(m.encode())
			require.NoError(t, err)
			assert.Equal(t, m, again)
		}
	}
	assert.Greater(t, alerts, 50)
	assert.Greater(t, events, 15)
	assert.LessOrEqual(t, today, before, "bytes of the same state")
	t.Logf("%d alerts and %d events: %d bytes as version 2, %d bytes today", alerts, events, before, today)
}

// A field that a newer build has added is skipped, and one that is missing is as if it had no value.
func TestFieldsComeAndGo(t *testing.T) {
	t.Parallel()
	s := storedAlert{
		rule: "load", level: storedLevel{"warning", 13}, recovering: ladder.Unset, ended: ladder.Unset, decided: ladder.Unset, lastSample: ladder.Unset,
	}
	newer := attr.Unseal(s.encode()).Bytes
	newer = append(newer, 0xc0, 0x0c, 5) // Field 200: an integer, a text, a float.
	newer = append(newer, 0xc2, 0x0c, 3, 'n', 'e', 'w')
	newer = append(newer, 0xc1, 0x0c, 1, 2, 3, 4, 5, 6, 7, 8)
	got, err := decodeAlert(versioned(3, newer))
	require.NoError(t, err)
	assert.Equal(t, s, got)
	_, err = decodeAlert(versioned(3, append(newer, 0xc7, 0x0c)))
	require.ErrorIs(t, err, attr.ErrCorrupt, "a wire type that nobody knows the length of")
	_, err = decodeAlert(versioned(3, []byte{1 << 3, 1}))
	require.ErrorIs(t, err, attr.ErrCorrupt, "a text of another wire type")
}

// What older builds stored is found by the index that they kept.
func TestKeysOfVersion2(t *testing.T) {
	t.Parallel()
	state := upgradeStates(t)[2]
	get := func(key string) ([]byte, error) { return state[key], nil }
	values, obsolete, err := KeysOfVersion2(get)
	require.NoError(t, err)
	assert.Equal(t, []string{indexKey}, obsolete)
	assert.ElementsMatch(t, slices.Collect(maps.Keys(state)), append(values, obsolete...))

	state[indexKey] = []byte("damaged")
	values, obsolete, err = KeysOfVersion2(get)
	require.ErrorIs(t, err, attr.ErrCorrupt)
	assert.Equal(t, []string{metaKey}, values)
	assert.Equal(t, []string{indexKey}, obsolete)

	delete(state, indexKey)
	values, obsolete, err = KeysOfVersion2(get)
	require.NoError(t, err)
	assert.Equal(t, []string{metaKey}, values, "without alerts there was no index")
	assert.Equal(t, []string{indexKey}, obsolete)

	state[metaKey] = (&storedMeta{savedAt: 1, nextSeq: 1}).encode()
	values, obsolete, err = KeysOfVersion2(get)
	require.NoError(t, err)
	assert.Empty(t, values, "a later build wrote last")
	assert.Empty(t, obsolete)

	values, obsolete, err = KeysOfVersion2(func(string) ([]byte, error) { return nil, nil })
	require.NoError(t, err)
	assert.Empty(t, values)
	assert.Empty(t, obsolete)
	_, _, err = KeysOfVersion2(func(string) ([]byte, error) { return nil, errors.New("disk on fire") })
	require.EqualError(t, err, "disk on fire")
}

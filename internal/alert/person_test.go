package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertaction"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// silenceOf is a person's silence of the rule load, between two times in seconds.
func silenceOf(from, to float64) alertaction.Silence {
	return alertaction.Silence{ID: "00000000000000aa", Rule: "load", By: "anna", Comment: "disk is being changed", From: at(from), To: at(to)}
}

func moreOf(ev *event.Event, key string) string {
	for _, a := range ev.More {
		if a.Key == key {
			return a.Value.AsString()
		}
	}
	return ""
}

func TestPersonSilenceHoldsWhatBegins(t *testing.T) {
	r := newRig(t, ladderRule(nil), nil)
	require.NoError(t, r.engine.PutSilence(silenceOf(0, 100), at(0)))
	r.step(10, 85)
	r.step(20, 99)
	assert.Empty(t, r.transitions())
	r.step(101, 99)
	assert.Equal(t, []string{"fire:critical"}, r.transitions(), "what is still true when the silence ends is told then")
	assert.Empty(t, r.engine.Silences(at(101)))
}

func TestPersonSilenceOfAnAnnouncedAlert(t *testing.T) {
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.RepeatInterval = new(30 * time.Second) }), nil)
	r.step(10, 85)
	require.Equal(t, []string{"fire:warning"}, r.transitions())
	require.NoError(t, r.engine.PutSilence(silenceOf(12, 100), at(12)))
	records := r.drain()
	require.Len(t, records, 1)
	start := records[0]
	assert.Equal(t, alertschema.TransitionSilenceStart, start.Transition)
	assert.Equal(t, alertschema.StateFiring, start.State)
	assert.Equal(t, alertschema.ReasonPerson, start.Reason)
	assert.Equal(t, "warning", start.Severity)
	assert.Equal(t, "anna", moreOf(&start, alertschema.KeySilencedBy))
	assert.Equal(t, "2026-01-01T00:01:40Z", moreOf(&start, alertschema.KeySilencedUntil))
	assert.Equal(t, "disk is being changed", moreOf(&start, alertschema.KeyComment))
	assert.Equal(t, "silenced by anna until 2026-01-01 00:01 UTC (disk is being changed): load on db1: m is 85 (> 80)", start.Body)
	for s := 20.0; s < 100; s += 10 {
		r.step(s, 99)
	}
	assert.Empty(t, r.transitions(), "neither repeated nor escalated")
	r.step(101, 99)
	assert.Equal(t, []string{"silence_end:warning", "escalate:critical"}, r.transitions())
	r.step(110, 10)
	resolve := r.drain()
	require.Len(t, resolve, 1)
	assert.Equal(t, alertschema.TransitionResolve, resolve[0].Transition)
	assert.Empty(t, moreOf(&resolve[0], alertschema.KeySilencedBy))
}

func TestResolveGoesOutUnderAPersonSilence(t *testing.T) {
	r := newRig(t, ladderRule(nil), nil)
	r.step(10, 85)
	require.NoError(t, r.engine.PutSilence(silenceOf(12, 100), at(12)))
	r.drain()
	r.step(20, 1)
	resolve := r.drain()
	require.Len(t, resolve, 1)
	assert.Equal(t, alertschema.TransitionResolve, resolve[0].Transition)
	assert.Equal(t, "anna", moreOf(&resolve[0], alertschema.KeySilencedBy))
	r.step(101, 1)
	assert.Empty(t, r.transitions(), "nobody is told of the end of a silence of an alert that is over")
}

func TestPersonEndsASilence(t *testing.T) {
	r := newRig(t, ladderRule(nil), nil)
	r.step(10, 85)
	require.NoError(t, r.engine.PutSilence(silenceOf(12, 100), at(12)))
	r.drain()
	require.NoError(t, r.engine.EndSilence("00000000000000aa", "bert", at(14)))
	records := r.drain()
	require.Len(t, records, 1)
	assert.Equal(t, "no longer silenced, bert ended it: load on db1: m is 85 (> 80)", records[0].Body)
	require.ErrorIs(t, r.engine.EndSilence("00000000000000aa", "bert", at(15)), alertaction.ErrUnknownSilence)
	require.ErrorIs(t, r.engine.EndSilence("nonsense", "bert", at(15)), alertaction.ErrUnknownSilence)
}

func TestOverlappingPersonSilences(t *testing.T) {
	r := newRig(t, ladderRule(nil), nil)
	r.step(10, 85)
	require.NoError(t, r.engine.PutSilence(silenceOf(12, 50), at(12)))
	longer := alertaction.Silence{ID: "00000000000000bb", Group: map[string]string{"host.name": "db1"}, By: "bert", From: at(13), To: at(100)}
	require.NoError(t, r.engine.PutSilence(longer, at(13)))
	r.drain()
	r.step(60, 85)
	records := r.drain()
	for i := range records {
		assert.NotEqual(t, alertschema.TransitionSilenceEnd, records[i].Transition, "another one still covers it")
	}
	r.step(101, 85)
	assert.Equal(t, []string{"silence_end:warning"}, r.transitions())
}

func TestWhatAPersonSilenceCovers(t *testing.T) {
	rows := map[string]struct {
		edit func(*alertaction.Silence)
		want bool
	}{
		"the rule":            {func(*alertaction.Silence) {}, true},
		"the group":           {func(s *alertaction.Silence) { s.Rule, s.Group = "", map[string]string{"mountpoint": "/a"} }, true},
		"another group":       {func(s *alertaction.Silence) { s.Group = map[string]string{"mountpoint": "/b"} }, false},
		"the resource":        {func(s *alertaction.Silence) { s.Group = map[string]string{"host.name": "db1"} }, true},
		"both":                {func(s *alertaction.Silence) { s.Group = map[string]string{"host.name": "db1", "mountpoint": "/a"} }, true},
		"one of both":         {func(s *alertaction.Silence) { s.Group = map[string]string{"host.name": "db2", "mountpoint": "/a"} }, false},
		"an unknown key":      {func(s *alertaction.Silence) { s.Group = map[string]string{"x": ""} }, false},
		"an alert of another": {func(s *alertaction.Silence) { s.Alert = "0000000000000001" }, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.GroupBy = []string{"mountpoint"} }), nil)
			s := silenceOf(0, 100)
			row.edit(&s)
			require.NoError(t, r.engine.PutSilence(s, at(0)))
			r.observe(10, point{s: 10, v: 85, attrs: disk("/a")})
			r.engine.Evaluate(at(10))
			assert.Equal(t, row.want, len(r.transitions()) == 0)
		})
	}
}

func TestSilenceOfOneAlert(t *testing.T) {
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.GroupBy = []string{"mountpoint"} }), nil)
	r.observe(10, point{s: 10, v: 85, attrs: disk("/a")}, point{s: 10, v: 85, attrs: disk("/b")})
	records := r.drain()
	require.Len(t, records, 2)
	s := silenceOf(12, 100)
	s.Rule, s.Alert = "", records[0].AlertID
	require.NoError(t, r.engine.PutSilence(s, at(12)))
	silenced := r.drain()
	require.Len(t, silenced, 1)
	assert.Equal(t, records[0].AlertID, silenced[0].AlertID)
}

func TestAcknowledge(t *testing.T) {
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.RepeatInterval = new(20 * time.Second) }), nil)
	r.step(10, 85)
	fire := r.drain()
	require.Len(t, fire, 1)
	ack := alertaction.Acknowledgement{Alert: fire[0].AlertID, By: "anna", Comment: "on it"}
	require.NoError(t, r.engine.Acknowledge(ack, at(12)))
	records := r.drain()
	require.Len(t, records, 1)
	assert.Equal(t, alertschema.TransitionAcknowledge, records[0].Transition)
	assert.Equal(t, "acknowledged by anna (on it): load on db1: m is 85 (> 80)", records[0].Body)
	assert.Equal(t, "anna", moreOf(&records[0], alertschema.KeyAcknowledgedBy))
	assert.Equal(t, "2026-01-01T00:00:12Z", moreOf(&records[0], alertschema.KeyAcknowledgedAt))
	for s := 20.0; s < 100; s += 10 {
		r.step(s, 85)
	}
	assert.Empty(t, r.transitions(), "who looks after it needs no reminder")
	r.step(100, 99)
	escalated := r.drain()
	require.Len(t, escalated, 1, "but is told that it got worse")
	assert.Equal(t, alertschema.TransitionEscalate, escalated[0].Transition)
	assert.Equal(t, "anna", moreOf(&escalated[0], alertschema.KeyAcknowledgedBy))
	assert.Empty(t, moreOf(&escalated[0], alertschema.KeyComment))
	r.step(110, 1)
	r.step(120, 85)
	again := r.drain()
	require.Len(t, again, 2)
	assert.Equal(t, alertschema.TransitionFire, again[1].Transition)
	assert.Empty(t, moreOf(&again[1], alertschema.KeyAcknowledgedBy), "another episode is nobody's yet")
	for _, unknown := range []string{"", "nonsense", "0000000000000001"} {
		require.ErrorIs(t, r.engine.Acknowledge(alertaction.Acknowledgement{Alert: unknown, By: "anna"}, at(121)), alertaction.ErrUnknownAlert)
	}
}

// TestActionsOutliveARestart: silences and acknowledgements are stored, and a silence that ends while the engine is down is told of afterwards.
func TestActionsOutliveARestart(t *testing.T) {
	r := newRig(t, ladderRule(nil), nil)
	r.step(10, 85)
	fire := r.drain()
	require.NoError(t, r.engine.PutSilence(silenceOf(12, 100), at(12)))
	require.NoError(t, r.engine.Acknowledge(alertaction.Acknowledgement{Alert: fire[0].AlertID, By: "bert"}, at(13)))
	uids := map[string]bool{fire[0].UID: true}
	note := func() {
		for _, ev := range r.drain() {
			assert.False(t, uids[ev.UID], "%s is used twice", ev.UID)
			uids[ev.UID] = true
		}
	}
	note()
	values := map[string][]byte{}
	keep := func(now float64) {
		for _, op := range r.engine.Snapshot(at(now)) {
			if op.Value == nil {
				delete(values, op.Key)
			} else {
				values[op.Key] = op.Value
			}
		}
	}
	keep(14)
	r.restart(20)
	require.NoError(t, r.engine.Restore(values, at(20)))
	assert.Equal(t, []alertaction.Silence{silenceOf(12, 100)}, inUTC(r.engine.Silences(at(20))))
	assert.Empty(t, r.transitions())
	r.step(30, 99)
	assert.Empty(t, r.transitions(), "held by the silence of before")
	keep(31)
	r.restart(200)
	require.NoError(t, r.engine.Restore(values, at(200)))
	r.step(200, 99)
	records := r.drain()
	require.Len(t, records, 2)
	assert.Equal(t, alertschema.TransitionSilenceEnd, records[0].Transition)
	assert.Equal(t, alertschema.TransitionEscalate, records[1].Transition)
	assert.Equal(t, "bert", moreOf(&records[1], alertschema.KeyAcknowledgedBy))
	keep(201)
	for key := range values {
		_, there := silenceOfKey(key)
		assert.False(t, there, "a silence that has ended is not stored")
	}

	// A silence that is lost with a part of the state is told of, too.
	require.NoError(t, r.engine.PutSilence(silenceOf(201, 300), at(201)))
	r.drain()
	keep(202)
	for key := range values {
		if _, there := silenceOfKey(key); there {
			values[key] = []byte("damaged")
		}
	}
	r.restart(203)
	require.Error(t, r.engine.Restore(values, at(203)))
	assert.Equal(t, []string{"silence_end:critical"}, r.transitions())
}

func inUTC(silences []alertaction.Silence) []alertaction.Silence {
	for i := range silences {
		silences[i].From, silences[i].To = silences[i].From.UTC(), silences[i].To.UTC()
	}
	return silences
}

func TestSilencesOfPeopleAreBounded(t *testing.T) {
	r := newRig(t, ladderRule(nil), nil)
	for i := range alertaction.MaxSilences {
		s := silenceOf(0, 100)
		s.ID = alertschema.IDText(uint64(i + 1))
		require.NoError(t, r.engine.PutSilence(s, at(0)))
	}
	s := silenceOf(0, 100)
	s.ID = "ffffffffffffffff"
	require.ErrorIs(t, r.engine.PutSilence(s, at(0)), alertaction.ErrTooMany)
	require.NoError(t, r.engine.PutSilence(s, at(101)), "those that have ended make room")
	s.ID = "1"
	require.Error(t, r.engine.PutSilence(s, at(101)))
	s.ID, s.Rule = "fffffffffffffffe", "laod"
	require.ErrorIs(t, r.engine.PutSilence(s, at(101)), alertaction.ErrUnknownRule)
}

// TestActionsWithoutAttributes holds that records without actions are as before.
func TestActionsWithoutAttributes(t *testing.T) {
	r := newRig(t, ladderRule(nil), nil)
	r.step(10, 85)
	records := r.drain()
	require.Len(t, records, 1)
	assert.Equal(t, []attr.Attr(nil), records[0].More)
}

package history

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (f *feeder) alert(episode, transition string, ended bool) AlertRecord {
	r := AlertRecord{
		ID: "of " + episode, Episode: episode, UID: episode + transition, Transition: transition, State: "firing", Severity: "warning", SeverityNumber: 13,
		Time: f.at(), Started: epoch.UnixMicro(), Value: 0.9, Threshold: 0.8,
	}
	if ended {
		r.State, r.Ended = "resolved", f.at()
	}
	return r
}

func TestAlerts(t *testing.T) {
	f := newFeeder(t, nil)
	assert.True(t, f.Alert(f.alert("e1", "fire", false)))
	assert.False(t, f.Alert(f.alert("e1", "fire", false)), "a duplicate")
	f.now = f.now.Add(time.Minute)
	worse := f.alert("e2", "fire", false)
	worse.Started, worse.SeverityNumber = f.at(), 18
	assert.True(t, f.Alert(worse))
	got := f.Alerts(0, f.at()+1)
	assert.Equal(t, []string{"e2", "e1"}, got.Firing, "the most severe first")
	assert.Equal(t, "e2", got.Episodes[0].Episode, "the newest first")

	f.now = f.now.Add(time.Minute)
	assert.True(t, f.Alert(f.alert("e1", "resolve", true)))
	got = f.Alerts(f.at()+1, f.at()+2)
	assert.Equal(t, []string{"e2"}, got.Firing)
	require.Len(t, got.Episodes, 1, "one that goes on is always there")
	got = f.Alerts(epoch.UnixMicro(), f.at())
	require.Len(t, got.Episodes, 2)
	assert.Equal(t, f.at(), got.Episodes[1].Ended)
	assert.Len(t, got.Episodes[1].Transitions, 2)
	e, ok := f.Episode("e1")
	assert.True(t, ok)
	assert.Equal(t, "resolved", e.State)
	_, ok = f.Episode("none")
	assert.False(t, ok)
}

func TestAlertsAreBounded(t *testing.T) {
	f := newFeeder(t, func(c *Config) { c.MaxMemory, c.MaxSeries = 4<<20, 100 })
	for i := range 3000 {
		r := f.alert(fmt.Sprint(i), "fire", i%2 == 0)
		r.Message = strings.Repeat("<img onerror=alert(1)>", 5000)
		r.Attributes = []Attribute{{"system.filesystem.mountpoint", strings.Repeat("'", 10_000)}}
		f.Alert(r)
		c := f.Catalogue(f.now)
		require.LessOrEqual(t, c.Used, c.Limit)
	}
	for i := range 200 {
		f.Alert(AlertRecord{Episode: "long", UID: fmt.Sprint(i), Transition: "escalate", Time: f.at() + int64(i)})
		f.Notice(Notice{Time: f.at(), Message: strings.Repeat("x", 100_000)})
	}
	e, ok := f.Episode("long")
	require.True(t, ok)
	assert.Len(t, e.Transitions, maxTransitions)
	assert.Equal(t, 150, e.Dropped)
	assert.Equal(t, "0", e.Transitions[0].UID, "the first stays")
	got := f.Alerts(0, f.at()+1)
	assert.Len(t, got.Notices, maxNotices)
	assert.NotZero(t, got.Dropped)

	f.now = f.now.Add(forgetEpisodes + time.Hour)
	f.send("m", Gauge, 1)
	assert.Empty(t, f.Alerts(0, f.at()).Episodes)
}

// TestTheMomentOfAFire: a day later it still says who it was.
func TestTheMomentOfAFire(t *testing.T) {
	f := newFeeder(t, nil)
	for i := range 700 {
		v := float64(i % 3)
		if i >= 640 {
			v += 100
		}
		f.send("m", Gauge, v)
		f.table(f.process(1, "init", 0, 1), f.process(2, "burner", float64(max(i-640, 0)), 1), f.other(0))
		f.now = f.now.Add(time.Second)
	}
	r := f.alert("e", "fire", false)
	r.Started = f.at()
	f.Alert(r)
	assert.False(t, f.Keep("none"))
	require.True(t, f.Keep("e"))
	fired := f.at()
	for range 100 {
		f.now = f.now.Add(30 * time.Minute)
		f.send("m", Gauge, 1)
	}
	c, ok := f.Kept("e")
	require.True(t, ok)
	assert.Equal(t, uint32(0), c.Series[0].ID)
	assert.InDelta(t, 101, c.Series[0].After, 0.1)
	assert.Equal(t, "burner", c.Processes[0].Name)
	table := f.Table(fired)
	assert.Equal(t, c.Table, table.Time)
	require.Len(t, table.Rows, 2)
	assert.InDelta(t, 1, table.Rows[1].CPU, 0.01)
	_, ok = f.Kept("other")
	assert.False(t, ok)
}

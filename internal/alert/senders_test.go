package alert

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// known has so many hosts send what is well from second 0 until so long after, every 15 seconds.
func known(r *rig, hosts int, until float64) {
	r.t.Helper()
	for s := 0.0; s <= until; s += 15 {
		for i := range hosts {
			r.from(fmt.Sprint("db", i), "1", s, 1)
		}
		r.engine.Evaluate(at(s))
	}
	r.drain()
}

// flood has so many hosts that nobody has heard of send something that fires, each in a batch of its own.
func flood(r *rig, hosts int, s, v float64) {
	r.t.Helper()
	for i := range hosts {
		r.from(fmt.Sprint("invented", i), "1", s, v)
	}
}

// fires are the hosts of the fires that are drained.
func (r *rig) fires() []string {
	names, _ := fired(r.drain())
	return names
}

// TestFloodOfInventedHostsTakesNoPlaceOfKnownOnes has a thousand hosts that nobody has heard of fire, more severely and before. The hosts that were
// there before are announced at once, whichever limit is short.
func TestFloodOfInventedHostsTakesNoPlaceOfKnownOnes(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*rules.LimitsConfig){
		"defaults":                 func(*rules.LimitsConfig) {},
		"few places":               func(l *rules.LimitsConfig) { l.AlertsPerRule = 20 },
		"few places, many records": func(l *rules.LimitsConfig) { l.AlertsPerRule, l.EventsPerMinute = 20, 100_000 },
		"few records":              func(l *rules.LimitsConfig) { l.AlertsPerRule, l.EventsPerMinute = 100_000, 20 },
		"many places, few records": func(l *rules.LimitsConfig) { l.AlertsPerRule, l.EventsPerMinute = 2000, 60 },
		"few series":               func(l *rules.LimitsConfig) { l.Series = 100 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, ladderRule(nil), func(c *rules.Config) { edit(&c.Limits) })
			known(r, 10, 600)
			for _, s := range []float64{610, 625, 640} {
				flood(r, 1000, s, 99)
				r.engine.Evaluate(at(s))
			}
			r.drain()
			flood(r, 1000, 655, 99)
			r.drain()
			for i := range 10 {
				r.from(fmt.Sprint("db", i), "1", 655, 90)
				assert.Equal(t, []string{fmt.Sprint("db", i)}, r.fires(), "in the same batch")
			}
		})
	}
}

// TestHostsThatWereInventedLongAgo has the flood last until its hosts are known themselves: those that were there before come before them still.
func TestHostsThatWereInventedLongAgo(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.AlertsPerRule = 20 })
	for s := 0.0; s < 7200; s += 60 {
		for i := range 5 {
			r.from(fmt.Sprint("db", i), "1", s, 1)
		}
		if s > 900 {
			flood(r, 300, s, 99)
		}
		r.engine.Evaluate(at(s))
	}
	r.drain()
	r.from("db3", "1", 7200, 90)
	assert.Equal(t, []string{"db3"}, r.fires())
}

// TestKnownHostsAreKnownAfterARestart has the flood come first after a restart.
func TestKnownHostsAreKnownAfterARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.AlertsPerRule = 20 })
	stored := store{}
	known(r, 10, 1200)
	stored.write(r.engine.Snapshot(at(1200)))
	r.restart(1230)
	require.NoError(t, r.engine.Restore(stored, at(1230)))
	flood(r, 1000, 1231, 99)
	r.engine.Evaluate(at(1231))
	r.drain()
	for i := range 10 {
		r.from(fmt.Sprint("db", i), "1", 1232, 90)
		assert.Equal(t, []string{fmt.Sprint("db", i)}, r.fires())
	}
	// Those that send no more are forgotten in time.
	stored.write(r.engine.Snapshot(at(1240)))
	for s := 1300.0; s < 9*24*3600; s += 3600 {
		r.from("db0", "1", s, 1)
		r.engine.Evaluate(at(s))
		r.drain()
	}
	stored.write(r.engine.Snapshot(at(10 * 24 * 3600)))
	senders := 0
	for key := range stored {
		if _, ok := senderOfKey(key); ok {
			senders++
		}
	}
	assert.Equal(t, 1, senders)
}

// TestOneHostLeavesPlacesToOthers has a host with very many alerts.
func TestOneHostLeavesPlacesToOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.AlertsPerRule, c.Limits.EventsPerMinute = 20, 1000 })
	known(r, 10, 1200)
	r.origin.Reset()
	r.origin.Resource = []attr.Attr{attr.String("host.name", "db0")}
	var many []point
	for i := range 500 {
		many = append(many, point{s: 1215, v: 99, attrs: disk(fmt.Sprint(i))})
	}
	r.observe(1215, many...)
	assert.Len(t, r.fires(), 11, "one place is kept for each of the nine others")
	for i := 1; i < 10; i++ {
		r.from(fmt.Sprint("db", i), "1", 1216, 99)
		assert.Equal(t, []string{fmt.Sprint("db", i)}, r.fires())
	}
}

// TestOneHostAloneHasAllPlaces is what an agent sees.
func TestOneHostAloneHasAllPlaces(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.AlertsPerRule, c.Limits.EventsPerMinute = 20, 1000 })
	known(r, 1, 1200)
	var many []point
	for i := range 500 {
		many = append(many, point{s: 1215, v: 99, attrs: disk(fmt.Sprint(i))})
	}
	r.observe(1215, many...)
	assert.Len(t, r.fires(), 20)
}

// TestFullOutboxKeepsTheFiresOfKnownHosts has nobody take the records.
func TestFullOutboxKeepsTheFiresOfKnownHosts(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) {
		c.Limits.Outbox, c.Limits.EventsPerMinute, c.Limits.AlertsPerRule = 20, 1000, 1000
	})
	known(r, 5, 600)
	flood(r, 100, 615, 99)
	for i := range 5 {
		r.from(fmt.Sprint("db", i), "1", 616, 99)
	}
	flood(r, 100, 617, 99)
	names := r.fires()
	for i := range 5 {
		assert.Contains(t, names, fmt.Sprint("db", i))
	}
}

// TestSeriesOfKnownHostsFindRoom has a flood fill limits::series: the known host's new disk is watched all the same, and what is not is said once.
func TestSeriesOfKnownHostsFindRoom(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*rules.LimitsConfig){
		"series": func(l *rules.LimitsConfig) { l.Series = 1000 },
		"memory": func(l *rules.LimitsConfig) { l.MemoryMiB = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, ladderRule(nil), func(c *rules.Config) { edit(&c.Limits) })
			known(r, 2, 600)
			for round := range 4 {
				flood(r, 5000, 615+float64(round), 1)
				r.engine.Evaluate(at(615 + float64(round)))
			}
			r.origin.Reset()
			r.origin.Resource = []attr.Attr{attr.String("host.name", "db1")}
			r.observe(620, point{s: 620, v: 90, attrs: disk("/new")})
			assert.Equal(t, []string{"db1"}, r.fires())
			assert.Len(t, r.engine.TakeNotices(), 1)
		})
	}
}

// TestMemoryStaysWithinItsLimit has hosts come and go that are as long as they may be, with windows.
func TestMemoryStaysWithinItsLimit(t *testing.T) {
	t.Parallel()
	long := string(slices.Repeat([]byte("x"), 4000))
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate = 3600e9, "avg" }), func(c *rules.Config) { c.Limits.MemoryMiB = 2 })
	for i := range 5000 {
		r.origin.Reset()
		r.origin.Resource = []attr.Attr{attr.String("host.name", fmt.Sprint(i)), attr.String("a", long), attr.String("b", long)}
		r.observe(float64(i)/10, point{s: float64(i) / 10, v: 1})
	}
	r.engine.Evaluate(at(500))
	assert.Less(t, r.engine.memory(), int64(2<<20+16<<10), "but for what came last")
	assert.Positive(t, r.engine.Stats(at(500)).LimitsExceeded["memory_mib"])
	for s := 501.0; s < 4000; s++ {
		r.from("0", "1", s, 1)
		if int(s)%15 == 0 {
			r.engine.Evaluate(at(s))
		}
	}
	for s := 4000.0; s < 9000; s += 15 {
		r.engine.Evaluate(at(s))
	}
	assert.Zero(t, r.engine.Stats(at(9000)).Series)
	assert.Zero(t, r.engine.samplesHeld)
	held := int64(0)
	for _, state := range r.engine.states {
		for _, g := range state.order {
			held += g.size()
		}
	}
	assert.Equal(t, held, r.engine.held, "what has gone is not counted")
}

// TestJunkUnitsConcernNobodyElse has a sender send thousands of units, and a host one that is known, before and after.
func TestJunkUnitsConcernNobodyElse(t *testing.T) {
	t.Parallel()
	for name, bound := range map[string]any{"bytes": "5MiB", "bare": 5 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", Thresholds: map[string]rules.LevelConfig{"warning": {Above: bound}}}}, nil)
			junk := func(s float64) {
				for i := range 3000 {
					r.from("junk", fmt.Sprintf("unit%d-%s", i, string(slices.Repeat([]byte("y"), 2000))), s, 1)
				}
				r.engine.Evaluate(at(s))
			}
			junk(0)
			r.from("early", "By", 1, 6<<20)
			r.from("annotated", "{byte}By", 1, 1)
			junk(15)
			r.from("late", "MiBy", 16, map[string]float64{"bytes": 6, "bare": 6 << 20}[name])
			events := r.drain()
			var hosts []string
			errors := 0
			for _, ev := range events {
				assert.LessOrEqual(t, len(ev.Body), 512)
				assert.LessOrEqual(t, len(event.Encode(&ev)), 1024)
				if ev.Kind == alertschema.KindRuleError {
					errors++
					continue
				}
				host, _ := attr.Lookup(ev.Resource, "host.name")
				hosts = append(hosts, host.AsString())
			}
			assert.Contains(t, hosts, "early")
			assert.Contains(t, hosts, "late")
			assert.LessOrEqual(t, errors, 2, "one of each kind")
			assert.LessOrEqual(t, len(r.engine.TakeNotices()), 2)
		})
	}
}

// TestErrorsOfARuleAreFewAndExpire has a rule fail all the time, for one reason and then for another.
func TestErrorsOfARuleAreFewAndExpire(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "r", Metric: "m", Thresholds: map[string]rules.LevelConfig{"warning": {Above: "5MiB"}}}}, nil)
	said := 0
	for s := 0.0; s < 2*3600; s += 15 {
		r.from(fmt.Sprint("junk", int(s)%45), fmt.Sprint("unit", int(s)%315), s, 1)
		r.engine.Evaluate(at(s))
		for _, ev := range r.drain() {
			assert.Contains(t, ev.Body, "junk")
			said++
		}
	}
	assert.Equal(t, 2, said, "one an hour")
	assert.Len(t, r.engine.states[0].errors, 1)
	for s := 2.0 * 3600; s < 4*3600; s += 15 {
		r.from("well", "By", s, 1)
		r.engine.Evaluate(at(s))
	}
	assert.Empty(t, r.engine.states[0].errors)
	assert.Empty(t, r.drain())
}

// TestFirstUnitOfAGroupDecidesNothing has one group of many hosts, and a sender of another unit before, between and after them.
func TestFirstUnitOfAGroupDecidesNothing(t *testing.T) {
	t.Parallel()
	fleetRule := []rules.RuleConfig{{
		Name: "r", Metric: "m", GroupBy: []string{}, GroupAggregate: "sum", Thresholds: map[string]rules.LevelConfig{"warning": {Above: 100}},
	}}
	for name, order := range map[string][]string{
		"first":   {"junk", "db0", "db1", "db2"},
		"between": {"db0", "junk", "db1", "db2"},
		"last":    {"db0", "db1", "db2", "junk"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fleetRule, nil)
			for s := 0.0; s < 60; s += 15 {
				for _, sender := range order {
					unit := "By"
					if sender == "junk" {
						unit = "{junk}ms"
					}
					r.from(sender, unit, s, 50)
				}
				r.engine.Evaluate(at(s))
			}
			events := r.drain()
			var fires []event.Event
			for _, ev := range events {
				if ev.Kind == alertschema.KindStateChange {
					fires = append(fires, ev)
				}
			}
			require.Len(t, fires, 1)
			assert.InDelta(t, 150, fires[0].Value.Float64, 0)
			assert.Equal(t, "By", fires[0].Unit)
		})
	}
	t.Run("many later", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, fleetRule, func(c *rules.Config) { c.Limits.KnownAfter = 60e9 })
		for s := 0.0; s < 300; s += 15 {
			for i := range 3 {
				r.from(fmt.Sprint("db", i), "By", s, 50)
			}
			if s >= 120 {
				for i := range 100 {
					r.from(fmt.Sprint("junk", i), "ms", s, 1)
				}
			}
			r.engine.Evaluate(at(s))
		}
		active := r.engine.Active()
		require.Len(t, active, 1)
		assert.InDelta(t, 150, active[0].Value.Float64, 0)
		for s := 300.0; s < 3000; s += 15 { // When they have gone the others have the group.
			r.from("junk1", "ms", s, 1000)
			r.engine.Evaluate(at(s))
		}
		active = r.engine.Active()
		require.Len(t, active, 1)
		assert.InDelta(t, 1000, active[0].Value.Float64, 0)
		for s := 3000.0; s < 6000; s += 15 {
			r.engine.Evaluate(at(s))
		}
		assert.Empty(t, r.engine.apart)
		assert.Empty(t, r.engine.apartFrom)
		assert.Zero(t, r.engine.Stats(at(6000)).Series)
	})
}

// TestAbsenceOfInventedHostsEnds has hosts that nobody has heard of come and go, and one that was there for long go. That one is missed on.
func TestAbsenceOfInventedHostsEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{
		Name: "gone", Metric: "m", GroupBy: []string{"resource.host.name"}, Absent: &rules.AbsentConfig{For: 120e9}, Severity: "critical",
	}}, func(c *rules.Config) { c.Limits.Series, c.Limits.AlertsPerRule = 100, 20 })
	const day = 24 * 3600
	fires, resolves := map[string]int{}, map[string]int{}
	for s := 0.0; s < 3*day; s += 60 {
		r.from("db0", "1", s, 1)
		if s < 7200 {
			r.from("db1", "1", s, 1)
		}
		if s > 3600 && s < 4000 {
			flood(r, 500, s, 1)
		}
		r.engine.Evaluate(at(s))
		for _, ev := range r.drain() {
			host, _ := attr.Lookup(ev.Group, "host.name")
			switch ev.Transition {
			case alertschema.TransitionFire:
				fires[host.AsString()]++
			case alertschema.TransitionResolve:
				resolves[host.AsString()]++
				assert.Equal(t, alertschema.ReasonStale, ev.Reason)
			}
		}
		assert.LessOrEqual(t, r.engine.Stats(at(s)).Groups, 100)
	}
	assert.Equal(t, 1, fires["db1"])
	assert.Zero(t, resolves["db1"])
	active := r.engine.Active()
	require.Len(t, active, 1)
	delete(fires, "db1")
	delete(fires, "") // Of what is held back.
	assert.Equal(t, fires, resolves, "the others were missed for a day")
	assert.NotEmpty(t, resolves)
	assert.Equal(t, 2, r.engine.Stats(at(3*day)).Groups)
}

// TestHostSeenBeforeTheFlood has the host come moments before the flood, and no tick in between.
func TestHostSeenBeforeTheFlood(t *testing.T) {
	t.Parallel()
	for _, limits := range [][2]int{{200, 120}, {20, 1000}, {1000, 20}} {
		r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.AlertsPerRule, c.Limits.EventsPerMinute = limits[0], limits[1] })
		r.from("db0", "1", 0, 1)
		flood(r, 1000, 1, 99)
		r.drain()
		r.from("db0", "1", 2, 90)
		assert.Equal(t, []string{"db0"}, r.fires(), "%v", limits)
	}
}

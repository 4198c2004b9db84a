package alert

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

const aDay = 24 * 3600.0

// missing is a rule that misses m of a host, and one that only looks at n.
func missing() []rules.RuleConfig {
	return []rules.RuleConfig{
		{Name: "gone", Metric: "m", GroupBy: []string{"resource.host.name"}, Absent: &rules.AbsentConfig{For: 2 * time.Minute}, Severity: "critical"},
		{Name: "other", Metric: "n", Threshold: 1e9, Severity: "warning"},
	}
}

// sends has the host db1 send a metric from one time to another, and the engine look at each of these times.
func (r *rig) sends(metric string, from, to, step float64) {
	r.t.Helper()
	for s := from; s < to; s += step {
		r.metric = metric
		r.from("db1", "1", s, 1)
		r.engine.Evaluate(at(s))
	}
	r.metric = "m"
}

// A host that was there for a short time, was forgotten, and came back with another metric is missed on, for it is there.
func TestAHostThatCameBackIsMissedOn(t *testing.T) {
	t.Parallel()
	for _, restarts := range []bool{false, true} {
		r := newRig(t, missing(), func(c *rules.Config) { c.Defaults.StaleSeriesAfter = 2 * time.Minute })
		s := store{}
		r.sends("m", 0, 300, 15)
		for at0 := 300.0; at0 < 3600; at0 += 60 {
			r.engine.Evaluate(at(at0))
		}
		require.Equal(t, []string{"fire:critical"}, r.transitions())
		require.Empty(t, r.engine.senders.byID, "forgotten")
		r.sends("n", 3600, 2*3600, 60)
		if restarts {
			r.restartFrom(s, 2*3600, 2*3600+10)
		}
		r.sends("n", 2*3600+60, 3*aDay, 60)
		assert.Empty(t, r.transitions(), "restarts %v", restarts)
		assert.Len(t, r.engine.Active(), 1)
	}
}

// A host that was there for a short time is missed for a day, however often the engine is restarted meanwhile; one that was there for long is missed on.
func TestABriefHostIsForgottenOverRestarts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		there float64
		ends  bool
	}{"briefly": {300, true}, "for long": {2 * 3600, false}} {
		for _, every := range []float64{0, 5 * 3600} {
			t.Run(fmt.Sprint(name, " ", every), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, missing(), nil)
				s := store{}
				r.sends("m", 0, c.there, 15)
				next := every
				var ended float64
				for now := c.there; now < c.there+3*aDay; now += 60 {
					if every > 0 && now >= next {
						r.restartFrom(s, now, now)
						next += every
					}
					r.engine.Evaluate(at(now))
					for _, ev := range r.drain() {
						if ev.Transition == alertschema.TransitionResolve {
							assert.Equal(t, alertschema.ReasonStale, ev.Reason)
							ended = now - c.there
						}
					}
				}
				if c.ends {
					assert.InDelta(t, aDay, ended, 1800)
					assert.Empty(t, r.engine.Active())
				} else {
					assert.Zero(t, ended)
					assert.Len(t, r.engine.Active(), 1)
				}
			})
		}
	}
}

// A host whose one metric stopped soon, and that went on for long with another before a restart, was not there for a short time.
func TestAHostThatWentOnWithAnotherMetricIsMissedOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, missing(), nil)
	s := store{}
	r.sends("m", 0, 300, 15)
	s.write(r.engine.Snapshot(at(300)))
	for now := 300.0; now < 5*3600; now += 15 {
		r.sends("n", now, now+1, 15)
		s.write(r.engine.Snapshot(at(now)))
	}
	require.Equal(t, []string{"fire:critical"}, r.transitions())
	r.restartFrom(s, 5*3600, 5*3600+1)
	for now := 5.0*3600 + 60; now < 4*aDay; now += 60 {
		r.engine.Evaluate(at(now))
	}
	assert.Empty(t, r.transitions())
}

// Places are counted by what a sender is, whether it was forgotten in between or not, and none is left over when all have resolved.
func TestPlacesOfSendersThatComeBack(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := newRig(t, append(missing(), rules.RuleConfig{Name: "load", Metric: "m", Threshold: 80, Severity: "warning"}), func(c *rules.Config) {
			c.Silences = []rules.SilenceConfig{{All: true, From: at(300), To: at(3000)}, {All: true, From: at(9000), To: at(20000)}}
		})
		s := store{}
		now := 0.0
		check := func() {
			for _, state := range r.engine.states {
				for l := range state.places.byLevel {
					sum := 0
					for id, n := range state.places.byLevel[l].have {
						require.Positive(t, n, "of %x", id)
						sum += n
					}
					require.Equal(t, state.places.atLeast(l), sum)
				}
			}
			var sending []*sender
			for _, s := range r.engine.senders.byID {
				if r.engine.sends(s) {
					sending = append(sending, s)
				}
			}
			require.ElementsMatch(t, sending, r.engine.senders.order)
			require.True(t, slices.IsSortedFunc(r.engine.senders.order, func(a, b *sender) int { return cmp.Compare(a.since, b.since) }))
		}
		for range 300 {
			for host := range 4 {
				if random.IntN(3) > 0 {
					r.metric = []string{"m", "n"}[random.IntN(2)]
					r.from(fmt.Sprint("db", host), "1", now, float64(random.IntN(2)*100))
				}
			}
			now += []float64{15, 15, 15, 700, 1500}[random.IntN(5)]
			r.engine.Evaluate(at(now))
			check()
			if random.IntN(10) == 0 {
				r.restartFrom(s, now, now)
				check()
			}
			r.drain()
		}
	}
}

// Senders of whom nobody comes or goes are not put in order again.
func TestSendersAreSortedWhenOneReturns(t *testing.T) {
	t.Parallel()
	r := newRig(t, missing(), nil)
	for s := 0.0; s < 1200; s += 15 {
		for i := range 100 {
			r.metric = "n"
			r.from(fmt.Sprint("db", i), "1", s, 1)
		}
		before := r.engine.Work()
		r.engine.updateSenders()
		require.Equal(t, before, r.engine.Work())
	}
}

// A storage that has lost what it held is given all of it again.
func TestRedoAllStoresEverything(t *testing.T) {
	t.Parallel()
	r := newRig(t, append(missing(), rules.RuleConfig{
		Name: "change", Metric: "m", Change: &rules.ChangeConfig{Since: time.Hour}, Threshold: 50, Severity: "warning",
	}, rules.RuleConfig{Name: "load", Metric: "m", Threshold: 0.5, Severity: "warning"}), nil)
	all := store{}
	for s := 0.0; s < 1500; s += 15 {
		for _, host := range []string{"db1", "db2"} {
			r.from(host, "1", s, 1)
		}
		r.engine.Evaluate(at(s))
		r.engine.StoreHistories()
		all.write(r.engine.Snapshot(at(s)))
	}
	kinds := map[string]int{}
	for key := range all {
		kinds[key[:min(len(key), 2)]]++
	}
	for _, prefix := range []string{alertPrefix, eventPrefix, historyPrefix, senderPrefix, metaKey[:2]} {
		assert.Positive(t, kinds[prefix], prefix)
	}
	r.engine.RedoAll()
	again := store{}
	again.write(r.engine.Snapshot(at(1500)))
	assert.Equal(t, slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(again)))
}

package alert

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// arrival is a point on its way to a replica.
type arrival struct {
	now   float64
	point point
}

// replay feeds an engine points at the times at which they arrive, and lets time decide at ticks of its own.
func replay(r *rig, arrivals []arrival, phase, interval, end float64) []event.Event {
	slices.SortStableFunc(arrivals, func(a, b arrival) int {
		switch {
		case a.now < b.now:
			return -1
		case a.now > b.now:
			return 1
		default:
			return 0
		}
	})
	next := phase
	var events []event.Event
	tickTo := func(s float64) {
		for ; next < s; next += interval {
			r.engine.Evaluate(at(next))
			events = append(events, r.drain()...) // Handed out at once: what waits may be taken back.
		}
	}
	for _, a := range arrivals {
		tickTo(a.now)
		r.observe(a.now, a.point)
		events = append(events, r.drain()...)
	}
	tickTo(end)
	for i := range events {
		events[i].Seq, events[i].ObservedTime = 0, 0
	}
	slices.SortFunc(events, func(a, b event.Event) int {
		if a.Time != b.Time {
			return int(a.Time - b.Time)
		}
		return slices.Compare([]byte(a.UID), []byte(b.UID))
	})
	return events
}

// TestReplicasAgree gives two engines one feed: each point arrives at each a little later, at another moment, and each looks at what time decides
// at moments of its own. All records are the same but for when they were made.
func TestReplicasAgree(t *testing.T) {
	t.Parallel()
	n := uint64(300)
	if testing.Short() {
		n = 40
	}
	total, timed := 0, 0
	for seed := range n {
		random := rand.New(rand.NewPCG(seed, 3))
		interval := []float64{1, 10, 15, 60, 120, 300}[random.IntN(6)]
		ruleSet := timeRules(interval)
		if random.IntN(2) == 0 {
			ruleSet = append(ruleSet, rules.RuleConfig{
				Name: "flaps", Metric: "m", Threshold: 80, Severity: "warning",
				Flapping: &rules.FlappingConfig{Transitions: 4, Within: time.Duration(20 * interval * 1e9), StableFor: time.Duration(6.5 * interval * 1e9)},
			}, rules.RuleConfig{
				Name: "window", Metric: "m", Threshold: 70, Severity: "warning", Window: time.Duration(3.5 * interval * 1e9), Aggregate: "max",
				NoData: &rules.NoDataConfig{After: time.Duration(6.5 * interval * 1e9), Action: "resolve"},
			})
		}
		if random.IntN(2) == 0 {
			ruleSet = append(ruleSet, rules.RuleConfig{
				Name: "none left", Metric: "m", GroupBy: []string{}, GroupAggregate: "count",
				StaleSeriesAfter: new(time.Duration(300 * interval * 1e9)), // A forgotten series gathers again, and each replica forgets at its ticks.
				Thresholds:       map[string]rules.LevelConfig{"warning": {Below: 1}, "critical": {Below: 1, For: new(time.Duration(5.3 * interval * 1e9))}},
			})
		}
		var feeds [2][]arrival
		value, end := 10.0, 0.0
		gap := 0
		for i := range 150 {
			s := 100 + float64(i)*interval
			end = s
			if gap > 0 {
				gap--
				continue
			}
			if i > 5 && random.IntN(15) == 0 {
				gap = random.IntN(14)
			}
			if random.IntN(6) == 0 {
				value = []float64{10, 90, 99}[random.IntN(3)]
			}
			p := point{s: s, v: value}
			if i > 5 {
				switch random.IntN(30) {
				case 0:
					p.noValue = true
				case 1:
					continue
				}
			}
			for k := range feeds {
				feeds[k] = append(feeds[k], arrival{s + random.Float64()*0.02*interval, p})
			}
		}
		end += 40 * interval
		var got [2][]event.Event
		for k := range feeds {
			tick := max(1, interval*(0.3+random.Float64()*0.7))
			r := newRig(t, ruleSet, func(c *rules.Config) {
				c.EvaluationInterval = time.Duration(tick * 1e9)
				c.Limits.EventsPerMinute = 1 << 20
			})
			got[k] = replay(r, feeds[k], 100+random.Float64()*tick, tick, end)
		}
		for k := range got {
			got[k] = withoutShort(got[k], got[1-k])
		}
		require.Equal(t, listed(got[0]), listed(got[1]), "seed %d, interval %v", seed, interval)
		for i := range got[0] {
			require.Equal(t, got[0][i], got[1][i], "seed %d, interval %v", seed, interval)
			total++
			switch got[0][i].Reason {
			case alertschema.ReasonAbsent, alertschema.ReasonNoData, alertschema.ReasonStale:
				timed++
			}
		}
	}
	require.Greater(t, timed, int(n)*5)
	t.Logf("%d records, %d of them decided by time", total, timed)
}

// withoutShort leaves out the episodes that the other replica does not have, if they ended within one gap: who notices the gap only when it is
// over has the fire and the resolve at once, and hands out neither.
func withoutShort(events, other []event.Event) []event.Event {
	has, ends := map[string]bool{}, map[string]bool{}
	for i := range other {
		has[other[i].EpisodeID] = true
	}
	for i := range events {
		if events[i].Transition == alertschema.TransitionResolve {
			ends[events[i].EpisodeID] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(events), func(ev event.Event) bool { return !has[ev.EpisodeID] && ends[ev.EpisodeID] })
}

func listed(events []event.Event) string {
	out := ""
	for i := range events {
		out += fmt.Sprintf("%8.3f %s %s %s %s\n", float64(events[i].Time-base.UnixNano())/1e9, events[i].Rule, events[i].Transition, events[i].Severity, events[i].Reason)
	}
	return out
}

// TestOrderWithinARequestIsNoMatter feeds the same points in order, newest first and shuffled, in requests of several times.
func TestOrderWithinARequestIsNoMatter(t *testing.T) {
	t.Parallel()
	n := uint64(200)
	if testing.Short() {
		n = 30
	}
	for seed := range n {
		random := rand.New(rand.NewPCG(seed, 9))
		ruleSet := timeRules(15)
		for i, aggregate := range []string{"max", "min", "avg", "increase", "count"} {
			ruleSet = append(ruleSet, rules.RuleConfig{
				Name: fmt.Sprint("window", i), Metric: "m", Threshold: 70, Severity: "warning", Window: time.Minute, Aggregate: aggregate,
				LevelConfig: rules.LevelConfig{For: new(time.Duration(random.IntN(3)) * 15 * time.Second)},
			})
		}
		ruleSet = append(ruleSet, rules.RuleConfig{Name: "sum", Metric: "m", GroupBy: []string{}, GroupAggregate: "sum", Threshold: 150, Severity: "warning"},
			rules.RuleConfig{Name: "delayed", Metric: "m", Threshold: 70, Severity: "warning", NewSeriesDelay: new(40 * time.Second)})
		kind := []window.StreamKind{window.Gauge, window.CumulativeCounter, window.DeltaCounter}[random.IntN(3)]
		var requests [][]point
		values := make([]float64, 1+random.IntN(3))
		s := 0.0
		for range 30 {
			var request []point
			for range 1 + random.IntN(6) {
				s += 15
				if random.IntN(10) == 0 {
					s += float64(random.IntN(8)) * 15
				}
				for k := range values {
					if random.IntN(5) == 0 {
						values[k] = []float64{10, 90, 99}[random.IntN(3)]
					}
					request = append(request, point{s: s, v: values[k], attrs: disk(fmt.Sprint(k))})
				}
			}
			requests = append(requests, request)
		}
		edit := func(c *rules.Config) { c.Limits.EventsPerMinute, c.Limits.MaxSampleAge = 1<<20, time.Hour }
		play := func(order func([]point)) []event.Event {
			r := newRig(t, ruleSet, edit)
			r.kind = kind
			var events []event.Event
			for _, request := range requests {
				request = slices.Clone(request)
				now := request[len(request)-1].s + 1
				order(request)
				r.observe(now, request...)
				events = append(events, r.drain()...)
				r.engine.Evaluate(at(now + 1))
				events = append(events, r.drain()...)
			}
			return events
		}
		want := play(func([]point) {})
		for name, order := range map[string]func([]point){
			"newest first": slices.Reverse[[]point],
			"by series": func(ps []point) {
				slices.SortStableFunc(ps, func(a, b point) int {
					return slices.Compare([]byte(a.attrs[0].Value.AsString()), []byte(b.attrs[0].Value.AsString()))
				})
			},
			"shuffled": func(ps []point) { random.Shuffle(len(ps), func(i, j int) { ps[i], ps[j] = ps[j], ps[i] }) },
		} {
			got := play(order)
			require.Equal(t, listed(want), listed(got), "seed %d, %s", seed, name)
		}
	}
}

package alert

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// receiver is what stands behind the outbox: it drops duplicates by record uid and keeps what is open.
type receiver struct {
	t     *testing.T
	story string
	seen  map[string]alertschema.Transition
	open  map[string]string // Alert to episode.
	times map[string]int64  // Newest time of each episode.
}

func newReceiver(t *testing.T, story string) *receiver {
	t.Helper()
	return &receiver{t: t, story: story, seen: map[string]alertschema.Transition{}, open: map[string]string{}, times: map[string]int64{}}
}

// take checks one record against everything that came before it.
func (r *receiver) take(ev *event.Event) {
	r.t.Helper()
	if ev.Kind != alertschema.KindStateChange {
		return
	}
	if before, dup := r.seen[ev.UID]; dup {
		require.Equal(r.t, before, ev.Transition, "%s: one uid, two stories", r.story)
		return
	}
	r.seen[ev.UID] = ev.Transition
	require.GreaterOrEqual(r.t, ev.Time, max(r.times[ev.EpisodeID], ev.StartedAt), "%s: %s goes back in time", r.story, ev.Transition)
	require.True(r.t, !ev.Ended || ev.EndedAt >= ev.StartedAt, "%s: it ends before it begins", r.story)
	r.times[ev.EpisodeID] = ev.Time
	episode, open := r.open[ev.AlertID]
	if ev.Transition == alertschema.TransitionFire {
		require.False(r.t, open, "%s: a fire beside a firing alert: %+v", r.story, ev)
		r.open[ev.AlertID] = ev.EpisodeID
		return
	}
	require.True(r.t, open, "%s: %s without a fire: %+v", r.story, ev.Transition, ev)
	require.Equal(r.t, episode, ev.EpisodeID, "%s: %s of another episode", r.story, ev.Transition)
	if ev.Transition == alertschema.TransitionResolve {
		delete(r.open, ev.AlertID)
	}
	if ev.Transition == alertschema.TransitionEscalate || ev.Transition == alertschema.TransitionDeescalate {
		require.NotEqual(r.t, ev.Severity, ev.PreviousSeverity, r.story)
	}
}

// randomRule draws a rule on the metric m.
func randomRule(random *rand.Rand, n int) rules.RuleConfig {
	spans := []time.Duration{0, 0, 15 * time.Second, 45 * time.Second, 2 * time.Minute}
	rc := rules.RuleConfig{
		Name: fmt.Sprintf("r%d", n), Metric: "m",
		Thresholds: map[string]rules.LevelConfig{"warning": {Above: 60.0}, "critical": {Above: 85.0}},
		NoData:     &rules.NoDataConfig{After: 2 * time.Minute, Action: []string{"keep", "resolve", "alert", "close"}[random.IntN(4)]},
	}
	if random.IntN(2) == 0 {
		rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: 60.0, Clear: 40.0}, "critical": {Above: 85.0, Clear: 70.0}}
	}
	rc.For, rc.KeepFiringFor = new(spans[random.IntN(5)]), new(spans[random.IntN(5)])
	switch random.IntN(4) {
	case 0:
		rc.Window, rc.Aggregate = time.Minute, []string{"avg", "max", "min", "p90"}[random.IntN(4)]
	case 1:
		rc.Lookback = "1m"
	case 2:
		rc.GroupBy = []string{}
		rc.GroupAggregate = []string{"", "max", "avg"}[random.IntN(3)]
	}
	switch random.IntN(6) {
	case 0:
		rc.OnlyIf = &rules.ConditionConfig{Metric: "m", Below: 95.0}
	case 1:
		rc.OnlyIf = &rules.ConditionConfig{Metric: "m", Match: map[string]any{"mountpoint": "0"}, Above: 20.0}
		rc.GroupBy = []string{}
	case 2:
		side := func(disk string) rules.SelectorConfig {
			return rules.SelectorConfig{Metric: "m", Match: map[string]any{"mountpoint": disk}}
		}
		rc.Metric, rc.Ratio, rc.Scale = "", &rules.RatioConfig{Numerator: side("1"), Denominator: side("0")}, new(30.0)
	}
	rc.RepeatInterval = new(spans[random.IntN(5)])
	rc.Flapping = &rules.FlappingConfig{Enabled: new(random.IntN(2) == 0), Transitions: 4, Within: 5 * time.Minute, StableFor: time.Minute}
	return rc
}

// history plays one random history: values, gaps, markers, late and double samples, storms, silences, failed deliveries,
// crashes and restarts. It ends in good health, with everything delivered.
func history(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	story := fmt.Sprintf("seed %d", seed)
	var ruleSet []rules.RuleConfig
	for n := range 1 + random.IntN(3) {
		ruleSet = append(ruleSet, randomRule(random, n))
	}
	r := newRig(t, ruleSet, func(c *rules.Config) {
		c.Limits.EventsPerMinute = []int{1, 3, 1000}[random.IntN(3)]
		c.Limits.AlertsPerRule = []int{2, 100}[random.IntN(2)]
		c.Limits.Outbox = []int{2, 5, 1000}[random.IntN(3)]
		if random.IntN(2) == 0 {
			c.Silences = []rules.SilenceConfig{{All: true, From: at(200), To: at(500)}}
		}
	})
	r.metric = "m"
	rcv := newReceiver(t, story)
	stored := store{}
	values := make([]float64, 1+random.IntN(6))
	s := 0.0
	deliver := func() {
		stored.write(r.engine.Snapshot(at(s)))
		for _, ev := range r.engine.Peek(nil, 1+random.IntN(4)) {
			rcv.take(&ev)
			if random.IntN(10) > 0 {
				r.engine.Ack(ev.Seq)
			}
		}
	}
	for range 120 {
		s += 15
		var points []point
		for i := range values {
			values[i] = min(100, max(0, values[i]+random.NormFloat64()*25))
			p := point{s: s, v: values[i], attrs: disk(fmt.Sprint(i))}
			switch random.IntN(25) {
			case 0:
				continue
			case 1:
				p.noValue = true
			case 2:
				p.v = math.NaN()
			case 3:
				p.s -= 20
			case 4:
				p.v = math.Inf(1)
			}
			points = append(points, p)
		}
		if random.IntN(12) == 0 {
			s += float64(random.IntN(400)) // An outage.
			continue
		}
		cut := random.IntN(len(points) + 1) // The batch may be split on its way.
		r.observe(s, points[:cut]...)
		deliverMaybe(random, deliver)
		r.observe(s, points[cut:]...)
		r.engine.Evaluate(at(s))
		deliverMaybe(random, deliver)
		checkBounds(t, r, story)
		if random.IntN(30) == 0 { // What was not stored is lost, as by kill -9.
			if random.IntN(2) == 0 {
				deliver()
			}
			r.restart(s)
			require.NoError(t, r.engine.Restore(stored, at(s)), story)
		}
	}
	for range 400 {
		s += 15
		for i := range values {
			r.observe(s, point{s: s, v: 1, attrs: disk(fmt.Sprint(i))})
		}
		r.engine.Evaluate(at(s))
		deliver()
	}
	require.Zero(t, r.engine.Pending(), story)
	require.Empty(t, rcv.open, "%s: fires without a resolve", story)
	require.Empty(t, r.engine.Active(), story)
	require.Empty(t, r.engine.deferred, story)
	for _, state := range r.engine.states {
		require.Zero(t, state.places.total, story)
	}
}

func deliverMaybe(random *rand.Rand, deliver func()) {
	if random.IntN(3) > 0 {
		deliver()
	}
}

func checkBounds(t *testing.T, r *rig, story string) {
	t.Helper()
	limit := r.cfg.Limits.AlertsPerRule * 2 // A place for each level.
	for _, state := range r.engine.states {
		require.LessOrEqual(t, state.places.total, r.cfg.Limits.AlertsPerRule*len(state.levels), story)
	}
	for _, g := range r.engine.alerts {
		if a := g.alert; a.Level > 0 && a.announced == 0 && !a.flap.Latched {
			require.NotEqual(t, notDeferred, a.deferred, "%s: it fires, and nobody will ever hear of it", story)
		}
	}
	// Beyond its limit the outbox holds what must not be lost: one record for each alert that had been announced.
	room := r.cfg.Limits.Outbox + limit*len(r.engine.states)
	room += r.engine.outbox.Attempted()
	require.LessOrEqual(t, r.engine.Pending(), room, story)
}

func TestRandomHistories(t *testing.T) {
	t.Parallel()
	n := uint64(300)
	if testing.Short() {
		n = 30
	}
	for seed := range n {
		history(t, seed)
	}
}

// promAlert is one alert of the reference model: Prometheus' state machine, written down from its documentation.
type promAlert struct {
	active, firing, keeping bool
	activeAt, keepSince     float64
}

func (a *promAlert) eval(t float64, breached bool, forDuration, keepFiringFor float64) {
	switch {
	case breached:
		a.keeping = false
		if !a.active {
			a.active, a.activeAt, a.firing = true, t, false
		}
		if t-a.activeAt >= forDuration {
			a.firing = true
		}
	case a.active && !a.firing:
		*a = promAlert{}
	case a.firing:
		if !a.keeping {
			a.keeping, a.keepSince = true, t
		}
		if t-a.keepSince >= keepFiringFor {
			*a = promAlert{}
		}
	}
}

// TestLikePrometheus plays random series through the engine and the reference model: with one level, no clear, a fixed
// lookback and no_data resolve the two must agree at every step.
func TestLikePrometheus(t *testing.T) {
	t.Parallel()
	n := uint64(400)
	if testing.Short() {
		n = 40
	}
	for seed := range n {
		random := rand.New(rand.NewPCG(seed, 11))
		forDuration, keepFiringFor := float64(random.IntN(6)*15), float64(random.IntN(6)*15)
		r := newRig(t, []rules.RuleConfig{{
			Name: "x", Metric: "m", Threshold: 50, Severity: "warning", Lookback: "5m",
			NoData:      &rules.NoDataConfig{After: 5 * time.Minute, Action: "resolve"},
			LevelConfig: rules.LevelConfig{For: new(time.Duration(forDuration * 1e9)), KeepFiringFor: new(time.Duration(keepFiringFor * 1e9))},
			Flapping:    &rules.FlappingConfig{Enabled: new(false)},
		}}, func(c *rules.Config) { c.Limits.EventsPerMinute = 1 << 30 })
		var model promAlert
		last, lastAt, firing := math.NaN(), math.Inf(-1), false
		gap := 0
		for s := 15.0; s < 15*300; s += 15 {
			if gap > 0 {
				gap--
			} else {
				p := point{s: s, v: 50 + math.Round(random.NormFloat64()*4)}
				switch random.IntN(40) {
				case 0:
					gap = random.IntN(40)
				case 1:
					p.noValue = true
				case 2:
					p.v = math.Inf(1 - 2*random.IntN(2))
				}
				r.observe(s, p)
				last, lastAt = p.v, s
				if p.noValue {
					last = math.NaN()
				}
			}
			r.engine.Evaluate(at(s))
			model.eval(s, last > 50 && s-lastAt < 300, forDuration, keepFiringFor)
			for _, ev := range r.drain() {
				switch ev.Transition {
				case alertschema.TransitionFire:
					firing = true
				case alertschema.TransitionResolve:
					firing = false
				default:
					require.Failf(t, "unexpected", "seed %d at %vs: %s", seed, s, ev.Transition)
				}
			}
			require.Equal(t, model.firing, firing, "seed %d at %vs, for %vs, keep %vs", seed, s, forDuration, keepFiringFor)
		}
	}
}

func TestStateIsBoundedUnderEndlessChurn(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.Series, c.Limits.Outbox = 200, 50 })
	stored := store{}
	n := 0
	for s := 0.0; s < 7200; s += 15 {
		points := make([]point, 50)
		for i := range points {
			n++
			points[i] = point{s: s, v: float64(60 + n%41), attrs: disk(fmt.Sprint(n))}
		}
		r.observe(s, points...)
		r.engine.Evaluate(at(s))
		if int(s)%300 == 0 {
			r.drain()
			stored.write(r.engine.Snapshot(at(s)))
		}
		stats := r.engine.Stats(at(s))
		require.LessOrEqual(t, stats.Series, 200)
		require.LessOrEqual(t, stats.Groups, 600, "a group outlives its series by its alert's time at most")
		require.LessOrEqual(t, stats.Outbox, 50+200)
		require.LessOrEqual(t, len(stored), 1000)
	}
	for s := 7200.0; s < 12000; s += 15 {
		r.engine.Evaluate(at(s))
		r.drain()
	}
	stored.write(r.engine.Snapshot(at(12000)))
	stats := r.engine.Stats(at(12000))
	assert.Zero(t, stats.Series)
	assert.Zero(t, stats.Groups)
	assert.Zero(t, stats.Alerts)
	assert.Empty(t, r.engine.resources)
	assert.Len(t, stored, 1, "the time of the snapshot")
}

package oracle

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ruletest"
)

// generator makes one comparison from a seed.
type generator struct {
	*rand.Rand
	comparison
	counter bool
	// infinity is the sign of the infinities that may occur, 0 for none: one of each would make a NaN of a sum.
	infinity int
	// born and die tell whether series may begin late and end early.
	born, die bool
}

func generate(tb testing.TB, seed uint64) *comparison {
	tb.Helper()
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0x6f7261636c65))}
	g.rule.scale = 1
	g.rule.cmp = pick(g, "above", "above", "below", "outside", "inside")
	g.rule.lookback = pick(g, time.Minute, 150*time.Second, 5*time.Minute, 5*time.Minute)
	g.interval, g.evaluation = 15*time.Second, 15*time.Second
	g.chooseValue()
	g.chooseGroups()
	// Between the ticks a group is evaluated when a sample of its own comes, and a sum's first one waits for the tick, so there
	// one series has to stand for itself.
	single := len(g.streams) == 1 && g.rule.groupAgg == "" && g.rule.match == nil
	switch {
	case g.chance(4):
		g.interval = pick(g, 30*time.Second, 45*time.Second)
	case single && g.rule.change == 0 && g.chance(2):
		g.interval = pick(g, 5*time.Second, 10*time.Second, 20*time.Second, 25*time.Second)
	}
	for i := range g.streams {
		g.fill(&g.streams[i])
	}
	g.until = time.Duration(len(g.streams[0].samples))*g.interval + pick(g, 0, g.rule.noDataAfter()+time.Minute)
	g.chooseLevels(tb)
	g.chooseConditions(seed)
	return &g.comparison
}

func (g *generator) chance(one int) bool { return g.IntN(one) == 0 }

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

func (g *generator) seconds(limit int) time.Duration {
	return time.Duration(g.IntN(limit+1)) * time.Second
}

// chooseValue decides what the rule's value is.
func (g *generator) chooseValue() {
	g.infinity, g.born, g.die = pick(g, -1, 0, 1), true, true
	r := &g.rule
	switch n := g.IntN(24); {
	case n < 7:
	case n >= 22:
		r.aggregate, r.window, g.counter, g.infinity = pick(g, "changes", "resets"), g.window(), g.chance(2), 0
	case n < 12:
		r.aggregate = pick(g, "avg", "min", "max", "sum", "count", "stddev", "last", "p50", "p90", "p95", "p99.9")
		if r.aggregate == "stddev" || r.aggregate[0] == 'p' {
			g.infinity = 0
		}
		r.window = g.window()
	case n < 16:
		r.aggregate, r.window, g.counter, g.infinity = pick(g, "rate", "increase"), g.window(), true, 0
	case n < 18:
		r.absentFor, r.expect = 15*time.Second+g.seconds(300), g.chance(2)
	default:
		r.window, r.horizon, g.infinity = g.window(), 30*time.Second+g.seconds(3600), 0
	}
	if r.absentFor == 0 && r.horizon == 0 && g.chance(5) {
		r.change, r.relative, g.infinity = time.Duration(1+g.IntN(16))*15*time.Second, g.chance(2), 0
		g.born = g.chance(2)
		g.die = !g.born // A new series without a past beside one that has ended: see TestUnknownPastIsNoVerdict.
	}
	if g.chance(4) && r.absentFor == 0 {
		r.scale, r.offset = pick(g, -1.0, 0.1, 2.0, -0.01), pick(g, 0.0, 1, -7)
	}
	if g.chance(4) {
		// A pattern that one text alone matches is that text to us, and so no label of the alert.
		r.match = map[string]string{"mode": pick(g, "^(user|system)$", ".*s.*", "s.*|u.*", "s?", "^idl.$")}
	}
}

// window is one for which Prometheus' lookback is not the shorter of the two.
func (g *generator) window() time.Duration {
	return min(g.rule.lookback, 30*time.Second+time.Duration(g.IntN(19))*15*time.Second)
}

func (g *generator) chooseGroups() {
	n, r := 1, &g.rule
	switch k := g.IntN(3); {
	case k == 0:
		n = 1 + g.IntN(3)
	case k == 1 && r.horizon == 0: // The clause of a forecast that has nothing to say knows series, not groups.
		n = 1 + g.IntN(6)
		r.groupBy = pick(g, []string{"disk"}, []string{"disk", "resource.host"}, []string{"resource.host"}, []string{"shelf"})
		if r.absentFor == 0 && g.chance(2) {
			r.groupAgg = pick(g, "sum", "avg", "min", "max", "count")
		}
		if r.absentFor > 0 {
			r.expect = false
		}
	}
	for i := range n {
		a := map[string]string{"disk": fmt.Sprintf("d%d", i/2), "mode": []string{"user", "system", "idle"}[i%3]}
		if r.groupBy != nil {
			a["resource.host"] = fmt.Sprintf("h%d", i/3)
		}
		if i%2 == 0 {
			a["shelf"] = "left" // Others have none, which is a group, too.
		}
		a["n"] = fmt.Sprint(i)
		g.streams = append(g.streams, stream{attributes: a})
	}
}

// fill makes a series: a walk that rests now and then, with everything that goes wrong with series.
func (g *generator) fill(s *stream) {
	const length = 40
	birth, death := 0, length
	if g.chance(4) && g.born {
		birth = g.IntN(length / 2)
	}
	if g.chance(4) && g.die {
		death = birth + g.IntN(length-birth)
	}
	longest := int(2*g.rule.noDataAfter()/g.interval) + 1
	if g.interval%g.evaluation != 0 {
		longest = max(0, int((g.rule.noDataAfter()-1)/g.interval)-1) // See TestGapBetweenEvaluationsDoesNotCount.
	}
	if g.rule.horizon > 0 {
		longest = max(0, int(g.rule.window/g.interval)-2) // A line through fewer than two points is a matter of its own.
	}
	if g.rule.change > 0 {
		longest = max(0, int(g.rule.noDataAfter()/g.interval)-2) // See TestUnknownPastIsNoVerdict.
	}
	v, rest, gap := 50.0, 0, birth
	trouble := pick(g, 0, 25, 60)
	if g.rule.change > 0 && longest == 0 {
		trouble = 0
	}
	for i := range length {
		x := ruletest.Sample{}
		if rest--; rest < 0 {
			v = g.next(v)
			if g.chance(12) {
				rest = g.IntN(12)
			}
		}
		x.Value = v
		if gap--; gap >= 0 || i >= death {
			x = ruletest.Sample{Missing: true}
		} else if trouble > 0 && g.chance(trouble) {
			x, gap = g.trouble(x, longest)
		}
		if i == death-1 && g.chance(2) {
			x = ruletest.Sample{Stale: true}
		}
		s.samples = append(s.samples, x)
	}
}

// next continues a series. Whole numbers, so that sums are exact and bounds are met exactly.
func (g *generator) next(v float64) float64 {
	if g.counter {
		if g.chance(20) {
			return float64(g.IntN(10)) // Started again.
		}
		return v + float64(g.IntN(12)*g.IntN(2))
	}
	if g.chance(15) {
		return 50 + math.Round(g.NormFloat64()*12)
	}
	return v + math.Round(g.NormFloat64()*2)
}

func (g *generator) trouble(x ruletest.Sample, longest int) (ruletest.Sample, int) {
	kind := g.IntN(6)
	if g.rule.change > 0 {
		kind = 3 // Gaps alone.
	}
	switch kind {
	case 0:
		return ruletest.Sample{Stale: true}, g.IntN(4)
	case 1:
		if g.rule.horizon == 0 {
			return ruletest.Sample{Value: math.NaN()}, 0
		}
	case 2:
		if g.infinity != 0 {
			return ruletest.Sample{Value: math.Inf(g.infinity)}, 0
		}
	default:
		if longest > 0 {
			return x, 1 + g.IntN(longest)
		}
	}
	return x, 0
}

// chooseLevels puts the bounds where the values are: on values that do occur, where arithmetic is exact, and a hair beside
// them where it is not.
func (g *generator) chooseLevels(tb testing.TB) {
	tb.Helper()
	r := &g.rule
	n := 1
	if r.absentFor == 0 {
		n = pick(g, 1, 1, 2, 3)
	}
	names := g.Perm(len(severities))[:n]
	slices.Sort(names)
	bounds := g.bounds(tb, n)
	forDuration := time.Duration(0)
	for i, k := range names {
		l := ladderLevel{severity: severities[k]}
		if r.absentFor == 0 {
			l.lo, l.hi = bounds[i][0], bounds[i][1]
			// What the clear of a band holds, a narrower band need not: see TestLadderStepsDownToWhatHolds.
			if n == 1 || r.cmp == "above" || r.cmp == "below" {
				g.chooseClear(&l)
			}
		}
		// A ladder takes hold from below, see TestLadderTakesHoldOfTheLowerLevelAtOnce and TestKeepOfALadderBelongsToItsTop.
		if g.chance(2) && r.horizon == 0 && r.absentFor == 0 {
			forDuration += pick(g, 15*time.Second, 30*time.Second, 45*time.Second, g.seconds(100))
		}
		l.forDuration = forDuration
		if n == 1 && g.chance(2) && r.horizon == 0 {
			l.keepFiringFor = pick(g, 15*time.Second, 30*time.Second, 60*time.Second, g.seconds(200))
		}
		r.levels = append(r.levels, l)
	}
}

func (g *generator) chooseClear(l *ladderLevel) {
	if !g.chance(3) {
		return
	}
	distance := float64(1+g.IntN(4)) * max(1, math.Abs(l.lo)) / 50
	l.hasClear = true
	switch g.rule.cmp {
	case "above":
		l.clearLo = l.lo - distance
	case "below":
		l.clearLo = l.lo + distance
	case "outside":
		distance = min(distance, (l.hi-l.lo)/4)
		l.clearLo, l.clearHi = l.lo+distance, l.hi-distance*pick(g, 0.5, 1)
	case "inside":
		l.clearLo, l.clearHi = l.lo-distance, l.hi+distance*pick(g, 1.0, 3)
	}
}

// bounds returns n pairs of bounds in order of severity.
func (g *generator) bounds(tb testing.TB, n int) [][2]float64 {
	tb.Helper()
	values := g.occurring(tb)
	if !g.exact() {
		for i := range values {
			values[i] += 1e-7 * (1 + math.Abs(values[i]))
		}
	}
	for len(values) < 2*n {
		values = append(values, values[len(values)-1]+1)
	}
	g.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	values = values[:2*n]
	slices.Sort(values)
	out := make([][2]float64, n)
	for i := range n {
		switch g.rule.cmp {
		case "above":
			out[i] = [2]float64{values[i+n/2], 0}
		case "below":
			out[i] = [2]float64{values[2*n-1-i-n/2], 0}
		case "outside":
			out[i] = [2]float64{values[n-1-i], values[n+i]}
		case "inside":
			out[i] = [2]float64{values[i], values[2*n-1-i]}
		}
	}
	return out
}

// occurring returns distinct values that the rule takes, in order, or 50 when it takes none.
func (g *generator) occurring(tb testing.TB) []float64 {
	tb.Helper()
	if g.rule.absentFor > 0 {
		return []float64{50}
	}
	probe := g.comparison
	probe.rule.cmp, probe.rule.levels = "", nil
	if probe.rule.groupAgg == "" {
		probe.rule.groupBy = nil
	}
	p := probe.prometheus(tb)
	value := probe.rule.breached("", 0, 0)
	values := []float64{50}
	for range 12 {
		at := time.Duration(g.Int64N(int64(g.until/g.evaluation)+1)) * g.evaluation
		vector, err := p.query(tb.Context(), value, time.UnixMilli(at.Milliseconds()))
		if err != nil {
			tb.Fatalf("asking for %s: %v", value, err)
		}
		for _, s := range vector {
			if !math.IsNaN(s.F) && !math.IsInf(s.F, 0) {
				values = append(values, s.F)
			}
		}
	}
	if len(values) > 1 {
		values = values[1:]
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// exact tells whether both engines compute the same bits, whatever order they add in.
func (g *generator) exact() bool {
	r := &g.rule
	switch {
	case r.horizon > 0, r.aggregate == "stddev", r.windowed() && r.aggregate[0] == 'p':
		return false
	case r.groupAgg == "sum", r.groupAgg == "avg":
		return r.aggregate != "avg" && r.aggregate != "rate"
	}
	return true
}

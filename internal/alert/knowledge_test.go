package alert

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// The model of what a window can know: the samples that were seen, and every past that may have gone before them. What the rule says must be
// true of all of them.

const (
	modelStep = 15.0 // Seconds between samples.
	modelSpan = 60.0 // The window.
)

type modelSample struct{ s, v float64 }

// modelValue is the aggregate over the window that ends at s, by its definition.
func modelValue(aggregate string, kind window.StreamKind, samples []modelSample, s float64) float64 {
	var in []float64
	anchor := math.NaN()
	for _, x := range samples {
		switch {
		case x.s > s:
		case x.s > s-modelSpan:
			in = append(in, x.v)
		default:
			anchor = x.v
		}
	}
	sum, count := 0.0, float64(len(in))
	for _, v := range in {
		sum += v
	}
	switch aggregate {
	case "last":
		return in[len(in)-1]
	case "avg":
		return sum / count
	case "min":
		return slices.Min(in)
	case "max":
		return slices.Max(in)
	case "sum":
		return sum
	case "count":
		return count
	case "stddev":
		squares := 0.0
		for _, v := range in {
			squares += (v - sum/count) * (v - sum/count)
		}
		return math.Sqrt(squares / count)
	case "p50":
		slices.Sort(in)
		rank := 0.5 * (count - 1)
		lower := int(rank)
		return in[lower] + (in[min(lower+1, len(in)-1)]-in[lower])*(rank-float64(lower))
	}
	increase := 0.0
	switch kind {
	case window.DeltaCounter:
		increase = sum
	case window.Gauge:
		increase = in[len(in)-1] - anchor
	default:
		for _, v := range in {
			if v < anchor {
				anchor = 0
			}
			increase += v - anchor
			anchor = v
		}
	}
	if aggregate == "rate" {
		increase /= modelSpan
	}
	return increase
}

// pasts are samples that may have gone before the first one seen.
func pasts(kind window.StreamKind, first modelSample, born bool) [][]modelSample {
	var out [][]modelSample
	past := func(value func(ago int) float64) {
		var p []modelSample
		for ago := 12; ago > 0; ago-- {
			p = append(p, modelSample{first.s - modelStep*float64(ago), value(ago)})
		}
		out = append(out, p)
	}
	switch kind {
	case window.CumulativeCounter:
		past(func(int) float64 { return 0 })
		if born { // Before it there may have been a stream that rose, of which only the fall tells.
			past(func(ago int) float64 { return first.v + 1000 - 20*float64(ago) })
		} else {
			past(func(int) float64 { return first.v })
			past(func(ago int) float64 { return math.Max(0, first.v-float64(ago)) })
		}
	default:
		for _, level := range []float64{0, 50, 1000} {
			past(func(int) float64 { return level })
		}
		past(func(ago int) float64 { return 500 * float64(ago%2) })
		out = append(out, nil) // Nothing was there.
	}
	return out
}

type bound struct {
	comparison string
	low, high  float64
}

func (b bound) breached(v float64) bool {
	switch b.comparison {
	case "above":
		return v > b.low
	case "below":
		return v < b.low
	case "outside":
		return v < b.low || v > b.high
	default:
		return v >= b.low && v <= b.high
	}
}

func (b bound) config() rules.LevelConfig {
	switch b.comparison {
	case "above":
		return rules.LevelConfig{Above: b.low}
	case "below":
		return rules.LevelConfig{Below: b.low}
	case "outside":
		return rules.LevelConfig{Outside: []any{b.low, b.high}}
	default:
		return rules.LevelConfig{Inside: []any{b.low, b.high}}
	}
}

// TestWindowsSayWhatTheyKnow feeds random series to rules that have just started, or that fire from before a restart, and holds what they say
// against the model. The start that counters carry is none, long ago, their birth, or the time of their own first point, which is no start.
func TestWindowsSayWhatTheyKnow(t *testing.T) {
	t.Parallel()
	kinds := map[string]window.StreamKind{"gauge": window.Gauge, "counter": window.CumulativeCounter, "delta": window.DeltaCounter}
	for _, aggregate := range []string{"last", "avg", "min", "max", "sum", "count", "stddev", "p50", "rate", "increase"} {
		for name, kind := range kinds {
			if ofCounter := aggregate == "rate" || aggregate == "increase"; ofCounter == (kind == window.Gauge) && aggregate != "sum" {
				continue
			}
			if kind == window.CumulativeCounter && aggregate == "sum" {
				continue
			}
			for _, comparison := range []string{"above", "below", "outside", "inside"} {
				for _, start := range []string{"none", "long ago", "birth", "own time"} {
					for _, restarted := range []bool{false, true} {
						if kind == window.Gauge && start != "none" {
							continue
						}
						t.Run(fmt.Sprintf("%s/%s/%s/start=%s/restarted=%t", aggregate, name, comparison, start, restarted), func(t *testing.T) {
							t.Parallel()
							for seed := range uint64(40) {
								c := knowledgeCase{t: t, aggregate: aggregate, kind: kind, comparison: comparison, start: start, restarted: restarted}
								c.run(rand.New(rand.NewPCG(seed, 7)))
							}
						})
					}
				}
			}
		}
	}
}

type knowledgeCase struct {
	t                            *testing.T
	aggregate, comparison, start string
	kind                         window.StreamKind
	restarted                    bool
}

func (c *knowledgeCase) run(random *rand.Rand) {
	seen := c.samples(random)
	typical := modelValue(c.aggregate, c.kind, append(pasts(c.kind, seen[0], true)[0], seen[:4]...), seen[3].s)
	b := bound{comparison: c.comparison, low: math.Round(typical*(0.4+random.Float64()*1.2)*8) / 8}
	if c.aggregate == "count" {
		b.low = float64(random.IntN(5)) + 0.5
	}
	b.high = b.low + math.Max(0.25, math.Round(typical*random.Float64()*4)/4)
	off := false
	r := newRig(c.t, []rules.RuleConfig{{
		Name: "r", Metric: "m", Window: 60 * time.Second, Aggregate: c.aggregate, Flapping: &rules.FlappingConfig{Enabled: &off},
		Thresholds: map[string]rules.LevelConfig{"warning": b.config()},
	}}, nil)
	r.kind = c.kind
	if c.restarted && !c.fireAndRestart(r) {
		return
	}
	born := c.start == "birth"
	all := pasts(c.kind, seen[0], born)
	if c.kind == window.DeltaCounter && c.start == "long ago" {
		all = [][]modelSample{nil} // The first point is the sum since then.
	}
	firing := c.restarted
	for i, x := range seen {
		r.observe(x.s, point{s: x.s, v: x.v, start: c.startOf(seen, i)})
		breached, healthy := true, true
		for _, past := range all {
			holds := b.breached(modelValue(c.aggregate, c.kind, append(slices.Clone(past), seen[:i+1]...), x.s))
			breached, healthy = breached && holds, healthy && !holds
		}
		now := len(r.engine.Active()) > 0
		switch {
		case now && !firing:
			assert.True(c.t, breached, "fires at sample %d of %v, %v: there is a past with which it is not breached", i, seen, b)
		case !now && firing:
			assert.True(c.t, healthy, "resolves at sample %d of %v, %v: there is a past with which it is breached", i, seen, b)
		}
		if breached && (c.monotone() || x.s-seen[0].s >= modelSpan) {
			assert.True(c.t, now, "does not fire at sample %d of %v, %v: it is breached with every past", i, seen, b)
		}
		if x.s-seen[0].s >= modelSpan {
			assert.Equal(c.t, breached, now, "sample %d of %v, %v: all of the window is known", i, seen, b)
		}
		firing = now
		if c.t.Failed() {
			c.t.FailNow()
		}
	}
}

// monotone tells whether a part of the window is enough to know of a breach.
func (c *knowledgeCase) monotone() bool {
	switch c.aggregate {
	case "min":
		return c.comparison == "below"
	case "last":
		return true
	case "max", "sum", "count", "rate", "increase":
		return c.comparison == "above"
	default:
		return false
	}
}

// samples are what is seen: levels, or the totals of a counter.
func (c *knowledgeCase) samples(random *rand.Rand) []modelSample {
	var out []modelSample
	total := float64(1 + random.IntN(60))
	for i := range 10 {
		v := float64(1 + random.IntN(100))
		if c.kind == window.CumulativeCounter {
			if i > 0 {
				total += float64(random.IntN(40))
			}
			if i > 0 && random.IntN(8) == 0 {
				total = float64(random.IntN(int(total) + 1)) // A reset that shows, or does not.
				if total >= out[i-1].v {
					total = out[i-1].v
				}
			}
			v = total
		}
		out = append(out, modelSample{1000 + modelStep*float64(i), v})
	}
	return out
}

// startOf is the start time that a sample carries.
func (c *knowledgeCase) startOf(seen []modelSample, i int) float64 {
	for k := 1; k <= i; k++ {
		if seen[k].v < seen[k-1].v && c.kind == window.CumulativeCounter {
			return 0 // After a reset only the fall tells.
		}
	}
	first := seen[0].s
	switch {
	case c.start == "none":
		return 0
	case c.start == "long ago":
		return 10
	case c.start == "own time" && c.kind == window.CumulativeCounter:
		return first
	case c.kind == window.DeltaCounter:
		return seen[i].s - modelStep
	default:
		return first - 10
	}
}

// fireAndRestart makes the rule fire, and restarts the engine. It returns false for bounds that nothing breaches.
func (c *knowledgeCase) fireAndRestart(r *rig) bool {
	for _, step := range []float64{0, 1, 5, 20, 60, 200} {
		r.restart(0)
		total := 0.0
		for s := 1.0; s <= 301; s += modelStep {
			total += step
			v := total
			if c.kind != window.CumulativeCounter {
				v = step * (1 + float64(int(s/modelStep)%2))
			}
			r.observe(s, point{s: s, v: v})
		}
		if len(r.engine.Active()) > 0 {
			r.restartFrom(store{}, 302, 998)
			require.Len(r.t, r.engine.Active(), 1)
			return true
		}
	}
	return false
}

// TestWindowsAfterAGap stops the samples of a series for longer than the window, and lets them go on.
func TestWindowsAfterAGap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		aggregate, comparison string
		kind                  window.StreamKind
		before, after, bound  float64 // Of a counter by sample.
		known                 int     // How many samples after the gap it takes.
	}{
		{"avg", "above", window.Gauge, 10, 90, 80, 2},
		{"avg", "below", window.Gauge, 90, 10, 80, 2},
		{"min", "above", window.Gauge, 10, 90, 80, 2},
		{"min", "below", window.Gauge, 90, 10, 80, 1},
		{"max", "below", window.Gauge, 90, 10, 80, 2},
		{"max", "above", window.Gauge, 10, 90, 80, 1},
		{"p90", "above", window.Gauge, 10, 90, 80, 2},
		{"sum", "above", window.Gauge, 10, 90, 80, 1},
		{"sum", "below", window.Gauge, 90, 10, 80, 4},
		{"increase", "below", window.CumulativeCounter, 30, 10, 80, 5},
		{"increase", "above", window.CumulativeCounter, 10, 30, 80, 4},
		{"rate", "below", window.CumulativeCounter, 30, 10, 80.0 / 60, 5},
		{"sum", "below", window.DeltaCounter, 30, 10, 80, 1}, // Deltas that nobody sent were none.
		{"count", "below", window.Gauge, 30, 10, 3.5, 1},     // Nothing came, and that is known.
	} {
		t.Run(c.aggregate+" "+c.comparison, func(t *testing.T) {
			t.Parallel()
			off := false
			r := newRig(t, []rules.RuleConfig{{
				Name: "r", Metric: "m", Window: 60 * time.Second, Aggregate: c.aggregate, Flapping: &rules.FlappingConfig{Enabled: &off},
				Thresholds: map[string]rules.LevelConfig{"warning": bound{comparison: c.comparison, low: c.bound}.config()},
			}}, nil)
			r.kind = c.kind
			total := 1000.0
			feed := func(s, v float64) {
				if total += v; c.kind == window.CumulativeCounter {
					v = total
				}
				r.observe(s, point{s: s, v: v})
			}
			for s := 0.0; s <= 300; s += 15 {
				feed(s, c.before)
			}
			require.Empty(t, r.engine.Active())
			for s := 315.0; s < 800; s += 15 {
				r.engine.Evaluate(at(s))
			}
			r.drain()
			for i := 1; i <= c.known; i++ {
				feed(785+15*float64(i), c.after)
				assert.Equal(t, i == c.known, len(r.engine.Active()) > 0, "after %d samples", i)
			}
		})
	}
}

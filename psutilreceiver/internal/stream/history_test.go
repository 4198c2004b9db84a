package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// clockSteps is how badly the wall clock of a world behaves.
type clockSteps int

const (
	noSteps    clockSteps = iota
	smallSteps            // forward as it likes, back by no more than can be held
	anySteps
)

// actor is a device or a process of a world.
type actor struct {
	name     string
	device   bool
	double   bool
	there    bool
	identity uint64
	birth    int64 // of a process
	total    int64
}

// world is a host with a random history: births, deaths, pids used again,
// devices that are replaced, wraps, resets, partial scrapes and gaps.
type world struct {
	rnd       *rand.Rand
	steps     clockSteps
	returning bool
	actors    []*actor
	wall      int64
	highest   int64 // wall clock
	mono      int64
	anchor    int64 // wall clock at mono 0, as it was read then
	starts    *Starts
}

func newWorld(seed uint64, steps clockSteps, returning bool) *world {
	w := &world{rnd: rand.New(rand.NewPCG(seed, 1)), steps: steps, returning: returning}
	w.wall = 1_000_000 * int64(time.Second)
	w.anchor, w.highest = w.wall, w.wall
	w.starts = NewStarts(pcommon.Timestamp(w.wall - int64(time.Hour)))
	for i := range 10 {
		a := &actor{name: fmt.Sprintf("actor%d", i), device: i%2 == 0, double: i%5 == 0}
		a.there = w.one(2)
		a.birth = w.anchor - w.rnd.Int64N(int64(time.Hour)) - 1
		a.total = 1 + w.rnd.Int64N(1<<62)
		if a.double || w.one(2) {
			a.total >>= 30
		}
		w.actors = append(w.actors, a)
	}
	return w
}

// one is true once in n times.
func (w *world) one(n int) bool { return w.rnd.IntN(n) == 0 }

// pass lets time pass, and returns how much.
func (w *world) pass() int64 {
	elapsed := 15 * int64(time.Second)
	switch {
	case w.one(30):
		return 0
	case w.one(10):
		elapsed = 1 + w.rnd.Int64N(int64(time.Second))
	case w.one(20):
		elapsed *= 100
	}
	w.mono += elapsed
	w.wall += elapsed
	if w.steps != noSteps && w.one(6) {
		w.wall += w.rnd.Int64N(1000 * int64(time.Second))
	}
	if w.steps != noSteps && w.one(4) {
		w.wall -= w.rnd.Int64N(int64(time.Minute))
		w.wall = max(w.wall, w.highest-int64(HoldLimit))
	}
	if w.steps == anySteps && w.one(10) {
		w.wall -= w.rnd.Int64N(5000 * int64(time.Second))
	}
	w.highest = max(w.highest, w.wall)
	return elapsed
}

// live lets a thing live through the time since the last scrape.
func (w *world) live(a *actor, elapsed int64) {
	switch {
	case !a.there && w.one(4): // born, plugged in
		a.there, a.total, a.identity = true, 1+w.rnd.Int64N(1000), a.identity+1
		a.birth = w.anchor + w.mono - w.rnd.Int64N(elapsed)
	case !a.there:
	case w.one(12): // dead, pulled
		a.there = false
	case w.one(15): // another one of the same name, perhaps with more
		a.total, a.identity = 1+w.rnd.Int64N(a.total+1000), a.identity+1
		a.birth = w.anchor + w.mono - w.rnd.Int64N(elapsed)
	case a.device && w.one(15): // reset by its driver
		a.total = 1 + w.rnd.Int64N(a.total)
	case a.device && w.one(16): // wrapped at 32 bits
		a.total = 1 + a.total%(1<<32)
	case !w.one(4):
		a.total += w.rnd.Int64N(1 << 20)
	}
}

// scrape returns what the host shows next.
func (w *world) scrape() (points []record, complete bool) {
	if elapsed := w.pass(); elapsed > 0 {
		complete = !w.one(4)
		for _, a := range w.actors {
			w.live(a, elapsed)
		}
	}
	w.starts.Begin(pcommon.Timestamp(w.wall))
	defer w.starts.End(complete)
	w.rnd.Shuffle(len(w.actors), func(i, j int) { w.actors[i], w.actors[j] = w.actors[j], w.actors[i] })
	for _, a := range w.actors {
		hidden := !complete && w.one(3) || w.returning && !a.device && w.one(4)
		if !a.there || hidden {
			continue
		}
		r := record{key: a.name, start: a.birth, time: w.wall, total: a.total}
		if a.device {
			r.start = int64(w.starts.Start(a.name, a.identity))
		}
		if a.double {
			r.total, r.float = 0, float64(a.total)/64
		}
		points = append(points, r)
		if w.one(40) {
			points = append(points, r) // a scraper that says it twice
		}
	}
	return points, complete
}

// streamCheck knows the rules of a stream from the outside: it sees nothing but
// what a stage was shown and what it let through.
type streamCheck struct {
	delta bool
	last  map[string]record
}

func (c *streamCheck) point(t *testing.T, p record, mayStepBack bool) {
	t.Helper()
	last, known := c.last[p.key]
	c.last[p.key] = p
	switch {
	case p.start >= p.time:
		t.Fatalf("no interval: %+v", p)
	case !known || mayStepBack && p.time <= last.time:
	case p.time <= last.time:
		t.Fatalf("not after the previous point: %+v after %+v", p, last)
	case c.delta || p.start != last.start:
		if p.start < last.time {
			t.Fatalf("intervals overlap: %+v after %+v", p, last)
		}
	case p.total < last.total || p.float < last.float:
		t.Fatalf("fell under an unchanged start: %+v after %+v", p, last)
	}
}

func TestRandomHistories(t *testing.T) {
	t.Parallel()
	const seeds, scrapes = 15, 200
	for _, steps := range []clockSteps{noSteps, smallSteps, anySteps} {
		for _, delta := range []bool{false, true} {
			for _, returning := range []bool{false, true} {
				t.Run(fmt.Sprintf("steps=%d/delta=%t/returning=%t", steps, delta, returning), func(t *testing.T) {
					t.Parallel()
					var resets Resets
					var dropped Dropped
					for seed := range uint64(seeds) {
						stage := runHistory(t, newWorld(seed, steps, returning), delta, scrapes)
						resets.LowerValue += stage.Resets().LowerValue
						resets.StartChanged += stage.Resets().StartChanged
						resets.ClockStepped += stage.Resets().ClockStepped
						dropped.Held += stage.Dropped().Held
					}
					// The histories must have had in them what they are for.
					require.Greater(t, resets.LowerValue, uint64(100))
					require.Greater(t, resets.StartChanged, uint64(100))
					require.Greater(t, dropped.Held, uint64(100))
					require.Equal(t, steps == anySteps, resets.ClockStepped > 0)
				})
			}
		}
	}
}

func runHistory(t *testing.T, w *world, delta bool, scrapes int) *Stage {
	t.Helper()
	temporality := pmetric.AggregationTemporalityCumulative
	if delta {
		temporality = pmetric.AggregationTemporalityDelta
	}
	stage := NewStage(Settings{Temporality: temporality, Rates: Rates{Enabled: true}, Returning: w.returning})
	naive := &model{delta: delta, returning: w.returning, lives: map[string][]life{}}
	check := &streamCheck{delta: delta, last: map[string]record{}}
	var first int64
	for n := range scrapes {
		points, complete := w.scrape()
		if n == 0 {
			first = w.mono
		}
		wantPoints, wantRates := naive.scrape(points, w.wall, w.mono, complete)
		md := metricsOf(points)
		stage.process(md, pcommon.Timestamp(w.wall), time.Duration(w.mono-first), complete)
		gotPoints, gotRates := recordsOf(md)
		if !slices.Equal(wantPoints, gotPoints) { // which is much faster than require
			require.Equal(t, wantPoints, gotPoints)
		}
		require.Len(t, gotRates, len(wantRates))
		for key, rate := range gotRates {
			if rate < 0 || !nearly(wantRates[key], rate) {
				t.Fatalf("rate of %s is %g, not %g", key, rate, wantRates[key])
			}
		}
		require.Equal(t, len(naive.lives), stage.Tracked())
		for _, p := range gotPoints {
			check.point(t, p, w.steps == anySteps)
		}
		// A clock that stepped may date a second life before the end of the first.
		if complete && w.steps != noSteps {
			for key := range check.last {
				if !slices.ContainsFunc(points, func(p record) bool { return p.key == key }) {
					delete(check.last, key)
				}
			}
		}
	}
	stage.process(pmetric.NewMetrics(), pcommon.Timestamp(w.wall), time.Duration(w.mono-first), true)
	require.Zero(t, stage.Tracked(), "state outlived its streams")
	return stage
}

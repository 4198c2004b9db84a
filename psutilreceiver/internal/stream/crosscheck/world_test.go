package crosscheck

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// point is what a scraper records of a stream. All totals are whole numbers below 2^53, so that a float holds them exactly.
type point struct {
	key    string
	id     int64 // of this life
	start  int64
	time   int64
	total  float64
	double bool
	base   *base
	hidden bool // it was among the rest since its last point
}

// base is what a process that was not shown had used at the scrape before.
type base struct {
	time  int64
	total float64
}

// kind is what a stream belongs to.
type kind int

const (
	ofHost    kind = iota // counts since a boot time that is estimated
	ofDevice              // is replaced, and has no birth time but what stream.Starts knows
	ofProcess             // has a birth time, and is shown or among the rest
)

type actor struct {
	key      string
	kind     kind
	id       int64
	alive    bool
	double   bool
	start    int64
	total    float64
	scraped  float64 // total at the scrape before, 0 if it was not alive then
	shown    bool    // at the scrape before
	hidden   bool    // since its last point
	newcomer bool    // not alive at the scrape before
}

// world is a host with a random history: births, deaths, resets, jitter, gaps, a clock that is set back a little, values that are no totals.
type world struct {
	rnd      *rand.Rand
	boot     int64
	begin    int64 // time of the first scrape, after which the clock always is
	now      int64 // wall clock
	previous int64 // of the scrape before
	lives    int64
	actors   []*actor
	starts   *stream.Starts
}

func newWorld(seed uint64, begin time.Time) *world {
	w := &world{rnd: rand.New(rand.NewPCG(seed, 7)), now: begin.UnixNano()}
	w.begin, w.boot = w.now, w.now-int64(time.Hour)
	w.starts = stream.NewStarts(pcommon.Timestamp(w.boot))
	for i := range 12 {
		a := &actor{key: fmt.Sprintf("actor%d", i), kind: kind(i % 3), double: i%2 == 0, alive: i < 9 || kind(i%3) == ofHost, start: w.boot}
		a.total = float64(w.rnd.Int64N(1 << 40))
		if a.kind == ofProcess {
			a.start += w.rnd.Int64N(int64(time.Minute))
		}
		w.actors = append(w.actors, a)
	}
	w.actors[2].start = w.now - int64(5*time.Second) // Born between the Collector's start and the first scrape.
	return w
}

// one is true once in n times.
func (w *world) one(n int) bool { return w.rnd.IntN(n) == 0 }

func (w *world) pass() {
	w.previous = w.now
	w.now += int64(15 * time.Second)
	switch {
	case w.one(20): // A gap.
		w.now += int64(10 * time.Minute)
	case w.one(21): // The clock is set back, by no more than the stage waits for.
		w.now = max(w.now-int64(15*time.Second)-w.rnd.Int64N(int64(stream.HoldLimit)), w.begin)
	}
}

func (w *world) live(a *actor) {
	a.scraped, a.newcomer = a.total, !a.alive
	switch {
	case !a.alive && w.one(4):
		w.lives++
		a.id, a.alive, a.total, a.start = w.lives, true, float64(1+w.rnd.IntN(1000)), w.now-1-w.rnd.Int64N(int64(5*time.Second))
	case !a.alive:
	case a.kind != ofHost && w.one(15):
		a.alive = false
	case a.kind == ofDevice && w.one(15): // Replaced by another one of the same name, perhaps with more.
		w.lives++
		a.id, a.total = w.lives, float64(w.rnd.Int64N(int64(a.total)+1000))
	case a.kind == ofDevice && w.one(16): // Reset by its driver.
		a.total = float64(w.rnd.Int64N(int64(a.total) + 1))
	case a.kind == ofHost && w.one(15): // The estimate of the boot time moves.
		a.start = w.boot + w.rnd.Int64N(int64(time.Second))
	case !w.one(4):
		a.total += float64(w.rnd.Int64N(1 << 20))
	}
	if a.newcomer {
		a.scraped = 0
	}
}

// scrape returns what the scrapers record next, and whether they could read all of it.
func (w *world) scrape() (points []point, complete bool) {
	complete = true
	if w.previous != 0 || w.starts.Tracked() > 0 {
		w.pass()
		complete = !w.one(6)
		for _, a := range w.actors {
			w.live(a)
		}
	}
	w.starts.Begin(pcommon.Timestamp(w.now))
	defer w.starts.End(complete)
	for _, a := range w.actors {
		unread := a.kind != ofProcess && !complete && w.one(3)
		rest := a.kind == ofProcess && w.one(4)
		if !a.alive || unread || rest {
			a.shown, a.hidden = a.shown && unread, a.hidden && a.alive || rest
			continue
		}
		points = append(points, w.record(a))
		a.shown, a.hidden = true, false
	}
	return points, complete
}

func (w *world) record(a *actor) point {
	p := point{key: a.key, id: a.id, start: a.start, time: w.now, total: a.total, double: a.double, hidden: a.hidden}
	switch {
	case a.kind == ofDevice:
		p.start = int64(w.starts.Start(a.key, uint64(a.id)))
	case a.kind == ofProcess && (!a.shown || a.newcomer) && w.previous != 0 && (a.start < w.previous || a.scraped != 0):
		p.base = &base{time: w.previous, total: a.scraped}
	}
	if a.double && a.kind == ofHost && w.one(40) {
		p.total = []float64{math.NaN(), math.Inf(1)}[w.rnd.IntN(2)]
	}
	return p
}

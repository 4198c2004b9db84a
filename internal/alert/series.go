package alert

import (
	"math"
	"slices"
)

// resource is the resource of one or more series; series that share it share the copy.
type resource struct {
	key   seriesKey
	attrs []Attr
	refs  int
}

// series holds the recent samples of one data point stream. Times are event times unless said otherwise.
type series struct {
	samples  ring  // Keeps the newest sample always.
	firstT   int64 // First sample, unset before it.
	seenAt   int64 // Wall time at which the newest sample or marker came.
	resource *resource
	rare     *extras
	groups   []*group
	spacing  uint32 // Smoothed distance of samples in milliseconds; 0 while unknown.
	kind     StreamKind
	queued   bool // Has a sample that was not there at the last Flush.
}

// extras is what few series have.
type extras struct {
	epochs   []int64 // Start times that fall between samples held, in order.
	exemplar *Exemplar
	serves   []service // Groups of which the series is no member.
	staleAt  int64     // Newest marker "no value from here on" after the newest sample, else unset.
}

func (s *series) extras() *extras {
	if s.rare == nil {
		s.rare = &extras{staleAt: unset}
	}
	return s.rare
}

func (s *series) exemplar() *Exemplar {
	if s.rare == nil {
		return nil
	}
	return s.rare.exemplar
}

// serves returns the groups of which the series is no member and that look at it all the same.
func (s *series) serves() []service {
	if s.rare == nil {
		return nil
	}
	return s.rare.serves
}

// staleAfter is how long every rule that looks at the series waits before it is forgotten.
func (s *series) staleAfter() int64 {
	wait := int64(0)
	for _, g := range s.groups {
		wait = max(wait, g.rule.staleAfter)
	}
	for _, x := range s.serves() {
		wait = max(wait, x.group.rule.staleAfter)
	}
	return wait
}

// leave takes the series out of its groups.
func (s *series) leave() {
	for _, g := range s.groups {
		g.members = without(g.members, s)
	}
	for _, x := range s.serves() {
		c := x.group.companion
		c.divisors, c.conditions = without(c.divisors, s), without(c.conditions, s)
	}
}

func without(all []*series, s *series) []*series {
	if i := slices.Index(all, s); i >= 0 {
		return slices.Delete(all, i, i+1)
	}
	return all
}

// staleAt returns the time of the marker that ended the series, unset when it has not ended.
func (s *series) staleAt() int64 {
	if s.rare == nil {
		return unset
	}
	return s.rare.staleAt
}

// newest returns the time of the newest sample, unset before the first.
func (s *series) newest() int64 {
	if s.samples.n == 0 {
		return unset
	}
	return s.samples.at(int(s.samples.n) - 1).t
}

// retention is how far back the rules of the series look.
func (s *series) retention() int64 {
	var longest int64
	for _, g := range s.groups {
		longest = max(longest, g.rule.retention())
	}
	for _, x := range s.serves() {
		if x.role == asDivisor {
			longest = max(longest, x.group.rule.retention())
		}
	}
	return longest
}

// Bounds of the automatic lookback.
const (
	second      = int64(1e9)
	minLookback = 30 * second
	maxLookback = 300 * second
)

// lookback is how long the last value of the series counts as current.
func (s *series) lookback(r *rule) int64 {
	switch {
	case r.lookback > 0:
		return r.lookback
	case s.spacing == 0:
		return maxLookback
	default:
		return min(max(4*s.interval(), minLookback), maxLookback)
	}
}

// noteInterval smooths the distance between samples. One odd distance, as a gap or a double delivery gives, moves it
// by half at most.
func (s *series) noteInterval(d int64) {
	ms := max(1, min(d/1e6, math.MaxUint32))
	if old := int64(s.spacing); old > 0 {
		ms = min(max(ms, old/2), old*2)
		ms = max(1, min(old+(ms-old)/2, math.MaxUint32))
	}
	s.spacing = uint32(ms)
}

// interval is the smoothed distance of samples, 0 while unknown.
func (s *series) interval() int64 { return int64(s.spacing) * 1e6 }

// gone tells whether a marker has ended the series as of time t.
func (s *series) gone(t int64) bool {
	at := s.staleAt()
	return at != unset && at <= t
}

// covers tells whether the series has been seen for a whole window before t; the newest sample stands for the
// interval up to it.
func (s *series) covers(window, t int64) bool {
	return s.firstT != unset && t-s.firstT >= window-s.interval()
}

// trim forgets the samples that no rule needs any more. A group that still waits to be evaluated at an earlier time
// needs what that time needs.
func (s *series) trim() {
	boundary := s.newest()
	for _, g := range s.groups {
		if len(g.pend) > 0 && g.pend[0] < boundary {
			boundary = g.pend[0]
		}
	}
	for _, x := range s.serves() {
		if p := x.group.pend; len(p) > 0 && p[0] < boundary {
			boundary = p[0]
		}
	}
	if boundary == unset {
		return
	}
	s.samples.trim(boundary - s.retention())
	if s.samples.len() > 0 {
		s.trimEpochs()
	}
}

// Exemplar is the trace context of a data point.
type Exemplar struct {
	TraceID [16]byte
	SpanID  [8]byte
}

// verdict says what a series or a group has to say at one moment.
type verdict uint8

const (
	present verdict = iota
	missing
	// noOpinion is a value that exists but is not to be trusted yet: too few samples, a window not yet full.
	noOpinion
)

// value returns the rule's value of the series as of time t. ahead is the horizon of a forecast. restoring asks for
// full windows, because the samples before a restart are gone.
func (e *Engine) value(r *rule, s *series, t, ahead int64, restoring bool) (float64, verdict) {
	window := r.retention()
	if window == 0 {
		return s.current(r, t)
	}
	if s.gone(t) {
		return 0, missing // What it was before it ended is not what it is now.
	}
	i, j := s.samples.after(t-window), s.samples.after(t)
	if i == j {
		return 0, missing
	}
	// When samples stop, the window stays where they ended until the value counts as missing: it must not drain and look like recovery.
	// A lookback that is set asks for the window as it is at every moment, as in PromQL.
	if newest := s.newest(); r.lookback == 0 && t > newest {
		t = newest
		i = s.samples.after(t - window)
	}
	switch {
	case j-i < r.minSamples, t-s.firstT < r.newSeriesDelay,
		(r.fullWindow || restoring) && !s.covers(window, t):
		return 0, noOpinion
	case r.forecast != nil:
		oldest, newest := s.samples.at(i).t, s.samples.at(j-1).t
		if j-i < 2 || float64(newest-oldest+s.interval()) < r.forecast.minCoverage*float64(window) {
			return 0, noOpinion
		}
		return fitLine(&s.samples, i, j, t).at(float64(ahead) / 1e9), present
	case r.agg.ofCounter():
		v := s.increase(i, j, t-window, s.lookback(r))
		if r.agg.kind == aggRate {
			v /= float64(window) / 1e9
		}
		return v, present
	}
	var v float64
	v, e.scratch = r.agg.over(&s.samples, i, j, e.scratch)
	return v, present
}

// current returns the last value as of time t, while it counts as current.
func (s *series) current(r *rule, t int64) (float64, verdict) {
	i := s.samples.after(t)
	if i == 0 || s.gone(t) {
		return 0, missing
	}
	last := s.samples.at(i - 1)
	switch {
	case last.t <= t-s.lookback(r):
		return 0, missing
	case t-s.firstT < r.newSeriesDelay:
		return 0, noOpinion
	default:
		return last.v, present
	}
}

// presentUntil is the time up to which the series has a value if nothing more comes.
func (s *series) presentUntil(r *rule) int64 { return s.lasts(r.presence(s.lookback(r))) }

// lasts is the time up to which the series has something to say when a sample stands for so long.
func (s *series) lasts(span int64) int64 {
	last := s.newest()
	if last == unset {
		return unset
	}
	if at := s.staleAt(); at != unset {
		return at
	}
	return last + span
}

// noDataFrom is the time from which the rule's no-data policy applies if nothing more comes. A marker counts as a last
// sample that is a lookback old.
func (s *series) noDataFrom(r *rule) int64 {
	last, stale := s.newest(), s.staleAt()
	switch {
	case stale != unset:
		return stale + max(0, r.noDataAfter-s.lookback(r))
	case last == unset:
		return unset
	default:
		return last + r.noDataAfter
	}
}

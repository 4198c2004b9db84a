package alert

import (
	"hash/maphash"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// LeftSamples are the samples in the windows of an engine that has ended. They are for the engine that goes on in the same process, after a reload
// of the configuration, so that its windows need not fill again. They are in memory alone.
type LeftSamples struct {
	seed   maphash.Seed
	series map[leftKey]map[attr.Hash]*leftSeries
}

// leftKey says whose samples they are: a metric's, or those of a statistic of its points.
type leftKey struct {
	metric    string
	statistic window.Statistic
}

// leftSeries is a series that waits to go on.
type leftSeries struct {
	window.Series
	retention int64 // How far back its samples were kept.
}

// size is what the series takes while it waits, in bytes by the engine's estimate.
func (s *leftSeries) size() int64 { return seriesSize + int64(s.Samples.Cap())*sampleSize }

// LeaveSamples returns the samples of all windows. The engine takes no point any more.
func (e *Engine) LeaveSamples() *LeftSamples {
	left := &LeftSamples{seed: e.seed, series: map[leftKey]map[attr.Hash]*leftSeries{}}
	leave := func(key leftKey, m *Matcher) {
		all := m.left // Of what this engine has not taken up itself.
		if all == nil {
			all = map[attr.Hash]*leftSeries{}
		}
		for hash, s := range m.series {
			if retention := e.retention(s); retention > 0 && s.Samples.Len() > 0 {
				all[hash] = &leftSeries{Series: s.Series, retention: retention}
			}
		}
		if len(all) > 0 {
			left.series[key] = all
		}
	}
	for metric, m := range e.matchers {
		leave(leftKey{metric: metric}, m)
		for _, f := range m.statistics {
			leave(leftKey{metric, f.statistic}, f)
		}
	}
	return left
}

// TakeSamples takes what another engine of this process has left, nil for nothing. It is called before Restore, and before any point comes.
func (e *Engine) TakeSamples(left *LeftSamples) {
	if left == nil || len(left.series) == 0 {
		return
	}
	e.resumed = true
	e.setSeed(left.seed)
	take := func(key leftKey, m *Matcher) {
		if m.left = left.series[key]; len(m.left) > 0 {
			e.leftTo = append(e.leftTo, m)
		}
		for _, s := range m.left {
			e.hold(s.size())
		}
	}
	for metric, m := range e.matchers {
		take(leftKey{metric: metric}, m)
		for _, f := range m.statistics {
			take(leftKey{metric, f.statistic}, f)
		}
	}
}

// setSeed changes what hashes are made with. There must be no series and no resource yet.
func (e *Engine) setSeed(seed maphash.Seed) {
	e.seed = seed
	for text, number := range e.units.numbers {
		if number > 0 {
			e.units.hashes[number] = unitHash(seed, text)
		}
	}
}

// goOn gives a new series the samples that one of the same kind has left. A rule that looks farther back than the rules before knows no more than
// these have kept.
func (m *Matcher) goOn(key attr.Hash, s *series) bool {
	left := m.left[key]
	if left == nil {
		return false
	}
	delete(m.left, key)
	e := m.engine
	e.hold(-left.size())
	retention := e.retention(s)
	if left.Kind != m.stream.Kind || left.Newest() > e.now+maxAhead || retention == 0 {
		return false
	}
	unit, marks := s.Unit, s.Marks
	s.Series = left.Series
	s.Unit, s.Marks = unit, marks
	if surplus := s.Samples.Len() - e.rules.Limits.SamplesPerSeries; surplus > 0 {
		s.Samples.DropFront(surplus)
	}
	if retention > left.retention || s.Samples.Len() >= e.rules.Limits.SamplesPerSeries {
		s.First = max(s.First, s.Samples.At(0).Time)
	}
	s.Forget(s.Newest() - retention)
	e.samplesHeld += int64(s.Samples.Cap()) * sampleSize
	return true
}

// dropLeft forgets what was left and is of no use any more, because its window would be empty.
func (e *Engine) dropLeft() {
	waiting := e.leftTo[:0]
	for _, m := range e.leftTo {
		for key, s := range m.left {
			if e.now > s.Newest()+s.retention+e.rules.MaxSampleAge {
				delete(m.left, key)
				e.hold(-s.size())
			}
		}
		if len(m.left) > 0 {
			waiting = append(waiting, m)
		} else {
			m.left = nil
		}
	}
	clear(e.leftTo[len(waiting):])
	e.leftTo = waiting
}

package window

import "math"

// Shift moves all that the series holds in time.
func (s *Series) Shift(by int64) {
	for i := range int(s.Samples.n) {
		s.Samples.buf[s.Samples.index(i)].Time += by
	}
	times := []*int64{&s.First}
	if o := s.optional; o != nil {
		times = append(times, &o.endedAt, &o.heardAt, &o.born)
		for i := range o.starts {
			o.starts[i] += by
		}
		for i := range o.exemplars {
			o.exemplars[i].time += by
		}
	}
	for _, t := range times {
		if *t != Unset {
			*t += by
		}
	}
}

// AssumeInterval sets the distance of samples, in nanoseconds, where it is known from elsewhere.
func (s *Series) AssumeInterval(d int64) { s.spacing = uint32(max(0, min(d/1e6, math.MaxUint32))) }

// Heard records that the source of the series gave a sign of life at event time t, though no value that could be used.
func (s *Series) Heard(t int64) { s.withOptional().heardAt = t }

// HeardAt returns the time of the newest sign of life that was no sample, Unset when there was none.
func (s *Series) HeardAt() int64 {
	if s.optional == nil {
		return Unset
	}
	return s.optional.heardAt
}

// SetExemplar keeps the exemplar of the sample of time t.
func (s *Series) SetExemplar(t int64, x *Exemplar) {
	o := s.withOptional()
	o.exemplars = append(o.exemplars, timedExemplar{t, x})
}

// ExemplarAt returns the exemplar of the sample that is the newest at time t, nil when it has none of its own.
func (s *Series) ExemplarAt(t int64) *Exemplar {
	if s.optional == nil || len(s.optional.exemplars) == 0 {
		return nil
	}
	i := s.Samples.After(t)
	if i == 0 {
		return nil
	}
	at := s.Samples.At(i - 1).Time
	for _, x := range s.optional.exemplars {
		if x.time == at {
			return x.exemplar
		}
	}
	return nil
}

// ForgetExemplars drops the exemplars of samples from before a time.
func (s *Series) ForgetExemplars(before int64) {
	if s.optional == nil || len(s.optional.exemplars) == 0 {
		return
	}
	kept := s.optional.exemplars[:0]
	for _, x := range s.optional.exemplars {
		if x.time >= before {
			kept = append(kept, x)
		}
	}
	clear(s.optional.exemplars[len(kept):])
	s.optional.exemplars = kept
}

// Patience is for how long a series whose samples are so far apart may be silent, in nanoseconds: one missed sample is one missed sample, and two
// are silence. It is 0 where the interval is 0, not known.
func Patience(interval int64) int64 { return 5 * interval / 2 }

// StalePatience is when such a series is forgotten at the earliest: later than its last value counts.
func StalePatience(interval int64) int64 { return 5 * interval }

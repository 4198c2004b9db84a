package window

// RecordBirth remembers the start time that came with the first sample of a monotonic stream. A start that is the sample's own time says, as
// OTLP's data model has it, that the true one is not known.
func (s *Series) RecordBirth(start int64) {
	if start != 0 && start < s.First && s.Samples.Len() == 1 {
		s.withOptional().born = start
	}
}

// birth returns the start time of the oldest sample held, Unset when it is not known.
func (s *Series) birth() int64 {
	if s.optional == nil || s.Samples.Len() == 0 || s.Samples.At(0).Time != s.First {
		return Unset
	}
	return s.optional.born
}

// Holds tells whether all samples since the start of a window are held, the first of which is at position from: the series was seen before, or
// its first sample stands for the time from the start on. A point of a delta stream stands for the time since its own start.
func (s *Series) Holds(from int, windowStart int64) bool {
	if from > 0 {
		return true
	}
	oldest := s.Samples.At(0).Time
	switch born := s.birth(); {
	case s.Cut(from):
		return false
	case born != Unset && s.Kind == DeltaCounter:
		return born <= windowStart
	default:
		return oldest-s.Interval() <= windowStart
	}
}

// Cut tells whether samples of a window had to give way to a limit, the oldest of those held being at position from.
func (s *Series) Cut(from int) bool { return from == 0 && s.Samples.At(0).Time != s.First }

// WholeIncrease tells whether Increase over the same samples is that of the whole window, and not that of the part of it in which the series
// was seen. A counter that began in the window is known from its start on, at which it was zero.
func (s *Series) WholeIncrease(from int, windowStart, lookback int64) bool {
	switch {
	case s.Kind == DeltaCounter:
		return s.Holds(from, windowStart)
	case s.anchored(from, windowStart, lookback):
		return true
	default:
		return s.bornBefore(from, windowStart, lookback)
	}
}

// bornBefore tells whether the start of the oldest sample held, which is at position from, gives the value at the window's start.
func (s *Series) bornBefore(from int, windowStart, lookback int64) bool {
	return from == 0 && s.bornWithin(windowStart, lookback) && s.birth() <= windowStart
}

// anchored tells whether the sample before position from gives the value at the window's start.
func (s *Series) anchored(from int, windowStart, lookback int64) bool {
	return from > 0 && s.Samples.At(from-1).Time > windowStart-lookback
}

// bornWithin tells whether the oldest sample held is the first of a counter whose start is known and as good as a sample of zero there.
func (s *Series) bornWithin(windowStart, lookback int64) bool {
	born := s.birth()
	return s.Kind == CumulativeCounter && born != Unset && born > windowStart-lookback
}

// Contiguous tells whether the samples from position from up to, and without, position to follow each other without a gap from the start of a
// window on. One missed sample is no gap.
func (s *Series) Contiguous(from, to int, windowStart int64) bool {
	interval := s.Interval()
	before := s.Samples.At(from).Time
	if before-interval > windowStart {
		return false
	}
	for i := from + 1; i < to; i++ {
		t := s.Samples.At(i).Time
		if t-before > 2*interval+interval/2 {
			return false
		}
		before = t
	}
	return true
}

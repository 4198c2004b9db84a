package sampling

import "sync"

// Set is the series of one scraper. K is what the export has for each series, such as its name. One goroutine calls Lock, then Add and the
// methods of its series, and Unlock; another calls Take.
type Set[K any] struct {
	mu     sync.Mutex
	series []*Series[K]
	taken  []*Series[K] // used by Take alone
}

// Series holds the values of one series in a histogram.
type Series[K any] struct {
	key              K
	filling, taken   *Histogram
	ended, forgotten bool
}

// Lock begins the recording of a sample. What it takes to read the sample comes before.
func (s *Set[K]) Lock() { s.mu.Lock() }

// Unlock ends the recording of a sample.
func (s *Set[K]) Unlock() { s.mu.Unlock() }

// Add begins a series.
func (s *Set[K]) Add(key K) *Series[K] {
	x := &Series[K]{key: key, filling: &Histogram{}, taken: &Histogram{}}
	s.series = append(s.series, x)
	return x
}

// Observe records a value, as Histogram.Observe does.
func (x *Series[K]) Observe(v, weight float64) { x.filling.Observe(v, weight) }

// End ends the series: it is taken once more, and then forgotten.
func (x *Series[K]) End() { x.ended = true }

// Resume takes End back, and returns whether that was in time: a series that is forgotten must be added again.
func (x *Series[K]) Resume() bool {
	x.ended = x.forgotten
	return !x.forgotten
}

// Forgotten returns whether the series has ended and been taken since.
func (x *Series[K]) Forgotten() bool { return x.forgotten }

// Take calls visit for each series that has values since it was last taken, in the order in which they began. The histogram
// is valid until visit returns. Sampling goes on meanwhile.
func (s *Set[K]) Take(visit func(key K, h *Histogram)) {
	s.exchange()
	for _, x := range s.taken {
		if x.taken.Count() > 0 {
			visit(x.key, x.taken)
		}
		x.taken.Reset()
	}
	clear(s.taken)
}

// exchange gives every series an empty histogram to fill. Sampling waits for nothing else.
func (s *Set[K]) exchange() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken[:0], s.series...)
	kept := s.series[:0]
	for _, x := range s.series {
		x.filling, x.taken = x.taken, x.filling
		if x.forgotten = x.ended; !x.ended {
			kept = append(kept, x)
		}
	}
	clear(s.series[len(kept):])
	s.series = kept
}

package window

// Sample is one value at one event time, in nanoseconds since the epoch.
type Sample struct {
	Time  int64
	Value float64
}

// Ring holds the samples of one series in order of time. It grows by a quarter, up to the limit its owner keeps.
type Ring struct {
	buf  []Sample
	head int32
	n    int32
}

// Len returns how many samples are held.
func (r *Ring) Len() int { return int(r.n) }

// Cap returns for how many samples there is memory.
func (r *Ring) Cap() int { return len(r.buf) }

// At returns the sample at a position, the oldest at 0.
func (r *Ring) At(i int) Sample { return r.buf[r.index(i)] }

func (r *Ring) index(i int) int {
	i += int(r.head)
	if i >= len(r.buf) {
		i -= len(r.buf)
	}
	return i
}

// After returns how many samples are at or before t, which is the position of the first one after it.
func (r *Ring) After(t int64) int {
	lo, hi := 0, int(r.n)
	if hi > 0 && r.At(hi-1).Time <= t {
		return hi // The common question is about now.
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if r.At(mid).Time <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// Insert puts a sample where its time belongs. It returns false when there is one of that time already.
func (r *Ring) Insert(s Sample) bool {
	at := r.After(s.Time)
	if at > 0 && r.At(at-1).Time == s.Time {
		return false
	}
	if int(r.n) == len(r.buf) {
		r.grow()
	}
	for i := int(r.n); i > at; i-- {
		r.buf[r.index(i)] = r.buf[r.index(i-1)]
	}
	r.buf[r.index(at)] = s
	r.n++
	return true
}

func (r *Ring) grow() {
	bigger := make([]Sample, len(r.buf)+len(r.buf)/4+1)
	for i := range int(r.n) {
		bigger[i] = r.At(i)
	}
	r.buf, r.head = bigger, 0
}

// DropFront forgets the oldest k samples.
func (r *Ring) DropFront(k int) {
	r.head = int32(r.index(k))
	r.n -= int32(k)
	if r.n == 0 || int(r.head) == len(r.buf) {
		r.head = 0
	}
}

// Trim forgets what is older than the boundary, except the newest such sample: the anchor that an increase over
// the window starts from.
func (r *Ring) Trim(boundary int64) {
	if k := r.After(boundary); k > 1 {
		r.DropFront(k - 1)
	}
}

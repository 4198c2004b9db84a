package alert

// sample is one value at one event time, in nanoseconds since the epoch.
type sample struct {
	t int64
	v float64
}

// ring holds the samples of one series in order of time. It grows by a quarter, up to the limit its owner keeps.
type ring struct {
	buf  []sample
	head int32
	n    int32
}

func (r *ring) len() int { return int(r.n) }

func (r *ring) at(i int) sample { return r.buf[r.index(i)] }

func (r *ring) index(i int) int {
	i += int(r.head)
	if i >= len(r.buf) {
		i -= len(r.buf)
	}
	return i
}

// after returns how many samples are at or before t, which is the position of the first one after it.
func (r *ring) after(t int64) int {
	lo, hi := 0, int(r.n)
	if hi > 0 && r.at(hi-1).t <= t {
		return hi // The common question is about now.
	}
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if r.at(mid).t <= t {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// insert puts a sample where its time belongs. It returns false when there is one of that time already.
func (r *ring) insert(s sample) bool {
	at := r.after(s.t)
	if at > 0 && r.at(at-1).t == s.t {
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

func (r *ring) grow() {
	bigger := make([]sample, len(r.buf)+len(r.buf)/4+1)
	for i := range int(r.n) {
		bigger[i] = r.at(i)
	}
	r.buf, r.head = bigger, 0
}

// dropFront forgets the oldest k samples.
func (r *ring) dropFront(k int) {
	r.head = int32(r.index(k))
	r.n -= int32(k)
	if r.n == 0 || int(r.head) == len(r.buf) {
		r.head = 0
	}
}

// trim forgets what is older than the boundary, except the newest such sample: the anchor that an increase over
// the window starts from.
func (r *ring) trim(boundary int64) {
	if k := r.after(boundary); k > 1 {
		r.dropFront(k - 1)
	}
}

package sampling

import "math"

const (
	// MaxScale is the scale of a histogram whose values are within MaxBuckets of each other. It has 128 buckets to a doubling:
	// the bounds of a bucket are 0.54 % apart, and its middle is within 0.27 % of all values in it.
	MaxScale = 7
	// MaxBuckets bounds the buckets of a histogram, and with them its memory to 32 KiB: 32 doublings, from 1 to 4,294,967,296, at
	// MaxScale. Values that are further apart halve the scale's resolution, as often as it takes.
	MaxBuckets = 4096
)

// minBuckets is the size that the buckets begin with.
const minBuckets = 64

// Histogram counts values of at least 0 in exponential buckets as OTLP defines them: bucket i of scale s holds what is greater
// than 2^(i/2^s) and at most 2^((i+1)/2^s); zeros are counted by themselves. The zero one is empty. What has been allocated is kept
// by Reset, so that a histogram that has seen the range of its values allocates no more.
type Histogram struct {
	count, zeros uint64
	min, max     float64
	mean, weight float64 // mean of the values by weight, and the sum of the weights
	coarser      uint8   // MaxScale less the scale

	counts      []uint64
	base        int32 // bucket of counts[0]
	first, last int32 // buckets in use, when filled
	filled      bool
}

// Count is the number of values.
func (h *Histogram) Count() uint64 { return h.count }

// Zeros is the number of values that were 0.
func (h *Histogram) Zeros() uint64 { return h.zeros }

// Min is the lowest value; 0 of an empty histogram.
func (h *Histogram) Min() float64 { return h.min }

// Max is the highest value; 0 of an empty histogram.
func (h *Histogram) Max() float64 { return h.max }

// Mean is the mean of the values by their weights; 0 of an empty histogram.
func (h *Histogram) Mean() float64 { return h.mean }

// Sum is the mean times the number of values, so that the quotient of sum and count is the mean by weight.
func (h *Histogram) Sum() float64 { return h.mean * float64(h.count) }

// Scale is the scale of the buckets, as OTLP defines it: MaxScale, or less where the values are far apart.
func (h *Histogram) Scale() int32 { return MaxScale - int32(h.coarser) }

// Buckets gives the counts of the buckets from the first in use to the last, and the index of the first. They are valid until the
// histogram changes, and must not be changed.
func (h *Histogram) Buckets() (offset int32, counts []uint64) {
	if !h.filled {
		return 0, nil
	}
	return h.first, h.counts[h.first-h.base : h.last-h.base+1]
}

// Observe adds a value. Its weight is the share that it has in the mean, for instance the time for which it held. A value that is
// negative, infinite or NaN, or has no weight, is ignored.
func (h *Histogram) Observe(v, weight float64) {
	if !(v >= 0) || v > math.MaxFloat64 || !(weight > 0) || weight > math.MaxFloat64 {
		return
	}
	if h.count == 0 {
		h.min, h.max = v, v
	}
	h.min, h.max = min(h.min, v), max(h.max, v)
	h.count++
	h.average(v, weight)
	if v == 0 {
		h.zeros++
		return
	}
	h.add(bucketOf(v), 0, 1)
}

// Merge adds what o has counted; the mean is then by the number of values. O is not changed. A histogram that others are merged
// into must not observe values itself.
func (h *Histogram) Merge(o *Histogram) {
	if o.count == 0 {
		return
	}
	if h.count == 0 {
		h.min, h.max = o.min, o.max
	}
	h.min, h.max = min(h.min, o.min), max(h.max, o.max)
	h.count += o.count
	h.zeros += o.zeros
	h.average(o.mean, float64(o.count))
	offset, counts := o.Buckets()
	for i, n := range counts {
		if n > 0 {
			h.add(offset+int32(i), o.coarser, n)
		}
	}
}

// Reset empties the histogram and gives it its highest resolution back.
func (h *Histogram) Reset() {
	if h.filled {
		clear(h.counts[h.first-h.base : h.last-h.base+1])
	}
	*h = Histogram{counts: h.counts, base: h.base}
}

// Quantile gives the value below or at which a share q of the values is: the lowest one that has at least q of all at or below it,
// to within half a bucket. 0 of an empty histogram.
func (h *Histogram) Quantile(q float64) float64 {
	const rounding = 1e-9 // 0.07 * 100 is a little more than 7.
	rank := uint64(math.Ceil(q*float64(h.count) - rounding))
	seen := h.zeros
	if rank <= seen && seen > 0 {
		return 0
	}
	offset, counts := h.Buckets()
	for i, n := range counts {
		if seen += n; seen >= rank && n > 0 {
			middle := math.Exp2((float64(offset) + float64(i) + 0.5) / float64(uint64(1)<<MaxScale) * float64(uint64(1)<<h.coarser))
			return min(max(middle, h.min), h.max)
		}
	}
	return h.max
}

// average updates the mean in a way that huge values do not overflow.
func (h *Histogram) average(v, weight float64) {
	h.weight += weight
	h.mean = min(max(h.mean+(v-h.mean)*(weight/h.weight), h.min), h.max)
}

// bucketOf gives the bucket of v > 0 at MaxScale.
func bucketOf(v float64) int32 {
	const perDoubling = 1 << MaxScale
	fraction, exponent := math.Frexp(v) // From 0.5 to below 1.
	return int32(exponent*perDoubling) + int32(math.Ceil(math.Log2(fraction)*perDoubling)) - 1
}

// add counts n values in bucket i of the scale that is coarser by so much than MaxScale.
func (h *Histogram) add(i int32, coarser uint8, n uint64) {
	for h.coarser < coarser {
		h.coarsen()
	}
	i >>= h.coarser - coarser
	first, last := i, i
	for h.filled {
		first, last = min(h.first, i), max(h.last, i)
		if last-first < MaxBuckets {
			break
		}
		h.coarsen()
		i >>= 1
	}
	h.reach(first, last)
	h.first, h.last, h.filled = first, last, true
	h.counts[i-h.base] += n
}

// coarsen merges every two buckets that are one in the scale below. In OTLP these are the even one and the odd one above it.
func (h *Histogram) coarsen() {
	h.coarser++
	if !h.filled {
		return
	}
	base := h.base >> 1
	for i := h.first; i <= h.last; i++ {
		n := h.counts[i-h.base]
		h.counts[i-h.base] = 0
		h.counts[i>>1-base] += n // At or before what was just read.
	}
	h.base, h.first, h.last = base, h.first>>1, h.last>>1
}

// reach makes room for the buckets from first to last, those in use among them, in the middle of the slice.
func (h *Histogram) reach(first, last int32) {
	if first >= h.base && int(last)-int(h.base) < len(h.counts) {
		return
	}
	size := int(last-first) + 1
	room := max(len(h.counts), minBuckets)
	for room < size {
		room *= 2
	}
	base := first - int32((room-size)/2)
	counts := h.counts
	if room > len(counts) {
		counts = make([]uint64, room)
	}
	if h.filled {
		used := copy(counts[h.first-base:], h.counts[h.first-h.base:h.last-h.base+1])
		clear(counts[:h.first-base])
		clear(counts[int(h.first-base)+used:])
	}
	h.counts, h.base = counts, base
}

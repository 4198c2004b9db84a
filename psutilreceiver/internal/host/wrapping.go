package host

// wrapping is a counter that the kernel keeps in 32 bits.
type wrapping struct {
	last int64 // as the kernel gave it
	high int64 // what the wraps since the first read amount to
}

const wrapAt = 1 << 32

// next continues the counter with its next value. A fall is a wrap when the way over 2^32 is possible, which is to be less than half the way
// around; else the counter began again at 0, and so does the result.
func (w *wrapping) next(v, possible int64) int64 {
	if v < w.last {
		if grown := v + wrapAt - w.last; grown > 0 && grown <= possible {
			w.high += wrapAt
		} else {
			w.high = 0
		}
	}
	w.last = v
	return w.high + v
}

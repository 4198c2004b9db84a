package hostpageexporter

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// appendNumber writes a number in JSON; what is none is null. digits bounds the significant digits, -1 writes all.
func appendNumber(b []byte, v float64, digits int) []byte {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return append(b, "null"...)
	case v == math.Trunc(v) && math.Abs(v) < 1e15 && digits < 0:
		return strconv.AppendInt(b, int64(v), 10)
	default:
		return strconv.AppendFloat(b, v, 'g', digits, 64)
	}
}

// shortDigits is how many digits rates have, and what comes from a coarser tier.
const shortDigits = 7

// digitsOf says how many digits the values of a series have.
func digitsOf(kind history.Kind, tier int) int {
	if kind == history.Gauge && tier == 0 {
		return -1
	}
	return shortDigits
}

// nullable is a number that may be unknown.
type nullable float64

// MarshalJSON writes null for what is unknown.
func (n nullable) MarshalJSON() ([]byte, error) {
	if v := float64(n); v != math.Trunc(v) {
		return appendNumber(nil, v, shortDigits), nil
	}
	return appendNumber(nil, float64(n), -1), nil
}

// millis is a time in microseconds, written in milliseconds; 0 is null.
type millis int64

// MarshalJSON writes null where there is no time.
func (m millis) MarshalJSON() ([]byte, error) {
	if m == 0 {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, floorMillis(int64(m)), 10), nil
}

func floorMillis(us int64) int64 {
	ms := us / 1000
	if us%1000 < 0 {
		ms--
	}
	return ms
}

var (
	_ json.Marshaler = nullable(0)
	_ json.Marshaler = millis(0)
)

package stream

import (
	"hash/maphash"
	"math"
	"math/bits"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// identity is a 128-bit hash of what distinguishes a stream from all others, wide
// enough that two streams never share one in practice: with a million streams
// the chance is about 1 in 10^27. Its halves come from two seeds.
type identity struct{ a, b uint64 }

// then returns the identity of x followed by y; the order matters.
func (x identity) then(y identity) identity {
	return identity{fold(x.a, y.a), fold(x.b, y.b)}
}

// with returns the identity of an unordered collection, x, that gained y.
func (x identity) with(y identity) identity {
	return identity{x.a + y.a, x.b + y.b}
}

// fold mixes two words into one through their 128-bit product. The constants
// are digits of pi; they keep small operands from giving small products.
func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x^0x243f6a8885a308d3, y^0x13198a2e03707344)
	return hi ^ lo
}

// hasher gives identities; they mean nothing outside the hasher that gave them.
type hasher struct {
	a, b maphash.Seed
	// recent holds the last text of each slot. Metric names, attribute keys and
	// most attribute values are the same few constants over and over, and to
	// compare two strings that share their bytes costs nothing.
	recent [256]struct {
		text string
		id   identity
	}
}

func newHasher() *hasher {
	return &hasher{a: maphash.MakeSeed(), b: maphash.MakeSeed()}
}

func (h *hasher) text(s string) identity {
	if s == "" {
		return identity{}
	}
	slot := &h.recent[uint8(len(s))+s[0]+s[len(s)-1]<<3+s[len(s)/2]<<5]
	if slot.text != s {
		slot.text = s
		slot.id = identity{maphash.String(h.a, s), maphash.String(h.b, s)}
	}
	return slot.id
}

// word returns the identity of a word under a tag, the type of what it stands
// for, so that equal words of different types differ.
func (h *hasher) word(w uint64, tag pcommon.ValueType) identity {
	x := w ^ bits.RotateLeft64(uint64(tag)+1, 57)
	return identity{fold(x, 0xa4093822299f31d0), fold(x, 0x082efa98ec4e6c89)}
}

// attributes returns the identity of a set of attributes, in whatever order.
func (h *hasher) attributes(attrs pcommon.Map) identity {
	var sum identity
	for k, v := range attrs.All() {
		sum = sum.with(h.text(k).then(h.value(v)))
	}
	return sum
}

func (h *hasher) value(v pcommon.Value) identity {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return h.text(v.Str())
	case pcommon.ValueTypeInt:
		return h.word(uint64(v.Int()), pcommon.ValueTypeInt)
	case pcommon.ValueTypeDouble:
		return h.word(math.Float64bits(v.Double()), pcommon.ValueTypeDouble)
	case pcommon.ValueTypeBool:
		if v.Bool() {
			return h.word(1, pcommon.ValueTypeBool)
		}
		return h.word(0, pcommon.ValueTypeBool)
	case pcommon.ValueTypeBytes:
		bytes := v.Bytes()
		x := h.word(uint64(bytes.Len()), pcommon.ValueTypeBytes)
		for i := range bytes.Len() {
			x = x.then(h.word(uint64(bytes.At(i)), pcommon.ValueTypeBytes))
		}
		return x
	case pcommon.ValueTypeSlice:
		slice := v.Slice()
		x := h.word(uint64(slice.Len()), pcommon.ValueTypeSlice)
		for i := range slice.Len() {
			x = x.then(h.value(slice.At(i)))
		}
		return x
	case pcommon.ValueTypeMap:
		return h.word(uint64(v.Map().Len()), pcommon.ValueTypeMap).then(h.attributes(v.Map()))
	default:
		return h.word(0, pcommon.ValueTypeEmpty)
	}
}

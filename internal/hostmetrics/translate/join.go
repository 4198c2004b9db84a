package translate

import (
	"encoding/binary"
	"hash/maphash"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// maxProbes is how many points with one hash are looked at. Two that differ have one by a number in an attribute that does not equal itself, and
// else by an accident that nobody lives to see.
const maxProbes = 4

// joiner adds up points that the other form does not tell apart. It takes time in proportion to the points, whoever sends them.
type joiner struct {
	seed maphash.Seed
	// first are the points that others are added to, by the hash of their time and attributes. Where two have one hash the later has the next free one.
	first map[uint64]int
	// compared counts comparisons of two points, for a test.
	compared int
}

// join adds the value of each of the points at joining, which ascend, to that of the point with its time and attributes, and removes it. Without such
// a point the first of those that would be added to it takes the others, and stays.
func (j *joiner) join(points pmetric.NumberDataPointSlice, joining []int) {
	j.first = make(map[uint64]int, points.Len())
	next := 0
	for i := range points.Len() {
		if next < len(joining) && joining[next] == i {
			next++
		} else if points.At(i).ValueType() != pmetric.NumberDataPointValueTypeEmpty {
			j.find(points, i)
		}
	}
	for _, i := range joining {
		if to := j.find(points, i); to != i {
			add(points.At(to), points.At(i))
		}
	}
	points.RemoveIf(func(point pmetric.NumberDataPoint) bool {
		return point.ValueType() == pmetric.NumberDataPointValueTypeEmpty
	})
	j.first = nil
}

// find is the first of the points, of those asked for so far, with the time and the attributes of this one: itself, where there is none.
func (j *joiner) find(points pmetric.NumberDataPointSlice, i int) int {
	point := points.At(i)
	if point.Attributes().Len() > maxAttributes {
		return i
	}
	hash := j.hash(point)
	for range maxProbes {
		first, found := j.first[hash]
		if !found {
			j.first[hash] = i
			return i
		}
		j.compared++
		if other := points.At(first); other.Timestamp() == point.Timestamp() && other.Attributes().Equal(point.Attributes()) {
			return first
		}
		hash++
	}
	return i
}

// hash is of the time and the attributes, in whatever order these are.
func (j *joiner) hash(point pmetric.NumberDataPoint) uint64 {
	sum := uint64(point.Timestamp())
	for key, value := range point.Attributes().All() {
		var h maphash.Hash
		h.SetSeed(j.seed)
		_, _ = h.WriteString(key)
		_ = h.WriteByte(byte(value.Type()))
		var number [8]byte
		switch value.Type() {
		case pcommon.ValueTypeStr:
			_, _ = h.WriteString(value.Str())
		case pcommon.ValueTypeInt:
			binary.LittleEndian.PutUint64(number[:], uint64(value.Int())) //nolint:gosec // The bits alone matter.
			_, _ = h.Write(number[:])
		case pcommon.ValueTypeDouble:
			binary.LittleEndian.PutUint64(number[:], math.Float64bits(value.Double()+0)) // No -0, which equals 0.
			_, _ = h.Write(number[:])
		default:
			_, _ = h.WriteString(value.AsString())
		}
		sum += h.Sum64()
	}
	return sum
}

// add adds the value of a point to that of another, and empties it.
func add(to, point pmetric.NumberDataPoint) {
	const integer = pmetric.NumberDataPointValueTypeInt
	switch {
	case point.ValueType() == pmetric.NumberDataPointValueTypeEmpty:
	case point.ValueType() == integer && to.ValueType() == integer:
		to.SetIntValue(to.IntValue() + point.IntValue())
	default:
		to.SetDoubleValue(number(to) + number(point))
	}
	pmetric.NewNumberDataPoint().MoveTo(point)
}

func number(p pmetric.NumberDataPoint) float64 {
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(p.IntValue())
	}
	return p.DoubleValue()
}

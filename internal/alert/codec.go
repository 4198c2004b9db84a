package alert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// codecVersion stands in front of every stored value. A reader refuses a version that is newer than it. Version 1 has no figure
// of a point in events, and no time of decision and no silence in alerts.
const codecVersion = 2

// errCorrupt is what every malformed stored value is reported as.
var errCorrupt = errors.New("corrupt value")

// encoder appends values to b: integers as varints, text with its length in front.
type encoder struct{ b []byte }

func (e *encoder) byte(v byte)     { e.b = append(e.b, v) }
func (e *encoder) uint(v uint64)   { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)     { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) float(v float64) { e.b = binary.LittleEndian.AppendUint64(e.b, math.Float64bits(v)) }

func (e *encoder) bool(v bool) {
	if v {
		e.byte(1)
	} else {
		e.byte(0)
	}
}

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) number(n Number) {
	e.bool(n.Valid)
	if n.Valid {
		e.float(n.Float64)
	}
}

func (e *encoder) attr(a Attr) {
	e.string(a.Key)
	e.value(a.Value)
}

func (e *encoder) value(v Value) {
	e.byte(byte(v.kind))
	if v.kind == KindString || v.kind == KindOther {
		e.string(v.str)
	} else {
		e.uint(v.num)
	}
}

func (e *encoder) attrs(as []Attr) {
	e.uint(uint64(len(as)))
	for _, a := range as {
		e.attr(a)
	}
}

func (e *encoder) labels(ls []Label) {
	e.uint(uint64(len(ls)))
	for _, l := range ls {
		e.string(l.Key)
		e.string(l.Text)
	}
}

func (e *encoder) times(ts []int64) {
	e.uint(uint64(len(ts)))
	for _, t := range ts {
		e.int(t)
	}
}

// sealed returns the value to store: version, content, checksum.
func (e *encoder) sealed() []byte {
	out := append([]byte{codecVersion}, e.b...)
	return binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(out))
}

// decoder reads what encoder wrote. The first error sticks; everything read after it is zero.
type decoder struct {
	b       []byte
	version byte
	err     error
}

// unseal checks version and checksum of a stored value.
func unseal(v []byte) decoder {
	switch {
	case len(v) < 5:
		return decoder{err: fmt.Errorf("%w: %d bytes", errCorrupt, len(v))}
	case v[0] < 1 || v[0] > codecVersion:
		return decoder{err: fmt.Errorf("%w: version %d, want %d", errCorrupt, v[0], codecVersion)}
	case crc32.ChecksumIEEE(v[:len(v)-4]) != binary.LittleEndian.Uint32(v[len(v)-4:]):
		return decoder{err: fmt.Errorf("%w: checksum", errCorrupt)}
	}
	return decoder{b: v[1 : len(v)-4], version: v[0]}
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", errCorrupt, what)
	}
	d.b = nil
}

// finish returns the error, counting bytes left over as one.
func (d *decoder) finish() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail("trailing bytes")
	}
	return d.err
}

func (d *decoder) byte() byte {
	if len(d.b) < 1 {
		d.fail("short")
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) bool() bool {
	v := d.byte()
	if v > 1 {
		d.fail("truth value")
	}
	return v == 1
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail("integer")
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail("integer")
		return 0
	}
	d.b = d.b[n:]
	return v
}

// small reads an integer that must be in [0,limit).
func (d *decoder) small(limit int) int {
	v := d.uint()
	if v >= uint64(limit) {
		d.fail("integer out of range")
		return 0
	}
	return int(v)
}

func (d *decoder) float() float64 {
	if len(d.b) < 8 {
		d.fail("float")
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.b))
	d.b = d.b[8:]
	return v
}

func (d *decoder) string() string {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail("text")
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) number() Number {
	if !d.bool() {
		return Number{}
	}
	return Number{Float64: d.float(), Valid: true}
}

func (d *decoder) attr() Attr {
	return Attr{Key: d.string(), Value: d.value()}
}

func (d *decoder) value() Value {
	v := Value{kind: ValueKind(d.byte())}
	switch v.kind {
	case KindString, KindOther:
		v.str = d.string()
	case KindEmpty, KindInt, KindDouble, KindBool:
		v.num = d.uint()
	default:
		d.fail("attribute kind")
	}
	return v
}

func (d *decoder) attrs() []Attr {
	return decodeList(d, (*decoder).attr)
}

func (d *decoder) labels() []Label {
	return decodeList(d, func(d *decoder) Label { return Label{Key: d.string(), Text: d.string()} })
}

func (d *decoder) times() []int64 {
	return decodeList(d, (*decoder).int)
}

func decodeList[T any](d *decoder, item func(*decoder) T) []T {
	n := d.small(len(d.b) + 1) // An item has a byte at least, so that bad bytes cannot ask for more than they are.
	var out []T
	for range n {
		v := item(d)
		if d.err != nil {
			return nil
		}
		out = append(out, v)
	}
	return out
}

// known returns a number of the schema, and fails for one that has no name.
func known[N interface {
	~uint8
	Valid() bool
}](d *decoder, n N) N {
	if !n.Valid() {
		d.fail("number without a name")
		return 0
	}
	return n
}

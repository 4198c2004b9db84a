package attr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// codecVersion stands in front of every stored value. A reader refuses a version that is newer than it. Values of version 3 are fields with
// numbers; those of versions 1 and 2 have their parts in a fixed order. Version 1 has no statistic of a point in events, and no time of
// decision and no silence in alerts.
const codecVersion = 3

// ErrCorrupt is what every malformed stored value is reported as.
var ErrCorrupt = errors.New("corrupt value")

// Encoder appends values to Bytes: integers as varints, text with its length in front.
type Encoder struct{ Bytes []byte }

// Byte appends one byte.
func (e *Encoder) Byte(v byte) { e.Bytes = append(e.Bytes, v) }

// Uint appends an unsigned varint.
func (e *Encoder) Uint(v uint64) { e.Bytes = binary.AppendUvarint(e.Bytes, v) }

// Int appends a signed varint.
func (e *Encoder) Int(v int64) { e.Bytes = binary.AppendVarint(e.Bytes, v) }

// Float appends the eight bytes of a float, the least significant first.
func (e *Encoder) Float(v float64) {
	e.Bytes = binary.LittleEndian.AppendUint64(e.Bytes, math.Float64bits(v))
}

// Bool appends 1 or 0.
func (e *Encoder) Bool(v bool) {
	if v {
		e.Byte(1)
	} else {
		e.Byte(0)
	}
}

// Text appends text with its length in front.
func (e *Encoder) Text(s string) {
	e.Uint(uint64(len(s)))
	e.Bytes = append(e.Bytes, s...)
}

// Attr appends an attribute: its key and its value.
func (e *Encoder) Attr(a Attr) {
	e.Text(a.Key)
	e.Value(a.Value)
}

// Value appends a value: its kind, and its text or its bits.
func (e *Encoder) Value(v Value) {
	e.Byte(byte(v.kind))
	if v.kind == KindString || v.kind == KindOther {
		e.Text(v.str)
	} else {
		e.Uint(v.num)
	}
}

// Attrs appends a list of attributes, their count in front.
func (e *Encoder) Attrs(as []Attr) {
	e.Uint(uint64(len(as)))
	for _, a := range as {
		e.Attr(a)
	}
}

// Labels appends a list of labels, their count in front.
func (e *Encoder) Labels(ls []Label) {
	e.Uint(uint64(len(ls)))
	for _, l := range ls {
		e.Text(l.Key)
		e.Text(l.Text)
	}
}

// Times appends a list of times, their count in front.
func (e *Encoder) Times(ts []int64) {
	e.Uint(uint64(len(ts)))
	for _, t := range ts {
		e.Int(t)
	}
}

// Sealed returns the value to store: version, content, checksum.
func (e *Encoder) Sealed() []byte {
	out := make([]byte, 0, len(e.Bytes)+5)
	out = append(append(out, codecVersion), e.Bytes...)
	return binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(out))
}

// Decoder reads what Encoder wrote. The first error sticks; everything read after it is zero.
type Decoder struct {
	Bytes   []byte
	Version byte
	Err     error
}

// Unseal checks version and checksum of a stored value.
func Unseal(v []byte) Decoder {
	switch {
	case len(v) < 5:
		return Decoder{Err: fmt.Errorf("%w: %d bytes", ErrCorrupt, len(v))}
	case v[0] < 1 || v[0] > codecVersion:
		return Decoder{Err: fmt.Errorf("%w: version %d, known up to %d", ErrCorrupt, v[0], codecVersion)}
	case crc32.ChecksumIEEE(v[:len(v)-4]) != binary.LittleEndian.Uint32(v[len(v)-4:]):
		return Decoder{Err: fmt.Errorf("%w: checksum", ErrCorrupt)}
	}
	return Decoder{Bytes: v[1 : len(v)-4], Version: v[0]}
}

// Fail makes ErrCorrupt the decoder's error, with what was malformed, unless it has one.
func (d *Decoder) Fail(what string) {
	if d.Err == nil {
		d.Err = fmt.Errorf("%w: %s", ErrCorrupt, what)
	}
	d.Bytes = nil
}

// Finish returns the error, counting bytes left over as one.
func (d *Decoder) Finish() error {
	if d.Err == nil && len(d.Bytes) > 0 {
		d.Fail("trailing bytes")
	}
	return d.Err
}

// Byte reads what Encoder.Byte wrote.
func (d *Decoder) Byte() byte {
	if len(d.Bytes) < 1 {
		d.Fail("short")
		return 0
	}
	v := d.Bytes[0]
	d.Bytes = d.Bytes[1:]
	return v
}

// Bool reads what Encoder.Bool wrote.
func (d *Decoder) Bool() bool {
	v := d.Byte()
	if v > 1 {
		d.Fail("truth value")
	}
	return v == 1
}

// Uint reads what Encoder.Uint wrote.
func (d *Decoder) Uint() uint64 {
	v, n := binary.Uvarint(d.Bytes)
	if n <= 0 {
		d.Fail("integer")
		return 0
	}
	d.Bytes = d.Bytes[n:]
	return v
}

// Int reads what Encoder.Int wrote.
func (d *Decoder) Int() int64 {
	v, n := binary.Varint(d.Bytes)
	if n <= 0 {
		d.Fail("integer")
		return 0
	}
	d.Bytes = d.Bytes[n:]
	return v
}

// IntBelow reads an integer that must be in [0,limit).
func (d *Decoder) IntBelow(limit int) int {
	v := d.Uint()
	if v >= uint64(limit) {
		d.Fail("integer out of range")
		return 0
	}
	return int(v)
}

// Float reads what Encoder.Float wrote.
func (d *Decoder) Float() float64 {
	if len(d.Bytes) < 8 {
		d.Fail("float")
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.Bytes))
	d.Bytes = d.Bytes[8:]
	return v
}

// Text reads what Encoder.Text wrote.
func (d *Decoder) Text() string {
	n := d.Uint()
	if n > uint64(len(d.Bytes)) {
		d.Fail("text")
		return ""
	}
	s := string(d.Bytes[:n])
	d.Bytes = d.Bytes[n:]
	return s
}

// Number reads what Encoder.Number wrote.
func (d *Decoder) Number() Number {
	if !d.Bool() {
		return Number{}
	}
	return Number{Float64: d.Float(), Valid: true}
}

// Attr reads what Encoder.Attr wrote.
func (d *Decoder) Attr() Attr {
	return Attr{Key: d.Text(), Value: d.Value()}
}

// Value reads what Encoder.Value wrote.
func (d *Decoder) Value() Value {
	v := Value{kind: Kind(d.Byte())}
	switch v.kind {
	case KindString, KindOther:
		v.str = d.Text()
	case KindEmpty, KindInt, KindDouble, KindBool:
		v.num = d.Uint()
	default:
		d.Fail("attribute kind")
	}
	return v
}

// Attrs reads what Encoder.Attrs wrote.
func (d *Decoder) Attrs() []Attr {
	return DecodeList(d, (*Decoder).Attr)
}

// Labels reads what Encoder.Labels wrote.
func (d *Decoder) Labels() []Label {
	return DecodeList(d, func(d *Decoder) Label { return Label{Key: d.Text(), Text: d.Text()} })
}

// Times reads what Encoder.Times wrote.
func (d *Decoder) Times() []int64 {
	return DecodeList(d, (*Decoder).Int)
}

// DecodeList reads a list with its count in front. An item must take a byte at least.
func DecodeList[T any](d *Decoder, item func(*Decoder) T) []T {
	n := d.IntBelow(len(d.Bytes) + 1) // An item has a byte at least, so that bad bytes cannot ask for more than they are.
	var out []T
	for range n {
		v := item(d)
		if d.Err != nil {
			return nil
		}
		out = append(out, v)
	}
	return out
}

// DecodeEnum returns a number of the schema, and fails for one that has no name.
func DecodeEnum[N interface {
	~uint8
	Valid() bool
}](d *Decoder, n N) N {
	if !n.Valid() {
		d.Fail("number without a name")
		return 0
	}
	return n
}

package attr

import (
	"encoding/binary"
	"math"
	"slices"
)

// A stored struct is written as fields: a number and a value each, in the wire format of Protocol Buffers. A field without a value is not
// written, and one whose number is not known is skipped, so that fields can come and go between builds. Numbers are append only: one
// that was used is never used for something else.

// wireType tells how long the value of a field is, also to who does not know the field.
type wireType uint64

// The wire types. They are stored.
const (
	wireVarint  wireType = 0 // An integer, as a varint.
	wireFixed64 wireType = 1 // Eight bytes, little endian.
	wireBytes   wireType = 2 // A length, and so many bytes.
)

// Field is one field of a stored struct S: its number, and how it is written and read.
type Field[S any] struct {
	number uint64
	wire   wireType
	write  func(e *Encoder, s *S)
	read   func(d *Decoder, s *S)
}

// field makes a Field of a value that is written unless it is absent.
func field[S any](number uint64, wire wireType, absent func(*S) bool, write func(*Encoder, *S), read func(*Decoder, *S)) Field[S] {
	return Field[S]{number: number, wire: wire, read: read, write: func(e *Encoder, s *S) {
		if !absent(s) {
			e.tag(number, wire)
			write(e, s)
		}
	}}
}

// TextField is a text; empty is none.
func TextField[S any](number uint64, at func(*S) *string) Field[S] {
	return field(number, wireBytes, func(s *S) bool { return *at(s) == "" },
		func(e *Encoder, s *S) { e.Text(*at(s)) }, func(d *Decoder, s *S) { *at(s) = d.Text() })
}

// IntField is an integer; 0 is none.
func IntField[S any, N ~int64](number uint64, at func(*S) *N) Field[S] {
	return field(number, wireVarint, func(s *S) bool { return *at(s) == 0 },
		func(e *Encoder, s *S) { e.Int(int64(*at(s))) }, func(d *Decoder, s *S) { *at(s) = N(d.Int()) })
}

// Unset is the time that nothing has: before every other. It is stored as such.
const Unset int64 = math.MinInt64

// TimeField is a time in nanoseconds since the epoch, of which Unset is none. The reader must have set it to that.
func TimeField[S any](number uint64, at func(*S) *int64) Field[S] {
	return field(number, wireVarint, func(s *S) bool { return *at(s) == Unset },
		func(e *Encoder, s *S) { e.Int(*at(s)) }, func(d *Decoder, s *S) { *at(s) = d.Int() })
}

// CountField is an integer from 0, which is none, to limit.
func CountField[S any](number uint64, limit int, at func(*S) *int) Field[S] {
	return field(number, wireVarint, func(s *S) bool { return *at(s) == 0 },
		func(e *Encoder, s *S) { e.Uint(uint64(*at(s))) }, func(d *Decoder, s *S) { *at(s) = d.IntBelow(limit + 1) })
}

// FlagField is a truth value; false is none.
func FlagField[S any](number uint64, at func(*S) *bool) Field[S] {
	return field(number, wireVarint, func(s *S) bool { return !*at(s) },
		func(e *Encoder, s *S) { e.Bool(*at(s)) }, func(d *Decoder, s *S) { *at(s) = d.Bool() })
}

// NumberField is a float that may be unknown, which is none.
func NumberField[S any](number uint64, at func(*S) *Number) Field[S] {
	return field(number, wireFixed64, func(s *S) bool { return !at(s).Valid },
		func(e *Encoder, s *S) { e.Float(at(s).Float64) }, func(d *Decoder, s *S) { *at(s) = Number{Float64: d.Float(), Valid: true} })
}

// EnumField is one of several names, by a number that stays; 0 is not written. A number without a name makes the value corrupt.
func EnumField[S any, N interface {
	~uint8
	Valid() bool
}](number uint64, at func(*S) *N) Field[S] {
	return field(number, wireVarint, func(s *S) bool { return *at(s) == 0 },
		func(e *Encoder, s *S) { e.Uint(uint64(*at(s))) },
		func(d *Decoder, s *S) { *at(s) = DecodeEnum(d, N(d.IntBelow(math.MaxUint8+1))) })
}

// BytesField is an array of bytes; all zero is none.
func BytesField[S any](number uint64, at func(*S) []byte) Field[S] {
	return field(number, wireBytes, func(s *S) bool { return !slices.ContainsFunc(at(s), func(b byte) bool { return b != 0 }) },
		func(e *Encoder, s *S) { e.Text(string(at(s))) },
		func(d *Decoder, s *S) {
			if copy(at(s), d.Text()) != len(at(s)) {
				d.Fail("length of bytes")
			}
		})
}

// ListField is a list whose items are written by the encoder as they are, in the Encoder's own form; an empty one is none.
func ListField[S, T any](number uint64, at func(*S) *[]T, write func(*Encoder, []T), read func(*Decoder) []T) Field[S] {
	return field(number, wireBytes, func(s *S) bool { return len(*at(s)) == 0 },
		func(e *Encoder, s *S) { e.nested(func() { write(e, *at(s)) }) },
		func(d *Decoder, s *S) { d.nested(func(d *Decoder) { *at(s) = read(d) }) })
}

// StructField is a struct with fields of its own; one without any is none.
func StructField[S, T any](number uint64, at func(*S) *T, fields []Field[T]) Field[S] {
	return Field[S]{
		number: number, wire: wireBytes,
		write: func(e *Encoder, s *S) {
			before := len(e.Bytes)
			e.tag(number, wireBytes)
			begin := len(e.Bytes)
			if WriteFields(e, at(s), fields); len(e.Bytes) == begin {
				e.Bytes = e.Bytes[:before]
				return
			}
			e.putLength(begin)
		},
		read: func(d *Decoder, s *S) { d.nested(func(d *Decoder) { ReadFields(d, at(s), fields) }) },
	}
}

// StructsField is a list of structs with fields of their own.
func StructsField[S, T any](number uint64, at func(*S) *[]T, fields []Field[T]) Field[S] {
	return Field[S]{
		number: number, wire: wireBytes,
		write: func(e *Encoder, s *S) {
			for i := range *at(s) {
				e.tag(number, wireBytes)
				e.nested(func() { WriteFields(e, &(*at(s))[i], fields) })
			}
		},
		read: func(d *Decoder, s *S) {
			var item T
			d.nested(func(d *Decoder) { ReadFields(d, &item, fields) })
			*at(s) = append(*at(s), item)
		},
	}
}

// WriteFields appends the fields of a struct that have a value.
func WriteFields[S any](e *Encoder, s *S, fields []Field[S]) {
	for i := range fields {
		fields[i].write(e, s)
	}
}

// ReadFields reads fields up to the end, and skips those that are not known.
func ReadFields[S any](d *Decoder, s *S, fields []Field[S]) {
	for len(d.Bytes) > 0 {
		tag := d.Uint()
		number, wire := tag>>3, wireType(tag&7)
		i := slices.IndexFunc(fields, func(f Field[S]) bool { return f.number == number })
		switch {
		case i < 0:
			d.skip(wire)
		case fields[i].wire != wire:
			d.Fail("wire type")
		default:
			fields[i].read(d, s)
		}
	}
}

func (e *Encoder) tag(number uint64, wire wireType) { e.Uint(number<<3 | uint64(wire)) }

// nested puts the length in front of what write appends.
func (e *Encoder) nested(write func()) {
	begin := len(e.Bytes)
	write()
	e.putLength(begin)
}

// putLength puts the length of all from begin on in front of it.
func (e *Encoder) putLength(begin int) {
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(len(e.Bytes)-begin))
	e.Bytes = slices.Insert(e.Bytes, begin, length[:n]...)
}

// skip passes over the value of a field that is not known.
func (d *Decoder) skip(wire wireType) {
	switch wire {
	case wireVarint:
		d.Uint()
	case wireFixed64:
		d.Float()
	case wireBytes:
		d.Text()
	default:
		d.Fail("wire type")
	}
}

// nested reads what stands behind a length, all of it.
func (d *Decoder) nested(read func(*Decoder)) {
	n := d.Uint()
	if n > uint64(len(d.Bytes)) {
		d.Fail("length")
		return
	}
	inner := Decoder{Bytes: d.Bytes[:n], Version: d.Version}
	d.Bytes = d.Bytes[n:]
	read(&inner)
	if err := inner.Finish(); err != nil {
		d.Err, d.Bytes = err, nil
	}
}

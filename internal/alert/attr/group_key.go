package attr

import (
	"cmp"
	"slices"
	"strings"
)

// Located is one attribute of a group key, with where it came from.
type Located struct {
	Location Location
	Attr
}

// EncodeGroup writes a group key as bytes that only an equal key gives: attributes in order, lengths in front.
func EncodeGroup(attrs []Located) string {
	slices.SortFunc(attrs, compareLocated)
	var e Encoder
	for _, a := range attrs {
		e.Byte(byte(a.Location))
		e.Attr(a.Attr)
	}
	return string(e.Bytes)
}

// compareLocated is the order of attributes in a group key.
func compareLocated(a, b Located) int {
	if a.Location != b.Location {
		return cmp.Compare(a.Location, b.Location)
	}
	return strings.Compare(a.Key, b.Key)
}

// DecodeGroup is the inverse of EncodeGroup; bytes that are not a group key give an error.
func DecodeGroup(key string) ([]Located, error) {
	d := Decoder{Bytes: []byte(key)}
	var out []Located
	for len(d.Bytes) > 0 && d.Err == nil {
		location := Location(d.Byte())
		if location > InScope {
			d.Fail("attribute source")
		}
		out = append(out, Located{Location: location, Attr: d.Attr()})
	}
	return out, d.Err
}

// Plain returns the attributes of a group key without their places.
func Plain(keyed []Located) []Attr {
	out := make([]Attr, len(keyed))
	for i, a := range keyed {
		out[i] = a.Attr
	}
	return out
}

// NameTable numbers attribute keys, so that the group keys held in memory need not spell them out.
type NameTable struct {
	names   []string
	numbers map[string]uint64
}

// maxNames bounds the table; further keys are spelled out.
const maxNames = 4096

// NewNameTable returns an empty table.
func NewNameTable() *NameTable { return &NameTable{numbers: map[string]uint64{}} }

// Compact returns the short form of a group key that EncodeGroup wrote.
func (n *NameTable) Compact(key string) string {
	attrs, err := DecodeGroup(key)
	if err != nil {
		return "" // EncodeGroup writes nothing that DecodeGroup does not read.
	}
	var e Encoder
	for _, a := range attrs {
		number, known := n.numbers[a.Key]
		if !known && len(n.names) < maxNames {
			n.names = append(n.names, a.Key)
			number, known = uint64(len(n.names)), true
			n.numbers[a.Key] = number
		}
		e.Byte(byte(a.Location))
		e.Uint(number)
		if !known {
			e.Text(a.Key)
		}
		e.Value(a.Value)
	}
	return string(e.Bytes)
}

// Expand is the inverse of compact.
func (n *NameTable) Expand(short string) []Located {
	d := Decoder{Bytes: []byte(short)}
	var out []Located
	for len(d.Bytes) > 0 {
		a := Located{Location: Location(d.Byte())}
		if number := d.Uint(); number > 0 {
			a.Key = n.names[number-1]
		} else {
			a.Key = d.Text()
		}
		a.Value = d.Value()
		out = append(out, a)
	}
	return out
}

package alert

import (
	"cmp"
	"slices"
)

// groupAttr is one attribute of a group key, with where it came from.
type groupAttr struct {
	source attrSource
	Attr
}

// encodeGroup writes a group key as bytes that only an equal key gives: attributes in order, lengths in front.
func encodeGroup(attrs []groupAttr) string {
	slices.SortFunc(attrs, func(a, b groupAttr) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.Key, b.Key))
	})
	var e encoder
	for _, a := range attrs {
		e.byte(byte(a.source))
		e.attr(a.Attr)
	}
	return string(e.b)
}

// decodeGroup is the inverse of encodeGroup; bytes that are not a group key give an error.
func decodeGroup(key string) ([]groupAttr, error) {
	d := decoder{b: []byte(key)}
	var out []groupAttr
	for len(d.b) > 0 && d.err == nil {
		source := attrSource(d.byte())
		if source > fromScope {
			d.fail("attribute source")
		}
		out = append(out, groupAttr{source: source, Attr: d.attr()})
	}
	return out, d.err
}

// nameTable numbers attribute keys, so that the group keys held in memory need not spell them out.
type nameTable struct {
	names   []string
	numbers map[string]uint64
}

// maxNames bounds the table; further keys are spelled out.
const maxNames = 4096

func newNameTable() *nameTable { return &nameTable{numbers: map[string]uint64{}} }

// compact returns the short form of a group key that encodeGroup wrote.
func (n *nameTable) compact(key string) string {
	attrs, err := decodeGroup(key)
	if err != nil {
		return "" // encodeGroup writes nothing that decodeGroup does not read.
	}
	var e encoder
	for _, a := range attrs {
		number, known := n.numbers[a.Key]
		if !known && len(n.names) < maxNames {
			n.names = append(n.names, a.Key)
			number, known = uint64(len(n.names)), true
			n.numbers[a.Key] = number
		}
		e.byte(byte(a.source))
		e.uint(number)
		if !known {
			e.string(a.Key)
		}
		e.value(a.Value)
	}
	return string(e.b)
}

// expand is the inverse of compact.
func (n *nameTable) expand(short string) []groupAttr {
	d := decoder{b: []byte(short)}
	var out []groupAttr
	for len(d.b) > 0 {
		a := groupAttr{source: attrSource(d.byte())}
		if number := d.uint(); number > 0 {
			a.Key = n.names[number-1]
		} else {
			a.Key = d.string()
		}
		a.Value = d.value()
		out = append(out, a)
	}
	return out
}

package alert

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// seriesKey identifies a series within one metric: a hash of resource, scope and attributes. Its seed differs from
// run to run, so that nobody can prepare attributes that collide; it never leaves the process.
type seriesKey struct{ a, b uint64 }

// attrSetHash hashes an attribute set without regard to order: the hashes of the attributes are added up, in two
// lanes that mix differently.
func attrSetHash(seed maphash.Seed, attrs []Attr) seriesKey {
	var k seriesKey
	for i := range attrs {
		v := &attrs[i].Value
		h := mix(maphash.String(seed, attrs[i].Key) + uint64(v.kind))
		switch v.kind {
		case KindString, KindOther:
			h = mix(h ^ maphash.String(seed, v.str))
		default:
			h = mix(h ^ v.num*0x9e3779b97f4a7c15)
		}
		k.a += h
		k.b += mix(h ^ 0x5851f42d4c957f2d)
	}
	return k
}

// join makes one key of an outer and an inner one; the order matters.
func (k seriesKey) join(inner seriesKey) seriesKey {
	return seriesKey{mix(k.a*3 + inner.a), mix(k.b*5 + inner.b)}
}

// mix is the finisher of splitmix64: every bit of the input moves every bit of the output.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

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

// groupKey returns the key of the group that a point belongs to.
func (w *ruleInput) groupKey(o *Origin, point []Attr) string {
	r := w.rule.rule
	var attrs []groupAttr
	switch {
	case r.pinned():
		return r.pinnedKey()
	case r.groupGiven:
		sets := [...][]Attr{fromPoint: point, fromResource: o.Resource, fromScope: o.Scope}
		for _, f := range r.groupBy {
			if v, ok := lookup(sets[f.source], f.key); ok {
				attrs = append(attrs, groupAttr{f.source, Attr{f.key, v}})
			}
		}
		if r.byResource {
			attrs = w.appendIdentity(attrs, o)
		}
		return encodeGroup(attrs)
	}
	if !r.joins {
		for _, a := range point {
			if !w.sel.pins(a.Key) {
				attrs = append(attrs, groupAttr{fromPoint, a})
			}
		}
	}
	return encodeGroup(w.appendIdentity(attrs, o))
}

// appendIdentity appends the attributes that identify the resource and that group_by does not name.
func (w *ruleInput) appendIdentity(attrs []groupAttr, o *Origin) []groupAttr {
	for _, a := range o.Resource {
		identifies := slices.Contains(o.IdentifyingKeys, a.Key)
		if len(o.IdentifyingKeys) == 0 {
			identifies = alertschema.IdentifiesResource(a.Key, w.metric)
		}
		if identifies && !slices.Contains(w.rule.groupBy, groupField{fromResource, a.Key}) {
			attrs = append(attrs, groupAttr{fromResource, a})
		}
	}
	return attrs
}

// pinned tells whether the rule has one group, that of the series that its selector describes.
func (r *rule) pinned() bool { return r.absent != nil && len(r.groupBy) == 0 && !r.byResource }

// pinnedKey is the group key of an absent rule: what its selector says the missing series looks like.
func (r *rule) pinnedKey() string {
	var attrs []groupAttr
	for source, ms := range [...][]matcher{fromPoint: r.value.sel.point, fromResource: r.value.sel.resource, fromScope: r.value.sel.scope} {
		for _, m := range ms {
			if m.op == opExact {
				attrs = append(attrs, groupAttr{attrSource(source), Attr{m.key, StringValue(strings.Clone(m.text))}})
			}
		}
	}
	return encodeGroup(attrs)
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

package attr

import "hash/maphash"

// Hash identifies a series within one metric: a hash of resource, scope and attributes. Its seed differs from
// run to run, so that nobody can prepare attributes that collide; it never leaves the process.
type Hash struct{ a, b uint64 }

// HashSet hashes an attribute set without regard to order: the hashes of the attributes are added up, in two
// lanes that mix differently.
func HashSet(seed maphash.Seed, attrs []Attr) Hash {
	var k Hash
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

// Join makes one key of an outer and an inner one; the order matters.
func (k Hash) Join(inner Hash) Hash {
	return Hash{mix(k.a*3 + inner.a), mix(k.b*5 + inner.b)}
}

// mix is the finisher of splitmix64: every bit of the input moves every bit of the output.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

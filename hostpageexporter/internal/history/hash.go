package history

import "hash/maphash"

// Hasher makes keys. Its seed is that of one store, so that nobody can prepare attributes that collide.
type Hasher struct{ seed maphash.Seed }

// Hasher returns the hasher of the store.
func (s *Store) Hasher() Hasher { return Hasher{s.seed} }

// Text adds an attribute to the key of a set. The order of attributes does not matter.
func (h Hasher) Text(set *Key, key, value string) {
	set.add(mix(maphash.String(h.seed, key)) ^ maphash.String(h.seed, value))
}

// Bits adds an attribute whose value is a number, given as its bits and a mark of its type.
func (h Hasher) Bits(set *Key, key string, kind byte, bits uint64) {
	set.add(mix(maphash.String(h.seed, key)+uint64(kind)) ^ bits*0x9e3779b97f4a7c15)
}

func (k *Key) add(hash uint64) {
	hash = mix(hash)
	k.A += hash
	k.B += mix(hash ^ 0x5851f42d4c957f2d)
}

// Join makes one key of an outer and an inner one; their order matters.
func (k Key) Join(inner Key) Key { return Key{mix(k.A*3 + inner.A), mix(k.B*5 + inner.B)} }

// mix is the finisher of splitmix64: every bit of the input moves every bit of the output.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

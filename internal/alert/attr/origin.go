package attr

import (
	"hash/maphash"
	"slices"
	"sync/atomic"
)

// Origin is where data points come from: one resource and scope. An adapter fills one and reuses it; the engine
// keeps copies of what it needs.
type Origin struct {
	// Resource holds the resource's attributes.
	Resource []Attr
	// IdentifyingKeys are the keys that OTLP entity references of the resource name as its identity.
	IdentifyingKeys []string
	// ScopeName, ScopeVersion and Scope describe the instrumentation scope.
	ScopeName, ScopeVersion string
	Scope                   []Attr

	key, resourceKey, scopeKey, nameKey Hash
	hashed, resourceHashed              bool
	lineage                             Hash
	hasLineage                          bool
	number                              uint64
	identities                          map[any][]Located
}

// Reset empties the origin for reuse. It must be called before the fields change.
func (o *Origin) Reset() {
	o.Resource, o.IdentifyingKeys, o.Scope = o.Resource[:0], o.IdentifyingKeys[:0], o.Scope[:0]
	o.ScopeName, o.ScopeVersion, o.hashed, o.resourceHashed, o.hasLineage = "", "", false, false, false
	clear(o.identities)
	o.number = 0
}

// ResetScope empties the scope for reuse, and keeps the resource with all that was worked out of it.
func (o *Origin) ResetScope() {
	o.ScopeName, o.ScopeVersion, o.Scope, o.hashed = "", "", o.Scope[:0], false
	o.number = 0
}

// Number tells what the origin holds now from what it held before, and from what others hold: it is another one after each reset.
func (o *Origin) Number() uint64 {
	if o.number == 0 {
		o.number = originNumber.Add(1)
	}
	return o.number
}

// originNumber is the number that was given last.
var originNumber atomic.Uint64

// Lineage returns the hash of what identifies the resource, whose attributes identifying appends to a buffer; it is worked out once.
func (o *Origin) Lineage(seed maphash.Seed, identifying func(o *Origin) []Attr) Hash {
	if !o.hasLineage {
		o.lineage, o.hasLineage = HashSet(seed, identifying(o)), true
	}
	return o.lineage
}

// Identity returns the attributes of the resource that identify it to somebody, in order of their keys. Find finds them; it is called once.
func (o *Origin) Identity(to any, find func() []Located) []Located {
	found, known := o.identities[to]
	if !known {
		found = find()
		slices.SortFunc(found, compareLocated)
		if o.identities == nil {
			o.identities = map[any][]Located{}
		}
		o.identities[to] = found
	}
	return found
}

// Has tells whether the resource has an attribute.
func (o *Origin) Has(key string) bool {
	_, ok := Lookup(o.Resource, key)
	return ok
}

// Hashes returns the hash that identifies the origin, and that of its resource alone. The version of the scope is none of it: it changes when who
// measures is upgraded.
func (o *Origin) Hashes(seed maphash.Seed) (whole, resource Hash) {
	if !o.hashed {
		if !o.resourceHashed {
			o.resourceKey, o.resourceHashed = HashSet(seed, o.Resource), true
		}
		o.scopeKey = HashSet(seed, o.Scope)
		name := [1]Attr{{"name", StringValue(o.ScopeName)}}
		o.nameKey = HashSet(seed, name[:])
		o.key = o.HashOf(o.resourceKey)
		o.hashed = true
	}
	return o.key, o.resourceKey
}

// HashOf returns what would identify the origin if its resource were another, of which it takes the hash. Hashes must have been called.
func (o *Origin) HashOf(resource Hash) Hash { return resource.Join(o.nameKey).Join(o.scopeKey) }

package attr

import "hash/maphash"

// Origin is where data points come from: one resource and scope. An adapter fills one and reuses it; the engine
// keeps copies of what it needs.
type Origin struct {
	// Resource holds the resource's attributes.
	Resource []Attr
	// IdentifyingKeys are the keys of Resource that identify it, where OTLP entity references tell; else empty.
	IdentifyingKeys []string
	// ScopeName, ScopeVersion and Scope describe the instrumentation scope.
	ScopeName, ScopeVersion string
	Scope                   []Attr

	key, resourceKey Hash
	hashed           bool
}

// Reset empties the origin for reuse. It must be called before the fields change.
func (o *Origin) Reset() {
	o.Resource, o.IdentifyingKeys, o.Scope = o.Resource[:0], o.IdentifyingKeys[:0], o.Scope[:0]
	o.ScopeName, o.ScopeVersion, o.hashed = "", "", false
}

// Hashes returns the hash that identifies the origin, and that of its resource alone.
func (o *Origin) Hashes(seed maphash.Seed) (whole, resource Hash) {
	if !o.hashed {
		o.resourceKey = HashSet(seed, o.Resource)
		scope := HashSet(seed, o.Scope)
		name := [2]Attr{{"name", StringValue(o.ScopeName)}, {"version", StringValue(o.ScopeVersion)}}
		o.key = o.resourceKey.Join(HashSet(seed, name[:])).Join(scope)
		o.hashed = true
	}
	return o.key, o.resourceKey
}

package alert

import (
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// GroupKey returns the key of the group that a point of one of the rule's selectors belongs to.
func (r *Rule) GroupKey(t *Target, o *Origin, point []Attr) string {
	var attrs []Located
	switch {
	case r.Pinned():
		return r.PinnedKey()
	case r.GroupGiven:
		sets := [...][]Attr{InPoint: point, InResource: o.Resource, InScope: o.Scope}
		for _, f := range r.GroupBy {
			if v, ok := Lookup(sets[f.Location], f.Key); ok {
				attrs = append(attrs, Located{f.Location, Attr{f.Key, v}})
			}
		}
		if r.ByResource {
			attrs = r.appendIdentity(t, attrs, o)
		}
		return EncodeGroup(attrs)
	}
	if !r.Joins {
		for _, a := range point {
			if !t.Selector.pins(a.Key) {
				attrs = append(attrs, Located{InPoint, a})
			}
		}
	}
	return EncodeGroup(r.appendIdentity(t, attrs, o))
}

// appendIdentity appends the attributes that identify the resource and that group_by does not name.
func (r *Rule) appendIdentity(t *Target, attrs []Located, o *Origin) []Located {
	for _, a := range o.Resource {
		identifies := slices.Contains(o.IdentifyingKeys, a.Key)
		if len(o.IdentifyingKeys) == 0 {
			identifies = alertschema.IdentifiesResource(a.Key, t.Metric)
		}
		if identifies && !slices.Contains(r.GroupBy, GroupField{InResource, a.Key}) {
			attrs = append(attrs, Located{InResource, a})
		}
	}
	return attrs
}

// Pinned tells whether the rule has one group, that of the series that its selector describes.
func (r *Rule) Pinned() bool { return r.Absent != nil && len(r.GroupBy) == 0 && !r.ByResource }

// PinnedKey is the group key of an absent rule: what its selector says the missing series looks like.
func (r *Rule) PinnedKey() string {
	var attrs []Located
	for source, ms := range [...][]matcher{InPoint: r.Value.Selector.point, InResource: r.Value.Selector.resource, InScope: r.Value.Selector.scope} {
		for _, m := range ms {
			if m.op == opExact {
				attrs = append(attrs, Located{Location(source), Attr{m.key, StringValue(strings.Clone(m.text))}})
			}
		}
	}
	return EncodeGroup(attrs)
}

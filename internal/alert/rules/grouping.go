package rules

import (
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// GroupKey returns the key of the group that a point of one of the rule's selectors belongs to.
func (r *Rule) GroupKey(t *Target, o *attr.Origin, point []attr.Attr) string {
	var attrs []attr.Located
	switch {
	case r.Pinned():
		return r.PinnedKey()
	case r.GroupGiven:
		sets := [...][]attr.Attr{attr.InPoint: point, attr.InResource: o.Resource, attr.InScope: o.Scope}
		for _, f := range r.GroupBy {
			if v, ok := attr.Lookup(sets[f.Location], f.Key); ok {
				attrs = append(attrs, attr.Located{Location: f.Location, Attr: attr.Attr{Key: f.Key, Value: v}})
			}
		}
		if r.ByResource {
			attrs = r.appendIdentity(t, attrs, o)
		}
		return attr.EncodeGroup(attrs)
	}
	if !r.Joins {
		for _, a := range point {
			if !t.Selector.pins(a.Key) && !r.readsBoundFrom(a.Key) {
				attrs = append(attrs, attr.Located{Location: attr.InPoint, Attr: a})
			}
		}
	}
	return attr.EncodeGroup(r.appendIdentity(t, attrs, o))
}

// appendIdentity appends the attributes that identify the resource and that group_by does not name.
func (r *Rule) appendIdentity(t *Target, attrs []attr.Located, o *attr.Origin) []attr.Located {
	for _, a := range o.Resource {
		identifies := slices.Contains(o.IdentifyingKeys, a.Key)
		if len(o.IdentifyingKeys) == 0 {
			identifies = identifiesResource(a.Key, t.Metric)
		}
		if identifies && !slices.Contains(r.GroupBy, GroupField{attr.InResource, a.Key}) {
			attrs = append(attrs, attr.Located{Location: attr.InResource, Attr: a})
		}
	}
	return attrs
}

// Pinned tells whether the rule has one group, that of the series that its selector describes.
func (r *Rule) Pinned() bool { return r.Kind.Silence() > 0 && len(r.GroupBy) == 0 && !r.ByResource }

// PinnedKey is the group key of a pinned rule: what its selector says the missing series looks like.
func (r *Rule) PinnedKey() string {
	var attrs []attr.Located
	for source, ms := range [...][]matcher{attr.InPoint: r.Value.Selector.point, attr.InResource: r.Value.Selector.resource, attr.InScope: r.Value.Selector.scope} {
		for _, m := range ms {
			if m.op == opExact {
				attrs = append(attrs, attr.Located{Location: attr.Location(source), Attr: attr.String(m.key, strings.Clone(m.text))})
			}
		}
	}
	return attr.EncodeGroup(attrs)
}

// SeriesKey returns what identifies the series of a point within the rule, over restarts, too: its group and all of its attributes.
func (r *Rule) SeriesKey(t *Target, o *attr.Origin, point []attr.Attr) string {
	attrs := make([]attr.Located, 0, len(point)+len(o.Resource))
	for _, a := range point {
		attrs = append(attrs, attr.Located{Location: attr.InPoint, Attr: a})
	}
	return r.GroupKey(t, o, point) + "\x00" + attr.EncodeGroup(r.appendIdentity(t, attrs, o))
}

package rules

import (
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// GroupKey returns the key of the group that a point of one of the rule's selectors belongs to.
func (r *Rule) GroupKey(t *Target, o *attr.Origin, point []attr.Attr) string {
	var attrs []attr.Located
	point = t.named(point)
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
			attrs = r.appendIdentity(attrs, o)
		}
		return attr.EncodeGroup(attrs)
	}
	if !r.Joins {
		for _, a := range point {
			if !t.Selector.pins(a.Key) && !r.Value.Selector.pinsTo(a) && !r.readsBoundFrom(a.Key) {
				attrs = append(attrs, attr.Located{Location: attr.InPoint, Attr: a})
			}
		}
	}
	return attr.EncodeGroup(r.appendIdentity(attrs, o))
}

// appendIdentity appends the attributes that identify the resource and that group_by does not name. They go by the metric of the rule's value, so that
// the groups of other metrics of one resource are the same.
func (r *Rule) appendIdentity(attrs []attr.Located, o *attr.Origin) []attr.Located {
	return append(attrs, o.Identity(r, func() []attr.Located {
		var found []attr.Located
		for _, a := range o.Resource {
			if r.identifies(a.Key, o) && !slices.Contains(r.GroupBy, GroupField{attr.InResource, a.Key}) {
				found = append(found, attr.Located{Location: attr.InResource, Attr: a})
			}
		}
		return found
	})...)
}

// KeyOf returns the key of the group that a series belongs to of which some attributes are known; false where the key needs others.
func (r *Rule) KeyOf(known []attr.Located) (key string, ok bool) {
	var o attr.Origin
	var point []attr.Attr
	for _, a := range known {
		switch a.Location {
		case attr.InPoint:
			point = append(point, a.Attr)
		case attr.InResource:
			o.Resource = append(o.Resource, a.Attr)
		case attr.InScope:
			o.Scope = append(o.Scope, a.Attr)
		}
	}
	for _, f := range r.GroupBy {
		if !slices.ContainsFunc(known, func(a attr.Located) bool { return a.Location == f.Location && a.Key == f.Key }) {
			return "", false
		}
	}
	return r.GroupKey(&r.Value, &o, point), true
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
	return r.GroupKey(t, o, point) + "\x00" + attr.EncodeGroup(r.appendIdentity(attrs, o))
}

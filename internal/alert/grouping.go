package alert

import (
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// groupKey returns the key of the group that a point of one of the rule's selectors belongs to.
func (r *rule) groupKey(t *target, o *Origin, point []Attr) string {
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
			attrs = r.appendIdentity(t, attrs, o)
		}
		return encodeGroup(attrs)
	}
	if !r.joins {
		for _, a := range point {
			if !t.sel.pins(a.Key) {
				attrs = append(attrs, groupAttr{fromPoint, a})
			}
		}
	}
	return encodeGroup(r.appendIdentity(t, attrs, o))
}

// appendIdentity appends the attributes that identify the resource and that group_by does not name.
func (r *rule) appendIdentity(t *target, attrs []groupAttr, o *Origin) []groupAttr {
	for _, a := range o.Resource {
		identifies := slices.Contains(o.IdentifyingKeys, a.Key)
		if len(o.IdentifyingKeys) == 0 {
			identifies = alertschema.IdentifiesResource(a.Key, t.metric)
		}
		if identifies && !slices.Contains(r.groupBy, groupField{fromResource, a.Key}) {
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

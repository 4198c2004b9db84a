package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// observePlaces looks, at the first stream that an input is offered, for attributes that its match expects of data points and that are the
// resource's.
func (e *Engine) observePlaces(w *ruleInput, o *attr.Origin) {
	w.offered = true
	for _, key := range w.Selector.PointKeys() {
		if _, there := attr.Lookup(o.Resource, key); there {
			w.misplaced = append(w.misplaced, key)
		}
	}
	if len(w.misplaced) > 0 {
		e.misplaced = append(e.misplaced, w)
	}
}

// noticeMisplaced warns about the inputs of which the first data have shown that they match nothing, because an attribute stands elsewhere.
func (e *Engine) noticeMisplaced() {
	for _, w := range e.misplaced {
		if w.matched {
			continue
		}
		for _, key := range w.misplaced {
			e.notice("rule %q: %smatch.%s matches no data point of %s: there it is an attribute of the resource, which is written {resource: {%[3]s: …}}",
				w.rule.Name, w.Key, key, w.Metric)
		}
	}
	e.misplaced = nil
}

// observeGroup looks, at the first point that an input takes, for attributes that group_by expects elsewhere than they are.
func (e *Engine) observeGroup(w *ruleInput, o *attr.Origin, point []attr.Attr) {
	w.matched = true
	if w.Role == rules.RoleCondition {
		return // It has the groups of the value.
	}
	places := [...]struct {
		prefix string
		attrs  []attr.Attr
	}{attr.InPoint: {"", point}, attr.InResource: {"resource.", o.Resource}, attr.InScope: {"scope.", o.Scope}}
	for _, f := range w.rule.GroupBy {
		if _, there := attr.Lookup(places[f.Location].attrs, f.Key); there {
			continue
		}
		for _, other := range places {
			if _, there := attr.Lookup(other.attrs, f.Key); there {
				e.notice("rule %q: group_by %q is in no group: of %s it is written %q", w.rule.Name, places[f.Location].prefix+f.Key, w.Metric, other.prefix+f.Key)
				break
			}
		}
	}
}

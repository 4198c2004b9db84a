package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// inheritSilence gives what a rule about silence had seen to the rules that ask for the same thing today: a rule that was renamed, or of which
// match or group_by was edited, knows still that the thing was there, and since when it is not.
func (e *Engine) inheritSilence(s *storedAlert, down int64) {
	keyed, err := attr.DecodeGroup(s.group)
	if err != nil {
		return
	}
	thing := thingOf(keyed, s.resource)
	ofPinned := rules.SelectsPinned(s.selection)
	for _, r := range e.states {
		if r.silence == 0 || r.Value.Metric != s.metric || r.Name == s.rule && r.selectedAs(s.selection) || !r.Value.Selector.MayMatch(thing) {
			continue
		}
		key, known := s.group, !r.Pinned() && !ofPinned && r.GroupsAs(s.selection)
		switch {
		case known:
		case r.ByResource: // What identified the resource is not known.
		case ofPinned && !r.Pinned(): // Values in the key of a pinned rule are text, whatever they are in the data.
			key, known = r.KeyOf(thingOf(nil, s.resource))
		default:
			key, known = r.KeyOf(thing)
		}
		if !known {
			continue
		}
		g := e.groupOf(r, key)
		seen := e.now
		if s.lastSample != ladder.Unset {
			seen = min(e.now, s.lastSample+down)
		}
		if g.lastSample >= seen && g.lastSample != ladder.Unset {
			continue // It has news of its own.
		}
		if g.alert == nil {
			e.openAlert(g)
		}
		if len(s.resource) > 0 {
			g.alert.resource = &resource{attrs: s.resource}
		}
		g.lastSample, g.alert.silent = seen, s.lastSample != ladder.Unset
	}
}

// thingOf puts together what is known of the series that a stored alert was about. What its resource has is as it came.
func thingOf(keyed []attr.Located, resource []attr.Attr) []attr.Located {
	var thing []attr.Located
	for _, a := range resource {
		thing = append(thing, attr.Located{Location: attr.InResource, Attr: a})
	}
	for _, a := range keyed {
		if _, there := attr.Lookup(resource, a.Key); a.Location != attr.InResource || !there {
			thing = append(thing, a)
		}
	}
	return thing
}

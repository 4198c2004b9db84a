package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// resourceAttrs returns the resource of the series that decided last, or of one that belongs to the group.
func (g *group) resourceAttrs() []attr.Attr {
	switch {
	case g.alert != nil && g.alert.resource != nil:
		return g.alert.resource.attrs
	case len(g.members) > 0:
		return g.members[0].resource.attrs
	default:
		return nil
	}
}

// emit makes the record of a change, and records that it was announced.
func (e *Engine) emit(c *change) {
	g := c.group
	a := g.alert
	a.changed = max(a.changed, c.t)
	ev := e.record(c)
	switch {
	case c.transition == alertschema.TransitionResolve:
		e.setAnnounced(g, 0)
	case c.transition.ChangesLevel():
		e.setAnnounced(g, c.to)
		a.announcedStart = c.started
	case (c.transition == alertschema.TransitionFlappingStart || c.transition == alertschema.TransitionFlappingEnd) && c.to > 0:
		e.setAnnounced(g, c.to)
	}
	a.announcedState, a.announcedAt, a.texts = ev.State, e.now, textsOf(&ev)
	if a.announced == 0 {
		a.texts = nil
	}
	e.journal.mark(g.id)
	if c.transition == alertschema.TransitionResolve {
		a.deferred = notDeferred
		if !e.rules.SendResolved {
			return
		}
	}
	e.enqueueOf(ev, since(a.holder))
}

// record builds the event of a change.
func (e *Engine) record(c *change) event.Event {
	g, r := c.group, c.group.rule
	a := g.alert
	shown := c.to // The level whose name, number and message the record carries.
	if shown == 0 {
		shown = max(a.announced, 1)
	}
	levels, known := c.bounds()
	specs := r.specsOf(g)
	l, spec := &levels[shown-1], &specs[shown-1]
	ev := newRecord(&facts{
		id: g.recordID(), rule: r.Name, version: r.Version, description: r.Description, metric: r.Metric, unit: e.unit(g), comparison: l.Comparison.Symbol(),
		point: r.Value.StatisticName, aggregation: r.AggregateName, window: r.Retention, labels: e.labels(g), group: g.attributes(),
		identity: g.identity(), resource: c.resource, announced: cmp.Or(c.previous, r.LevelName(a.announced)), previous: a.announcedState,
		transition: c.transition, reason: c.reason, state: announcedState(c, a), time: c.t, observed: e.now, started: c.started, ended: c.ended,
		occurrence: c.seq,
	})
	ev.Severity, ev.Value = spec.Name, c.value
	switch {
	case c.transition.ByPerson():
		ev.UID = alertschema.ActionUID(ev.EpisodeID, c.seq, a.person.actions)
	case c.transition == alertschema.TransitionRepeat:
		ev.UID = alertschema.RepeatUID(ev.EpisodeID, c.seq, a.repeats)
	case c.belated:
		ev.UID = alertschema.BelatedUID(ev.EpisodeID, c.seq)
	}
	if ev.State != alertschema.StateResolved {
		ev.SeverityNumber, ev.SeverityText = spec.Number, spec.Name
	}
	switch {
	case !l.Comparison.HasBounds():
		ev.Value = attr.Number{}
	case ev.State == alertschema.StateResolved:
		ev.Threshold = boundNumber(levels[lowest(specs)].Threshold(c.value.Float64, true), known)
	default:
		ev.Threshold = boundNumber(l.Threshold(c.value.Float64, false), known)
	}
	if x := c.exemplar; x != nil {
		ev.TraceID, ev.SpanID = x.TraceID, x.SpanID
	}
	ev.More = append(append(ev.More, r.RecordAttributes()...), e.personAttributes(c)...)
	e.renderTexts(c, spec, &ev)
	return ev
}

// announcedState is the state that the record of a change announces: that of the transition, or what the alert says where the
// transition leaves it open.
func announcedState(c *change, a *alertState) alertschema.State {
	if c.transition == alertschema.TransitionEscalate && a.flap.Latched {
		return alertschema.StateFlapping
	}
	if c.transition == alertschema.TransitionRepeat || c.transition.ByPerson() || c.previous != "" {
		return a.announcedState
	}
	if state, fixed := c.transition.Announces(); fixed {
		return state
	}
	if c.to == 0 {
		return alertschema.StateResolved
	}
	return alertschema.StateFiring
}

// labels returns the rule's labels, rendered for the group.
func (e *Engine) labels(g *group) []attr.Label {
	if len(g.rule.Labels) == 0 {
		return nil
	}
	return e.renderAll(g, g.rule.Labels, rules.TemplateData{
		Rule: g.rule.Name, Metric: g.rule.Metric, Unit: e.unit(g),
	}.With(g.attributes(), g.resourceAttrs()))
}

func (e *Engine) renderAll(g *group, texts []rules.NamedTemplate, data rules.TemplateData) []attr.Label {
	out := make([]attr.Label, 0, len(texts))
	for _, t := range texts {
		s, err := t.Template.Render(data)
		if err != nil {
			e.ruleError(g.rule, errorTemplate, func() string { return fmt.Sprintf("rendering %s: %v", t.Name, err) })
			continue
		}
		out = append(out, attr.Label{Key: t.Name, Text: s})
	}
	return out
}

// renderTexts fills the event's annotations and body.
func (e *Engine) renderTexts(c *change, l *rules.LevelSpec, ev *event.Event) {
	r := c.group.rule
	found := c.finding(l, ev)
	data := rules.TemplateData{
		ValueText: found.ValueText(), Condition: found.Condition(),
		Value: ev.Value.Float64, Threshold: ev.Threshold.Float64, Duration: ev.Duration.Seconds(), Rule: r.Name, Metric: r.Metric,
		Unit: ev.Unit, Severity: ev.Severity, Transition: ev.Transition.String(), State: ev.State.String(),
		StartedAt: time.Unix(0, ev.StartedAt).UTC(),
	}.With(ev.Group, ev.Resource).InPercent(found.InPercent())
	if len(ev.Labels) > 0 {
		data.Labels = make(map[string]string, len(ev.Labels))
		for _, label := range ev.Labels {
			data.Labels[label.Key] = label.Text
		}
	}
	if len(r.Annotations) > 0 {
		ev.Annotations = e.renderAll(c.group, r.Annotations, data)
	}
	message := ""
	if l.Message != nil {
		s, err := l.Message.Render(data)
		if err != nil {
			e.ruleError(r, errorTemplate, func() string { return fmt.Sprintf("rendering message: %v", err) })
		}
		message = s
	}
	if message == "" {
		message = plainMessage(r, &found, ev)
	}
	body := bodyOf(c, r, ev, message)
	if c.transition.ByPerson() {
		body = e.actionBody(c, message)
	}
	ev.Body = alertschema.CutText(body, alertschema.MaxText)
}

// finding is what the texts of a change's record are made of. At a resolve the value is compared with the lowest level, which lets go last.
func (c *change) finding(l *rules.LevelSpec, ev *event.Event) rules.Finding {
	r := c.group.rule
	shown := slices.IndexFunc(r.Levels, func(spec rules.LevelSpec) bool { return spec.Severity == l.Severity })
	levels, known := c.bounds()
	specs := r.specsOf(c.group)
	if ev.State == alertschema.StateResolved {
		shown = lowest(specs)
	}
	value := ev.Value
	value.Valid = value.Valid && known
	return rules.Finding{
		Rule: r.Rule, Value: value, Unit: ev.Unit, Level: &specs[shown], Bounds: levels[shown], Transition: c.transition, Reason: c.reason,
		Over: c.to == 0, NeverSeen: c.group.lastSample == ladder.Unset,
	}
}

// maxMessage bounds a message, in bytes: there is room for what a body puts around it.
const maxMessage = alertschema.MaxText - 256

// plainMessage is the message of a level that has none.
func plainMessage(r *ruleState, found *rules.Finding, ev *event.Event) string {
	return alertschema.CutText(subjectOf(ev, !r.GroupGiven || r.ByResource)+r.Kind.Text(*found), maxMessage)
}

// subjectOf says what a record is about: the rule, the group and, if asked for, what of the resource tells the group from others.
func subjectOf(ev *event.Event, ofResource bool) string {
	var b strings.Builder
	b.WriteString(ev.Rule)
	joinValues(&b, ev.Group, ",")
	if ofResource {
		b.WriteString(rules.Subject(ev.Metric, ev.Resource))
	}
	return b.String()
}

func bodyOf(c *change, r *ruleState, ev *event.Event, message string) string {
	switch c.transition {
	case alertschema.TransitionResolve:
		s := fmt.Sprintf("resolved%s: %s (was firing for %s", r.resolvedBy(c.reason), message, rules.FormatSeconds(ev.Duration.Seconds()))
		if len(r.levels) > 1 {
			s += ", worst: " + c.worst
		}
		return s + ")"
	case alertschema.TransitionRepeat:
		return fmt.Sprintf("still firing for %s: %s", rules.FormatSeconds(ev.Duration.Seconds()), message)
	case alertschema.TransitionNoData:
		return "no data, last: " + message
	case alertschema.TransitionDataBack:
		return "data is back: " + message
	case alertschema.TransitionFlappingStart:
		return fmt.Sprintf("flapping, changes are held back until it is stable for %s: %s",
			rules.FormatDuration(time.Duration(r.Flapping.StableFor)), message)
	case alertschema.TransitionFlappingEnd:
		return "no longer flapping: " + message
	default:
		if c.reason == alertschema.ReasonNoData {
			return "no data: " + message
		}
		return message
	}
}

// resolvedBy is why an alert resolved of which the value is not the cause: the message then says what its last value was.
func (r *ruleState) resolvedBy(reason alertschema.Reason) string {
	switch {
	case reason == alertschema.ReasonStale:
		return ", no data any more, last"
	case reason != alertschema.ReasonOnlyIf:
		return ""
	case r.And == nil:
		return ", only_if does not hold"
	case r.OnlyIf == nil:
		return ", " + r.And.Name() + " does not fire"
	default:
		return ", only_if does not hold or " + r.And.Name() + " does not fire"
	}
}

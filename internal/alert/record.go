package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
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
	g, r := c.group, c.group.rule
	a := g.alert
	ev := e.record(c)
	before := a.announced
	switch {
	case c.transition == alertschema.TransitionResolve:
		a.announced = 0
	case c.transition.ChangesLevel():
		a.announced, a.announcedStart = c.to, c.started
	case c.transition == alertschema.TransitionFlappingEnd && c.to > 0:
		a.announced = c.to
	}
	switch {
	case before == 0 && a.announced > 0:
		r.announcedCount++
	case before > 0 && a.announced == 0:
		r.announcedCount--
	}
	a.announcedState, a.announcedAt = ev.State, e.now
	e.journal.mark(g.id)
	if c.transition == alertschema.TransitionResolve {
		a.deferred = notDeferred
		if !e.rules.SendResolved {
			return
		}
	}
	e.enqueue(ev)
}

// record builds the event of a change.
func (e *Engine) record(c *change) event.Event {
	g, r := c.group, c.group.rule
	a := g.alert
	shown := c.to // The level whose name, number and message the record carries.
	if shown == 0 {
		shown = max(a.announced, 1)
	}
	l, spec := &r.levels[shown-1], &r.Levels[shown-1]
	ev := event.Event{
		Kind: alertschema.KindStateChange, Time: c.t, ObservedTime: e.now, SeverityNumber: spec.Number, SeverityText: spec.Name,
		AlertID: alertschema.IDText(g.id), EpisodeID: alertschema.EpisodeID(g.id, c.started), Transition: c.transition,
		State: announcedState(c, a), Previous: a.announcedState, Severity: spec.Name, PreviousSeverity: r.LevelName(a.announced), Reason: c.reason,
		Rule: r.Name, RuleVersion: r.Version, RuleDescription: r.Description, Metric: r.Metric, Unit: r.unit,
		Value: c.value, Comparison: l.Comparison.Symbol(), Point: r.Value.StatisticName, Aggregation: r.AggregateName, Window: time.Duration(r.Retention),
		StartedAt: c.started, Duration: time.Duration(max(0, c.t-c.started)), Occurrences: c.seq,
		Labels: e.labels(g), Group: g.attributes(), Identity: g.identity(),
	}
	switch {
	case c.transition == alertschema.TransitionRepeat:
		ev.UID = alertschema.RepeatUID(ev.EpisodeID, c.seq, a.repeats)
	case c.belated:
		ev.UID = alertschema.BelatedUID(ev.EpisodeID, c.seq)
	default:
		ev.UID = alertschema.RecordUID(ev.EpisodeID, c.seq)
	}
	if c.transition == alertschema.TransitionFire {
		ev.Previous = alertschema.StateInactive
	}
	if ev.State == alertschema.StateResolved {
		ev.SeverityNumber, ev.SeverityText = alertschema.ResolvedSeverityNumber, alertschema.ResolvedSeverityText
		ev.EndedAt, ev.Ended = c.ended, true
		ev.Duration = time.Duration(max(0, c.ended-c.started))
	}
	if !l.Comparison.HasBounds() {
		ev.Value = attr.Number{}
	} else if ev.State == alertschema.StateResolved {
		ev.Threshold = attr.Number{Float64: r.levels[0].Threshold(c.value.Float64, true), Valid: true}
	} else {
		ev.Threshold = attr.Number{Float64: l.Threshold(c.value.Float64, false), Valid: true}
	}
	ev.Resource = c.resource
	if x := c.exemplar; x != nil {
		ev.TraceID, ev.SpanID = x.TraceID, x.SpanID
	}
	e.renderTexts(c, spec, &ev)
	return ev
}

// announcedState is the state that the record of a change announces: that of the transition, or what the alert says where the
// transition leaves it open.
func announcedState(c *change, a *alertState) alertschema.State {
	if c.transition == alertschema.TransitionEscalate && a.flap.Latched {
		return alertschema.StateFlapping
	}
	if c.transition == alertschema.TransitionRepeat {
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
		Rule: g.rule.Name, Metric: g.rule.Metric, Unit: g.rule.unit,
	}.With(g.attributes(), g.resourceAttrs()))
}

func (e *Engine) renderAll(g *group, texts []rules.NamedTemplate, data rules.TemplateData) []attr.Label {
	out := make([]attr.Label, 0, len(texts))
	for _, t := range texts {
		s, err := t.Template.Render(data)
		if err != nil {
			e.ruleError(g.rule, fmt.Sprintf("rendering %s: %v", t.Name, err))
			continue
		}
		out = append(out, attr.Label{Key: t.Name, Text: s})
	}
	return out
}

// renderTexts fills the event's annotations and body.
func (e *Engine) renderTexts(c *change, l *rules.LevelSpec, ev *event.Event) {
	r := c.group.rule
	data := rules.TemplateData{
		Value: ev.Value.Float64, Threshold: ev.Threshold.Float64, Duration: ev.Duration.Seconds(), Rule: r.Name, Metric: r.Metric,
		Unit: r.unit, Severity: ev.Severity, Transition: ev.Transition.String(), State: ev.State.String(),
		StartedAt: time.Unix(0, ev.StartedAt).UTC(),
	}.With(ev.Group, ev.Resource)
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
			e.ruleError(r, fmt.Sprintf("rendering message: %v", err))
		}
		message = s
	}
	if message == "" {
		message = plainMessage(r, l, ev)
	}
	ev.Body = bodyOf(c, r, ev, message)
}

// plainMessage is the message of a level that has none.
func plainMessage(r *ruleState, l *rules.LevelSpec, ev *event.Event) string {
	var b strings.Builder
	b.WriteString(r.Name)
	for i, a := range ev.Group {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte(' ')
		b.WriteString(a.Value.AsString())
	}
	if !r.GroupGiven || r.ByResource {
		b.WriteString(rules.Subject(r.Metric, ev.Resource))
	}
	b.WriteString(r.Kind.Text(rules.Finding{Value: ev.Value, Unit: r.unit, Level: l}))
	return b.String()
}

func bodyOf(c *change, r *ruleState, ev *event.Event, message string) string {
	switch c.transition {
	case alertschema.TransitionResolve:
		s := fmt.Sprintf("resolved: %s (was firing for %s", message, rules.FormatSeconds(ev.Duration.Seconds()))
		if len(r.levels) > 1 {
			s += ", worst: " + r.LevelName(c.worst)
		}
		return s + ")"
	case alertschema.TransitionRepeat:
		return fmt.Sprintf("still firing for %s: %s", rules.FormatSeconds(ev.Duration.Seconds()), message)
	case alertschema.TransitionNoData:
		return "no data: " + message
	case alertschema.TransitionDataBack:
		return "data is back: " + message
	case alertschema.TransitionFlappingStart:
		return fmt.Sprintf("flapping, changes are held back until it is stable for %s: %s",
			rules.FormatDuration(time.Duration(r.Flapping.StableFor)), message)
	case alertschema.TransitionFlappingEnd:
		return "no longer flapping: " + message
	default:
		return message
	}
}

package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// resourceAttrs returns the resource of the series that decided last, or of one that belongs to the group.
func (g *group) resourceAttrs() []Attr {
	switch {
	case g.alert != nil && g.alert.resource != nil:
		return g.alert.resource.attrs
	case len(g.members) > 0:
		return g.members[0].resource.attrs
	default:
		return nil
	}
}

// emit makes the record of a change, and takes down that it was announced.
func (e *Engine) emit(c *change) {
	g, r := c.group, c.group.rule
	a := g.alert
	ev := e.record(c)
	told := a.told
	switch c.transition {
	case alertschema.TransitionResolve:
		a.told = 0
	case alertschema.TransitionFire, alertschema.TransitionEscalate, alertschema.TransitionDeescalate:
		a.told, a.toldStart = c.to, c.started
	case alertschema.TransitionFlappingEnd:
		if c.to > 0 {
			a.told = c.to
		}
	}
	switch {
	case told == 0 && a.told > 0:
		r.announced++
	case told > 0 && a.told == 0:
		r.announced--
	}
	a.toldState, a.toldAt = ev.State, e.now
	e.journal.mark(g.id)
	if c.transition == alertschema.TransitionResolve {
		a.deferred = notDeferred
		if !e.rules.resolved {
			return
		}
	}
	e.enqueue(ev)
}

// record builds the event of a change.
func (e *Engine) record(c *change) Event {
	g, r := c.group, c.group.rule
	a := g.alert
	shown := c.to // The level whose name, number and message the record carries.
	if shown == 0 {
		shown = max(a.told, 1)
	}
	l, spec := &r.levels[shown-1], &r.rule.levels[shown-1]
	ev := Event{
		Kind: alertschema.KindStateChange, Time: c.t, ObservedTime: e.now, SeverityNumber: spec.number, SeverityText: spec.name,
		AlertID: alertschema.IDText(g.id), EpisodeID: alertschema.EpisodeID(g.id, c.started), Transition: c.transition,
		State: announcedState(c, a), Previous: a.toldState, Severity: spec.name, PreviousSeverity: r.levelName(a.told), Reason: c.reason,
		Rule: r.name, RuleVersion: r.version, RuleDescription: r.description, Metric: r.metric, Unit: r.unit,
		Value: c.value, Comparison: l.cmp.symbol(), Point: r.value.point, Aggregation: r.aggName, Window: time.Duration(r.retention()),
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
	if l.cmp == isAbsent {
		ev.Value = Number{}
	} else if ev.State == alertschema.StateResolved {
		ev.Threshold = Number{r.levels[0].threshold(c.value.Float64, true), true}
	} else {
		ev.Threshold = Number{l.threshold(c.value.Float64, false), true}
	}
	ev.Resource = c.resource
	if x := a.exemplar; x != nil {
		ev.TraceID, ev.SpanID = x.TraceID, x.SpanID
	}
	e.renderTexts(c, spec, &ev)
	return ev
}

func announcedState(c *change, a *alertState) alertschema.State {
	switch c.transition {
	case alertschema.TransitionResolve:
		return alertschema.StateResolved
	case alertschema.TransitionNoData:
		return alertschema.StateNoData
	case alertschema.TransitionFlappingStart:
		return alertschema.StateFlapping
	case alertschema.TransitionFlappingEnd:
		if c.to == 0 {
			return alertschema.StateResolved
		}
		return alertschema.StateFiring
	case alertschema.TransitionRepeat:
		return a.toldState
	default:
		if a.flap.latched && c.transition == alertschema.TransitionEscalate {
			return alertschema.StateFlapping
		}
		return alertschema.StateFiring
	}
}

// labels returns the rule's labels, rendered for the group.
func (e *Engine) labels(g *group) []Label {
	if len(g.rule.labels) == 0 {
		return nil
	}
	return e.renderAll(g, g.rule.labels, templateData{
		Rule: g.rule.name, Metric: g.rule.metric, Unit: g.rule.unit,
	}.of(g.attributes(), g.resourceAttrs()))
}

func (e *Engine) renderAll(g *group, texts []namedTemplate, data templateData) []Label {
	out := make([]Label, 0, len(texts))
	for _, t := range texts {
		s, err := t.text.render(data)
		if err != nil {
			e.ruleError(g.rule, fmt.Sprintf("rendering %s: %v", t.name, err))
			continue
		}
		out = append(out, Label{Key: t.name, Text: s})
	}
	return out
}

// renderTexts fills the event's annotations and body.
func (e *Engine) renderTexts(c *change, l *levelSpec, ev *Event) {
	r := c.group.rule
	data := templateData{
		Value: ev.Value.Float64, Threshold: ev.Threshold.Float64, Duration: ev.Duration.Seconds(), Rule: r.name, Metric: r.metric,
		Unit: r.unit, Severity: ev.Severity, Transition: ev.Transition.String(), State: ev.State.String(),
		StartedAt: time.Unix(0, ev.StartedAt).UTC(),
	}.of(ev.Group, ev.Resource)
	if len(ev.Labels) > 0 {
		data.Labels = make(map[string]string, len(ev.Labels))
		for _, label := range ev.Labels {
			data.Labels[label.Key] = label.Text
		}
	}
	if len(r.annotations) > 0 {
		ev.Annotations = e.renderAll(c.group, r.annotations, data)
	}
	message := ""
	if l.message != nil {
		s, err := l.message.render(data)
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
func plainMessage(r *ruleState, l *levelSpec, ev *Event) string {
	var b strings.Builder
	b.WriteString(r.name)
	for i, a := range ev.Group {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte(' ')
		b.WriteString(a.Value.AsString())
	}
	if !r.groupGiven || r.byResource {
		b.WriteString(subject(r.metric, ev.Resource))
	}
	if l.cmp == isAbsent {
		fmt.Fprintf(&b, ": no %s for %s", r.metric, formatDuration(time.Duration(r.absent.after)))
		return b.String()
	}
	b.WriteString(": ")
	if r.value.point != "" {
		b.WriteString(r.value.point + " of ")
	}
	fmt.Fprintf(&b, "%s is ", r.metric)
	if ev.Value.Valid {
		b.WriteString(formatValue(ev.Value.Float64, l.displayUnit(r.metric, r.unit)))
		if r.agg.kind == aggRate && r.divisor == nil {
			b.WriteString("/s")
		}
	} else {
		b.WriteString("missing")
	}
	fmt.Fprintf(&b, " (%s %s)", ev.Comparison, l.boundText())
	return b.String()
}

func bodyOf(c *change, r *ruleState, ev *Event, message string) string {
	switch c.transition {
	case alertschema.TransitionResolve:
		s := fmt.Sprintf("resolved: %s (was firing for %s", message, formatSeconds(ev.Duration.Seconds()))
		if len(r.levels) > 1 {
			s += ", worst: " + r.levelName(c.worst)
		}
		return s + ")"
	case alertschema.TransitionRepeat:
		return fmt.Sprintf("still firing for %s: %s", formatSeconds(ev.Duration.Seconds()), message)
	case alertschema.TransitionNoData:
		return "no data: " + message
	case alertschema.TransitionDataBack:
		return "data is back: " + message
	case alertschema.TransitionFlappingStart:
		return fmt.Sprintf("flapping, changes are held back until it is stable for %s: %s",
			formatDuration(time.Duration(r.flapping.stableFor)), message)
	case alertschema.TransitionFlappingEnd:
		return "no longer flapping: " + message
	default:
		return message
	}
}

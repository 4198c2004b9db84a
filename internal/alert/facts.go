package alert

import (
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// facts are what every record of an episode says of its alert, whoever makes it: the rule in force, or what was stored of a rule that is gone.
type facts struct {
	id                             uint64 // That of the records.
	rule, version, description     string
	metric, unit, comparison       string
	point, aggregation             string
	window                         int64
	labels, annotations            []attr.Label
	group, identity, resource      []attr.Attr
	more                           []attr.Attr
	announced                      string // The name of the level that the last record announced.
	previous                       alertschema.State
	transition                     alertschema.Transition
	reason                         alertschema.Reason
	state                          alertschema.State
	time, observed, started, ended int64
	occurrence                     int
}

// newRecord builds the event of a state change. What depends on the level in force, and the texts, are the caller's.
func newRecord(f *facts) event.Event {
	ev := event.Event{
		Kind: alertschema.KindStateChange, Time: f.time, ObservedTime: f.observed, AlertID: alertschema.IDText(f.id),
		EpisodeID: alertschema.EpisodeID(f.id, f.started), Transition: f.transition, State: f.state, Previous: f.previous, PreviousSeverity: f.announced,
		Reason: f.reason, Rule: f.rule, RuleVersion: f.version, RuleDescription: f.description, Metric: f.metric, Unit: f.unit,
		Comparison: f.comparison, Point: f.point, Aggregation: f.aggregation, Window: time.Duration(f.window), StartedAt: f.started,
		Duration: time.Duration(max(0, f.time-f.started)), Occurrences: f.occurrence, Labels: f.labels, Annotations: f.annotations, Group: f.group,
		Identity: f.identity, Resource: f.resource, More: f.more,
	}
	ev.UID = alertschema.RecordUID(ev.EpisodeID, f.occurrence)
	if f.transition == alertschema.TransitionFire {
		ev.Previous = alertschema.StateInactive
	}
	if f.state == alertschema.StateResolved {
		ev.SeverityNumber, ev.SeverityText = alertschema.ResolvedSeverityNumber, alertschema.ResolvedSeverityText
		ev.EndedAt, ev.Ended = f.ended, true
		ev.Duration = time.Duration(max(0, f.ended-f.started))
	}
	return ev
}

// announcedTexts are the texts of the last record of an announced alert. They are stored, so that the record that ends the alert has them even
// when the rule is gone.
type announcedTexts struct {
	labels, annotations []attr.Label
	more                []attr.Attr
	threshold           attr.Number
}

// textsOf returns the texts of a record that outlive its rule, nil when there are none.
func textsOf(ev *event.Event) *announcedTexts {
	if len(ev.Labels) == 0 && len(ev.Annotations) == 0 && len(ev.More) == 0 && !ev.Threshold.Valid {
		return nil
	}
	return &announcedTexts{labels: ev.Labels, annotations: ev.Annotations, more: ev.More, threshold: ev.Threshold}
}

// maxValueText bounds what one attribute of the data puts into a text that nobody wrote a template for, in bytes.
const maxValueText = 256

// joinValues appends the values of attributes to a text: each after a space, with a comma between two.
func joinValues(b *strings.Builder, attrs []attr.Attr, separator string) {
	for i, a := range attrs {
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteByte(' ')
		b.WriteString(printable.Text(alertschema.CutText(a.Value.AsString(), maxValueText)))
	}
}

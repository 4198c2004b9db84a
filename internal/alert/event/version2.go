package event

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// texts returns the event's plain text fields, in the order in which versions 1 and 2 have them.
func (e *Event) texts() []*string {
	return []*string{
		&e.SeverityText, &e.Body, &e.UID, &e.AlertID, &e.EpisodeID, &e.Severity, &e.PreviousSeverity, &e.Rule, &e.RuleVersion,
		&e.RuleDescription, &e.Metric, &e.Unit, &e.Comparison, &e.Aggregation,
	}
}

// decodeVersion2 reads an event of versions 1 and 2.
func decodeVersion2(d *attr.Decoder, ev *Event) {
	ev.Kind = attr.DecodeEnum(d, alertschema.Kind(d.Byte()))
	ev.Time, ev.ObservedTime = d.Int(), d.Int()
	ev.SeverityNumber = d.IntBelow(25)
	for _, text := range ev.texts() {
		*text = d.Text()
	}
	ev.Transition = attr.DecodeEnum(d, alertschema.Transition(d.Byte()))
	ev.State, ev.Previous = attr.DecodeEnum(d, alertschema.State(d.Byte())), attr.DecodeEnum(d, alertschema.State(d.Byte()))
	ev.Reason = attr.DecodeEnum(d, alertschema.Reason(d.Byte()))
	ev.Value, ev.Threshold = d.Number(), d.Number()
	ev.Window = time.Duration(d.Int())
	ev.StartedAt, ev.EndedAt, ev.Ended = d.Int(), d.Int(), d.Bool()
	ev.Duration = time.Duration(d.Int())
	ev.Occurrences = d.IntBelow(1 << 30)
	ev.Labels, ev.Annotations = d.Labels(), d.Labels()
	ev.Group, ev.Resource = d.Attrs(), d.Attrs()
	copy(ev.TraceID[:], d.Text())
	copy(ev.SpanID[:], d.Text())
	ev.Counts = attr.DecodeList(d, func(d *attr.Decoder) SuppressedCount {
		return SuppressedCount{Rule: d.Text(), Severity: d.Text(), Count: d.IntBelow(1 << 30)}
	})
	if d.Version > 1 {
		ev.Point = d.Text()
	}
}

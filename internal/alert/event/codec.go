package event

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

func Encode(ev *Event) []byte {
	var e attr.Encoder
	e.Byte(byte(ev.Kind))
	e.Int(ev.Time)
	e.Int(ev.ObservedTime)
	e.Uint(uint64(ev.SeverityNumber))
	for _, text := range ev.texts() {
		e.Text(*text)
	}
	for _, b := range []byte{byte(ev.Transition), byte(ev.State), byte(ev.Previous), byte(ev.Reason)} {
		e.Byte(b)
	}
	e.Number(ev.Value)
	e.Number(ev.Threshold)
	e.Int(int64(ev.Window))
	e.Int(ev.StartedAt)
	e.Int(ev.EndedAt)
	e.Bool(ev.Ended)
	e.Int(int64(ev.Duration))
	e.Uint(uint64(ev.Occurrences))
	e.Labels(ev.Labels)
	e.Labels(ev.Annotations)
	e.Attrs(ev.Group)
	e.Attrs(ev.Resource)
	e.Text(string(ev.TraceID[:]))
	e.Text(string(ev.SpanID[:]))
	e.Uint(uint64(len(ev.Counts)))
	for _, c := range ev.Counts {
		e.Text(c.Rule)
		e.Text(c.Severity)
		e.Uint(uint64(c.Count))
	}
	e.Text(ev.Point)
	return e.Sealed()
}

// texts returns the event's plain text fields, in the order in which they are stored.
func (e *Event) texts() []*string {
	return []*string{
		&e.SeverityText, &e.Body, &e.UID, &e.AlertID, &e.EpisodeID, &e.Severity, &e.PreviousSeverity, &e.Rule, &e.RuleVersion,
		&e.RuleDescription, &e.Metric, &e.Unit, &e.Comparison, &e.Aggregation,
	}
}

// Decode is the inverse of encodeEvent, except for Seq, which the key holds.
func Decode(v []byte) (Event, error) {
	d := attr.Unseal(v)
	var ev Event
	ev.Kind = attr.DecodeEnum(&d, alertschema.Kind(d.Byte()))
	ev.Time, ev.ObservedTime = d.Int(), d.Int()
	ev.SeverityNumber = d.IntBelow(25)
	for _, text := range ev.texts() {
		*text = d.Text()
	}
	ev.Transition = attr.DecodeEnum(&d, alertschema.Transition(d.Byte()))
	ev.State, ev.Previous = attr.DecodeEnum(&d, alertschema.State(d.Byte())), attr.DecodeEnum(&d, alertschema.State(d.Byte()))
	ev.Reason = attr.DecodeEnum(&d, alertschema.Reason(d.Byte()))
	ev.Value, ev.Threshold = d.Number(), d.Number()
	ev.Window = time.Duration(d.Int())
	ev.StartedAt, ev.EndedAt, ev.Ended = d.Int(), d.Int(), d.Bool()
	ev.Duration = time.Duration(d.Int())
	ev.Occurrences = d.IntBelow(1 << 30)
	ev.Labels, ev.Annotations = d.Labels(), d.Labels()
	ev.Group, ev.Resource = d.Attrs(), d.Attrs()
	copy(ev.TraceID[:], d.Text())
	copy(ev.SpanID[:], d.Text())
	ev.Counts = attr.DecodeList(&d, func(d *attr.Decoder) SuppressedCount {
		return SuppressedCount{Rule: d.Text(), Severity: d.Text(), Count: d.IntBelow(1 << 30)}
	})
	if d.Version > 1 {
		ev.Point = d.Text()
	}
	if err := d.Finish(); err != nil {
		return Event{}, err
	}
	return ev, nil
}

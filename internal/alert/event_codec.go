package alert

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

func encodeEvent(ev *Event) []byte {
	var e encoder
	e.byte(byte(ev.Kind))
	e.int(ev.Time)
	e.int(ev.ObservedTime)
	e.uint(uint64(ev.SeverityNumber))
	for _, text := range ev.texts() {
		e.string(*text)
	}
	for _, b := range []byte{byte(ev.Transition), byte(ev.State), byte(ev.Previous), byte(ev.Reason)} {
		e.byte(b)
	}
	e.number(ev.Value)
	e.number(ev.Threshold)
	e.int(int64(ev.Window))
	e.int(ev.StartedAt)
	e.int(ev.EndedAt)
	e.bool(ev.Ended)
	e.int(int64(ev.Duration))
	e.uint(uint64(ev.Occurrences))
	e.labels(ev.Labels)
	e.labels(ev.Annotations)
	e.attrs(ev.Group)
	e.attrs(ev.Resource)
	e.string(string(ev.TraceID[:]))
	e.string(string(ev.SpanID[:]))
	e.uint(uint64(len(ev.Counts)))
	for _, c := range ev.Counts {
		e.string(c.Rule)
		e.string(c.Severity)
		e.uint(uint64(c.Count))
	}
	e.string(ev.Point)
	return e.sealed()
}

// texts returns the event's plain text fields, in the order in which they are stored.
func (e *Event) texts() []*string {
	return []*string{
		&e.SeverityText, &e.Body, &e.UID, &e.AlertID, &e.EpisodeID, &e.Severity, &e.PreviousSeverity, &e.Rule, &e.RuleVersion,
		&e.RuleDescription, &e.Metric, &e.Unit, &e.Comparison, &e.Aggregation,
	}
}

// decodeEvent is the inverse of encodeEvent, except for Seq, which the key holds.
func decodeEvent(v []byte) (Event, error) {
	d := unseal(v)
	var ev Event
	ev.Kind = known(&d, alertschema.Kind(d.byte()))
	ev.Time, ev.ObservedTime = d.int(), d.int()
	ev.SeverityNumber = d.small(25)
	for _, text := range ev.texts() {
		*text = d.string()
	}
	ev.Transition = known(&d, alertschema.Transition(d.byte()))
	ev.State, ev.Previous = known(&d, alertschema.State(d.byte())), known(&d, alertschema.State(d.byte()))
	ev.Reason = known(&d, alertschema.Reason(d.byte()))
	ev.Value, ev.Threshold = d.number(), d.number()
	ev.Window = time.Duration(d.int())
	ev.StartedAt, ev.EndedAt, ev.Ended = d.int(), d.int(), d.bool()
	ev.Duration = time.Duration(d.int())
	ev.Occurrences = d.small(1 << 30)
	ev.Labels, ev.Annotations = d.labels(), d.labels()
	ev.Group, ev.Resource = d.attrs(), d.attrs()
	copy(ev.TraceID[:], d.string())
	copy(ev.SpanID[:], d.string())
	ev.Counts = decodeList(&d, func(d *decoder) SuppressedCount {
		return SuppressedCount{Rule: d.string(), Severity: d.string(), Count: d.small(1 << 30)}
	})
	if d.version > 1 {
		ev.Point = d.string()
	}
	if err := d.finish(); err != nil {
		return Event{}, err
	}
	return ev, nil
}

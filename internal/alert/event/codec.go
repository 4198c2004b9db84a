package event

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Bounds of stored numbers.
const (
	maxSeverityNumber = 24
	maxCount          = 1<<30 - 1
)

// fields is how an event is stored. The numbers are stored: append only.
var fields = []attr.Field[Event]{
	attr.EnumField(1, func(e *Event) *alertschema.Kind { return &e.Kind }),
	attr.IntField(2, func(e *Event) *int64 { return &e.Time }),
	attr.IntField(3, func(e *Event) *int64 { return &e.ObservedTime }),
	attr.CountField(4, maxSeverityNumber, func(e *Event) *int { return &e.SeverityNumber }),
	attr.TextField(5, func(e *Event) *string { return &e.SeverityText }),
	attr.TextField(6, func(e *Event) *string { return &e.Body }),
	attr.TextField(7, func(e *Event) *string { return &e.UID }),
	attr.TextField(8, func(e *Event) *string { return &e.AlertID }),
	attr.TextField(9, func(e *Event) *string { return &e.EpisodeID }),
	attr.EnumField(10, func(e *Event) *alertschema.Transition { return &e.Transition }),
	attr.EnumField(11, func(e *Event) *alertschema.State { return &e.State }),
	attr.EnumField(12, func(e *Event) *alertschema.State { return &e.Previous }),
	attr.TextField(13, func(e *Event) *string { return &e.Severity }),
	attr.TextField(14, func(e *Event) *string { return &e.PreviousSeverity }),
	attr.EnumField(15, func(e *Event) *alertschema.Reason { return &e.Reason }),
	attr.TextField(16, func(e *Event) *string { return &e.Rule }),
	attr.TextField(17, func(e *Event) *string { return &e.RuleVersion }),
	attr.TextField(18, func(e *Event) *string { return &e.RuleDescription }),
	attr.TextField(19, func(e *Event) *string { return &e.Metric }),
	attr.TextField(20, func(e *Event) *string { return &e.Unit }),
	attr.NumberField(21, func(e *Event) *attr.Number { return &e.Value }),
	attr.NumberField(22, func(e *Event) *attr.Number { return &e.Threshold }),
	attr.TextField(23, func(e *Event) *string { return &e.Comparison }),
	attr.TextField(24, func(e *Event) *string { return &e.Point }),
	attr.TextField(25, func(e *Event) *string { return &e.Aggregation }),
	attr.IntField(26, func(e *Event) *time.Duration { return &e.Window }),
	attr.IntField(27, func(e *Event) *int64 { return &e.StartedAt }),
	attr.IntField(28, func(e *Event) *int64 { return &e.EndedAt }),
	attr.FlagField(29, func(e *Event) *bool { return &e.Ended }),
	attr.IntField(30, func(e *Event) *time.Duration { return &e.Duration }),
	attr.CountField(31, maxCount, func(e *Event) *int { return &e.Occurrences }),
	attr.ListField(32, func(e *Event) *[]attr.Label { return &e.Labels }, (*attr.Encoder).Labels, (*attr.Decoder).Labels),
	attr.ListField(33, func(e *Event) *[]attr.Label { return &e.Annotations }, (*attr.Encoder).Labels, (*attr.Decoder).Labels),
	attr.ListField(34, func(e *Event) *[]attr.Attr { return &e.Group }, (*attr.Encoder).Attrs, (*attr.Decoder).Attrs),
	attr.ListField(35, func(e *Event) *[]attr.Attr { return &e.Resource }, (*attr.Encoder).Attrs, (*attr.Decoder).Attrs),
	attr.BytesField(36, func(e *Event) []byte { return e.TraceID[:] }),
	attr.BytesField(37, func(e *Event) []byte { return e.SpanID[:] }),
	attr.StructsField(38, func(e *Event) *[]SuppressedCount { return &e.Counts }, countFields),
	attr.ListField(39, func(e *Event) *[]attr.Attr { return &e.More }, (*attr.Encoder).Attrs, (*attr.Decoder).Attrs),
}

// countFields is how a count of held back records is stored.
var countFields = []attr.Field[SuppressedCount]{
	attr.TextField(1, func(c *SuppressedCount) *string { return &c.Rule }),
	attr.TextField(2, func(c *SuppressedCount) *string { return &c.Severity }),
	attr.CountField(3, maxCount, func(c *SuppressedCount) *int { return &c.Count }),
}

// usualSize is room for the stored form of most events, in bytes.
const usualSize = 512

// Encode returns the stored form of an event, without Seq, which the key holds, and without Identity.
func Encode(ev *Event) []byte {
	e := attr.Encoder{Bytes: make([]byte, 0, usualSize)}
	attr.WriteFields(&e, ev, fields)
	return e.Sealed()
}

// Decode is the inverse of Encode. It reads what older builds stored, too.
func Decode(v []byte) (Event, error) {
	d := attr.Unseal(v)
	var ev Event
	if d.Version <= 2 {
		decodeVersion2(&d, &ev)
	} else {
		attr.ReadFields(&d, &ev, fields)
	}
	if err := d.Finish(); err != nil {
		return Event{}, err
	}
	return ev, nil
}

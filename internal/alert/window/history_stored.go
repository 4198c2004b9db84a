package window

import (
	"fmt"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// storedHistory is the stored form of a history: its values in order of time, and how far back it reaches.
type storedHistory struct {
	values []Sample
	span   int64
}

// historyFields is how a history is stored. The numbers are stored: append only.
var historyFields = []attr.Field[storedHistory]{
	attr.ListField(1, func(h *storedHistory) *[]Sample { return &h.values }, encodeSamples, decodeSamples),
	attr.IntField(2, func(h *storedHistory) *int64 { return &h.span }),
}

// encodeSamples writes times as distances, each from the one before.
func encodeSamples(e *attr.Encoder, samples []Sample) {
	e.Uint(uint64(len(samples)))
	before := int64(0)
	for _, s := range samples {
		e.Int(s.Time - before)
		e.Float(s.Value)
		before = s.Time
	}
}

func decodeSamples(d *attr.Decoder) []Sample {
	before := int64(0)
	return attr.DecodeList(d, func(d *attr.Decoder) Sample {
		before += d.Int()
		return Sample{Time: before, Value: d.Float()}
	})
}

// Encode returns the stored form, and takes the history as stored.
func (h *History) Encode() []byte {
	stored := storedHistory{values: make([]Sample, h.values.Len()), span: h.span.Span}
	for i := range stored.values {
		stored.values[i] = h.values.At(i)
	}
	var e attr.Encoder
	attr.WriteFields(&e, &stored, historyFields)
	h.stored = h.Newest()
	return e.Sealed()
}

// DecodeHistory is the inverse of Encode.
func DecodeHistory(v []byte) (*History, error) {
	d := attr.Unseal(v)
	var stored storedHistory
	attr.ReadFields(&d, &stored, historyFields)
	if err := d.Finish(); err != nil {
		return nil, err
	}
	h := NewHistory(NewHistorySpan(stored.span))
	for i, s := range stored.values {
		if i > 0 && s.Time <= stored.values[i-1].Time || i >= maxHistory {
			return nil, fmt.Errorf("%w: values of a history", attr.ErrCorrupt)
		}
		h.values.Insert(s)
	}
	h.stored = h.Newest()
	return h, nil
}

// Unstored tells whether as much of the history as the given span is not stored, or any of it, when that is 0.
func (h *History) Unstored(span int64) bool {
	newest := h.Newest()
	return newest != Unset && newest != h.stored && (h.stored == Unset || newest-h.stored >= span)
}

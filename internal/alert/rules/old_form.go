package rules

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

// takeOldForm makes the target take points of its metric with the attributes of hostmetricsreceiver, too. Their groups, and with them alerts and
// records, have the attributes of the semantic conventions in either case. The metric has the same name in both.
func (t *Target) takeOldForm() {
	t.oldForm, _ = hostmetrics.ByName(t.Metric)
	if t.oldForm == nil {
		return
	}
	for i := range t.Selector.point {
		m := &t.Selector.point[i]
		a := t.oldForm.Attribute(m.key)
		if a == nil {
			continue
		}
		old := *m
		old.key, old.text, old.in = a.Old, a.OldValue(m.text), make([]string, len(m.in))
		for j, value := range m.in {
			old.in[j] = a.OldValue(value)
		}
		m.old = &old
	}
}

// named gives the attributes of a point their keys and values by the semantic conventions.
func (t *Target) named(point []attr.Attr) []attr.Attr {
	if t.oldForm == nil {
		return point
	}
	out := make([]attr.Attr, 0, len(point))
	for _, a := range point {
		for i := range t.oldForm.Attributes {
			if of := &t.oldForm.Attributes[i]; of.Old == a.Key {
				a = attr.String(of.Key, of.OurValue(a.Value.AsString()))
				break
			}
		}
		out = append(out, a)
	}
	return out
}

package rules

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

// takeOldForm makes the target take what hostmetricsreceiver sends for its metric, too: by its name, and with its attributes. Their groups, and with them
// alerts and records, have the attributes of the semantic conventions in either case.
func (t *Target) takeOldForm() {
	row, suffix := hostmetrics.ByName(t.Metric)
	if row == nil || row.Elsewhere {
		return
	}
	t.oldForm = row
	if name := row.OldName() + suffix; name != t.Metric {
		t.oldName = name
	}
	for i := range t.Selector.point {
		m := &t.Selector.point[i]
		if m.key == row.ShareOf && m.op == opExact && m.text == "used" {
			m.old = &matcher{key: m.key, op: opMissing} // That state is the only one there, and is not named.
			continue
		}
		a := row.Attribute(m.key)
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

// Names are the names that the metric may have: its own, and that of hostmetricsreceiver where that is another and is taken.
func (t *Target) Names() []string {
	if t.oldName == "" {
		return []string{t.Metric}
	}
	return []string{t.Metric, t.oldName}
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

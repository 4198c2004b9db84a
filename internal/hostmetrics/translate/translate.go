// Package translate gives metrics the form of hostmetricsreceiver, and takes it from them, by the table of internal/hostmetrics.
package translate

import (
	"hash/maphash"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

// Translator changes metrics in place from one form to the other. It is not safe for concurrent use.
type Translator struct {
	toOld bool
	plans map[string]*plan
	// renamed is the map that the attributes of the next point are moved into, and former what they were in before: in turn, so that the attributes
	// of a point need no memory of their own.
	renamed, former pcommon.Map
	joiner          joiner
}

// maxAttributes is with how many attributes a point is translated. Hostmetricsreceiver gives five at most, and a pipeline adds a few; what has more is
// something else, and to move attributes takes time in proportion to the square of their number.
const maxAttributes = 128

// ToOld returns a Translator to the form of hostmetricsreceiver.
func ToOld() *Translator { return newTranslator(true) }

// ToOurs returns a Translator from the form of hostmetricsreceiver to the semantic conventions.
func ToOurs() *Translator { return newTranslator(false) }

func newTranslator(toOld bool) *Translator {
	return &Translator{toOld: toOld, plans: make(map[string]*plan), renamed: pcommon.NewMap(), former: pcommon.NewMap(), joiner: joiner{seed: maphash.MakeSeed()}}
}

// plan is what is changed in one metric.
type plan struct {
	metric *hostmetrics.Metric // nil if nothing is
	name   string
	keys   []keyPlan
	// left tells that points with some value of an attribute are left out, joins that those with some value are added to others.
	left, joins bool
}

// keyPlan is what is changed in one attribute.
type keyPlan struct {
	from, to string
	values   []valuePlan
	prefix   string // before an integer in the old form
}

type valuePlan struct {
	from, to    string
	left, joins bool
}

// planOf makes the plan of a metric, once for each name.
func (t *Translator) planOf(name string) *plan {
	if p, ok := t.plans[name]; ok {
		return p
	}
	find := hostmetrics.ByOldName
	if t.toOld {
		find = hostmetrics.ByName
	}
	p := &plan{}
	if m, suffix := find(name); m != nil {
		p.metric = m
		if p.name = m.Name + suffix; t.toOld {
			p.name = m.OldName() + suffix
		}
		for i := range m.Attributes {
			p.keys = append(p.keys, t.keyPlan(p, &m.Attributes[i]))
		}
	}
	t.plans[name] = p
	return p
}

func (t *Translator) keyPlan(p *plan, a *hostmetrics.Attribute) keyPlan {
	k := keyPlan{from: a.Old, to: a.Key, prefix: a.Prefix}
	if t.toOld {
		k.from, k.to = a.Key, a.Old
	}
	for _, v := range a.Values {
		switch {
		case t.toOld && v.Value == "": // It has its old name already.
		case t.toOld:
			k.values = append(k.values, valuePlan{from: v.Value, to: v.Old, left: v.Old == ""})
		case v.Joins != "":
			k.values = append(k.values, valuePlan{from: v.Old, to: v.Joins, joins: true})
		case v.Old != "":
			k.values = append(k.values, valuePlan{from: v.Old, to: v.Value, left: v.Overlaps})
		}
	}
	for _, v := range k.values {
		p.left, p.joins = p.left || v.left, p.joins || v.joins
	}
	return k
}

// Metrics changes metrics of one scope. Those that are left without points are removed.
func (t *Translator) Metrics(metrics pmetric.MetricSlice) {
	emptied := false
	for i := range metrics.Len() {
		m := metrics.At(i)
		p := t.planOf(m.Name())
		if p.metric == nil {
			continue
		}
		if t.toOld && p.metric.Elsewhere {
			emptied = true
			continue
		}
		t.describe(m, p)
		if t.points(m, p) == 0 {
			emptied = true
		}
	}
	if emptied {
		metrics.RemoveIf(func(m pmetric.Metric) bool {
			p := t.planOf(m.Name())
			return t.toOld && p.metric != nil && p.metric.Elsewhere || count(m) == 0
		})
	}
}

// Resource gives attributes of a resource their keys in the other form.
func (t *Translator) Resource(attributes pcommon.Map) {
	for ours, old := range hostmetrics.ResourceAttributes {
		from, to := old, ours
		if t.toOld {
			from, to = ours, old
		}
		if v, ok := attributes.Get(from); ok {
			value := v.AsString()
			attributes.Remove(from)
			attributes.PutStr(to, value)
		}
	}
}

// describe gives the metric its name and its unit. A unit of another is an annotation such as {packet}, perhaps with a time to divide by. What
// the conventions have is the old one in the singular, or not needed by who reads it.
func (t *Translator) describe(m pmetric.Metric, p *plan) {
	if p.name != m.Name() {
		m.SetName(p.name)
	}
	if !t.toOld || p.metric.Unit == "" {
		return
	}
	if _, rest, found := strings.Cut(m.Unit(), "}"); found && rest != "" {
		m.SetUnit(p.metric.Unit + rest)
	} else {
		m.SetUnit(p.metric.Unit)
	}
}

// points changes the points of a metric, and returns how many are left.
func (t *Translator) points(m pmetric.Metric, p *plan) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		t.numbers(m.Gauge().DataPoints(), p)
	case pmetric.MetricTypeSum:
		t.numbers(m.Sum().DataPoints(), p)
	case pmetric.MetricTypeExponentialHistogram:
		for _, point := range m.ExponentialHistogram().DataPoints().All() {
			if p.joins && p.joinsOther(point.Attributes()) {
				continue // Distributions can't be added up.
			}
			t.attributes(point.Attributes(), p)
		}
	case pmetric.MetricTypeHistogram, pmetric.MetricTypeSummary, pmetric.MetricTypeEmpty:
	}
	return count(m)
}

func count(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	case pmetric.MetricTypeEmpty:
	}
	return 0
}

func (t *Translator) numbers(points pmetric.NumberDataPointSlice, p *plan) {
	if t.toOld && p.metric.ShareOf != "" {
		sharesOfUsable(points, p.metric.ShareOf)
	}
	if p.left {
		points.RemoveIf(func(point pmetric.NumberDataPoint) bool { return p.leaves(point.Attributes()) })
	}
	var joining []int
	for i := range points.Len() {
		point := points.At(i)
		if p.joins && p.joinsOther(point.Attributes()) {
			joining = append(joining, i)
		}
		t.attributes(point.Attributes(), p)
		t.value(point, p.metric)
	}
	if joining != nil {
		t.joiner.join(points, joining)
	}
}

// value gives a point the value of the other form.
func (t *Translator) value(point pmetric.NumberDataPoint, m *hostmetrics.Metric) {
	if t.toOld && m.Double && point.ValueType() == pmetric.NumberDataPointValueTypeInt {
		point.SetDoubleValue(float64(point.IntValue()))
	}
	if m.Factor == 0 || point.ValueType() != pmetric.NumberDataPointValueTypeDouble {
		return
	}
	if t.toOld {
		point.SetDoubleValue(point.DoubleValue() * m.Factor)
	} else {
		point.SetDoubleValue(point.DoubleValue() / m.Factor)
	}
}

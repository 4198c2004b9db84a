package translate

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// leaves tells whether points with these attributes are left out.
func (p *plan) leaves(attributes pcommon.Map) bool {
	return p.has(attributes, func(v *valuePlan) bool { return v.left })
}

// joinsOther tells whether the value of a point with these attributes is added to that of another.
func (p *plan) joinsOther(attributes pcommon.Map) bool {
	return attributes.Len() <= maxAttributes && p.has(attributes, func(v *valuePlan) bool { return v.joins })
}

func (p *plan) has(attributes pcommon.Map, is func(*valuePlan) bool) bool {
	for i := range p.keys {
		k := &p.keys[i]
		for j := range k.values {
			if v := &k.values[j]; is(v) {
				if value, ok := attributes.Get(k.from); ok && value.Str() == v.from {
					return true
				}
			}
		}
	}
	return false
}

// attributes gives the attributes of a point their keys and values in the other form.
func (t *Translator) attributes(attributes pcommon.Map, p *plan) {
	if len(p.keys) == 0 || attributes.Len() > maxAttributes {
		return
	}
	for key, value := range attributes.All() {
		k := p.key(key)
		if k == nil {
			value.MoveTo(t.renamed.PutEmpty(key))
			continue
		}
		to := t.renamed.PutEmpty(k.to)
		value.MoveTo(to)
		k.translate(to, t.toOld)
	}
	attributes.MoveTo(t.former)
	t.renamed.MoveTo(attributes)
	t.former.RemoveIf(func(string, pcommon.Value) bool { return true })
	t.former.MoveTo(t.renamed)
}

func (p *plan) key(key string) *keyPlan {
	for i := range p.keys {
		if p.keys[i].from == key {
			return &p.keys[i]
		}
	}
	return nil
}

func (k *keyPlan) translate(value pcommon.Value, toOld bool) {
	switch {
	case k.prefix != "" && toOld && value.Type() == pcommon.ValueTypeInt:
		value.SetStr(k.prefix + strconv.FormatInt(value.Int(), 10))
		return
	case k.prefix != "" && !toOld:
		if text, ok := strings.CutPrefix(value.Str(), k.prefix); ok {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				value.SetInt(n)
			}
		}
		return
	case len(k.values) == 0:
		return
	}
	text := value.Str()
	for i := range k.values {
		if v := &k.values[i]; v.from == text {
			value.SetStr(v.to)
			return
		}
	}
}

// sharesOfUsable leaves of the points that differ in nothing but one attribute that of `used`, without the attribute and as a share of `used` and `free`.
func sharesOfUsable(points pmetric.NumberDataPointSlice, key string) {
	const states = 3
	for i := range points.Len() {
		used := points.At(i)
		if stateOf(used, key) != "used" {
			continue
		}
		usable := used.DoubleValue()
		// The states of one thing are beside each other.
		for j := max(i-states+1, 0); j < min(i+states, points.Len()); j++ {
			if other := points.At(j); stateOf(other, key) == "free" && equalBut(used.Attributes(), other.Attributes(), key) {
				usable += other.DoubleValue()
			}
		}
		used.Attributes().Remove(key)
		if usable > 0 {
			used.SetDoubleValue(used.DoubleValue() / usable)
		} else {
			used.SetDoubleValue(0)
		}
	}
	points.RemoveIf(func(p pmetric.NumberDataPoint) bool { return stateOf(p, key) != "" })
}

// equalBut tells whether two sets of attributes differ at most in one.
func equalBut(a, b pcommon.Map, key string) bool {
	for k, v := range a.All() {
		if other, ok := b.Get(k); k != key && (!ok || !other.Equal(v)) {
			return false
		}
	}
	return a.Len() == b.Len()
}

func stateOf(p pmetric.NumberDataPoint, key string) string {
	v, _ := p.Attributes().Get(key)
	return v.Str()
}

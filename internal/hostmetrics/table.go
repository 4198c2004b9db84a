// Package hostmetrics knows the names that hostmetricsreceiver gives to what the psutil receiver emits. One table serves the receiver, which
// emits the old names with `compat: hostmetrics`, and those that read metrics in either form: the rules of the preset and the page.
package hostmetrics

import "strings"

// Metric is one that hostmetricsreceiver has under another name, with another unit, or with other attributes. What is the same in both is not in
// the table.
type Metric struct {
	// Name is the name by the semantic conventions.
	Name string
	// Old is the name that hostmetricsreceiver has for it; "" if it is the same.
	Old string
	// Unit is the unit that hostmetricsreceiver has; "" if it is the same.
	Unit string
	// Attributes are those whose key or values differ.
	Attributes []Attribute

	// Factor is what the value is multiplied by in the old form; 0 is 1.
	Factor float64
	// Double tells that the old values are floating-point numbers where ours are integers.
	Double bool
	// ShareOf is an attribute, by our key, that the old form lacks. It has one value where ours has one for each of the attribute: that of `used` as a
	// share of `used` and `free`.
	ShareOf string
	// Elsewhere tells that the values stand in states of another metric in the old form, and that this one is left out.
	Elsewhere bool
}

// Attribute is an attribute of data points that the two name differently.
type Attribute struct {
	// Key is the key by the semantic conventions, Old that of hostmetricsreceiver.
	Key, Old string
	// Values are those that differ.
	Values []Value
	// Prefix is what stands before an integer in the old form, where it is text.
	Prefix string
}

// Value is a value of an attribute that the two spell differently.
type Value struct {
	// Value is that of the semantic conventions, Old that of hostmetricsreceiver; "" if points with the value are left out of the old form.
	Value, Old string
	// Joins is the value whose points have this one's included where it is not a value of its own; then Value is "".
	Joins string
	// Overlaps tells that the value is part of others in the old form alone; then Value is "", too.
	Overlaps bool
}

// OldName is the name of the metric in the old form.
func (m *Metric) OldName() string {
	if m.Old != "" {
		return m.Old
	}
	return m.Name
}

// Attribute gives the attribute of a key of the semantic conventions, or nil.
func (m *Metric) Attribute(key string) *Attribute {
	for i := range m.Attributes {
		if m.Attributes[i].Key == key {
			return &m.Attributes[i]
		}
	}
	return nil
}

// OldValue is a value in the old form.
func (a *Attribute) OldValue(value string) string {
	for _, v := range a.Values {
		if v.Value == value && v.Value != "" {
			return v.Old
		}
	}
	return value
}

// OurValue is a value of the old form as the semantic conventions have it.
func (a *Attribute) OurValue(old string) string {
	for _, v := range a.Values {
		switch {
		case v.Old == "" || v.Old != old:
		case v.Joins != "":
			return v.Joins
		case v.Value != "":
			return v.Value
		}
	}
	return old
}

// IsOldValue tells whether an attribute, by our key, has a value in the old form alone.
func IsOldValue(key, value string) bool {
	for i := range Metrics {
		if a := Metrics[i].Attribute(key); a != nil {
			for _, v := range a.Values {
				if v.Value == "" && v.Old == value {
					return true
				}
			}
		}
	}
	return false
}

// ResourceAttributes are the attributes of resources that the two name differently: ours, and the old one.
var ResourceAttributes = map[string]string{"process.linux.cgroup": "process.cgroup"}

// SchemaURL is that of the old form.
const SchemaURL = "https://opentelemetry.io/schemas/1.9.0"

// The name of the scope of each scraper ends like that of hostmetricsreceiver: backends know it by that.
const (
	scopePrefix = "github.com/otelcol-psutil/otelcol-psutil"
	scopeMiddle = "/receiver/hostmetricsreceiver/internal/scraper/"
	scopeSuffix = "scraper"
)

// ScopeOf names the scope of a scraper of the psutil receiver.
func ScopeOf(scraper string) string {
	if scraper == "connections" { // They are the network scraper's in hostmetricsreceiver.
		scraper = "network"
	}
	return scopePrefix + scopeMiddle + scraper + scopeSuffix
}

// IsScope tells whether a scope has the old form, that of hostmetricsreceiver itself among them.
func IsScope(name string) bool { return strings.Contains(name, scopeMiddle) }

// derived are the endings of metrics that are made of others: of rates and of samples.
var derived = []string{".rate", ".distribution", ".avg", ".min", ".max", ".p50", ".p95", ".p99"}

// maxDerived is how many of the endings a name has at most: a metric of samples of a rate has two. Names come from others, too, and may be of any length.
const maxDerived = 4

// ByName finds a metric by our name. For one that is made of another, such as its rate, it finds that other one, and suffix is the rest of the name.
func ByName(name string) (m *Metric, suffix string) { return find(byName, name) }

// ByOldName finds a metric by its old name, as ByName.
func ByOldName(name string) (m *Metric, suffix string) { return find(byOldName, name) }

func find(in map[string]*Metric, name string) (*Metric, string) {
	base := name
	for range maxDerived + 1 {
		if m, ok := in[base]; ok {
			return m, name[len(base):]
		}
		cut := cutDerived(base)
		if cut == base {
			break
		}
		base = cut
	}
	return nil, ""
}

func cutDerived(name string) string {
	for _, suffix := range derived {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			return base
		}
	}
	return name
}

var byName, byOldName = index()

func index() (ours, old map[string]*Metric) {
	ours, old = make(map[string]*Metric, len(Metrics)), make(map[string]*Metric, len(Metrics))
	for i := range Metrics {
		m := &Metrics[i]
		ours[m.Name] = m
		if !m.Elsewhere {
			old[m.OldName()] = m
		}
	}
	return ours, old
}

package alertmanagerexporter

import (
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// The labels that the exporter sets itself.
const (
	labelAlertName = "alertname"
	labelAlertID   = "alert_id"
	labelSeverity  = "severity"
	labelInstance  = "instance"
)

// ownLabels are those that nothing else may set.
var ownLabels = []string{labelAlertName, labelAlertID, labelSeverity}

// labeler makes the labels of alerts. The severity is not among them: it changes while the rest stays.
type labeler struct {
	resourceKeys []string
	added        map[string]string
}

// labels returns the labels of a record, all but the severity. Of two attributes with one label name the first keeps it: labels of the
// rule come before attributes of the group, those before the resource, in order of key. The other gets the prefix exported_.
func (l *labeler) labels(resource, attrs pcommon.Map) map[string]string {
	s := labelSet{}
	s[labelAlertName] = strings.ToValidUTF8(textOf(attrs, alertschema.KeyRuleName), "\uFFFD")
	s[labelAlertID] = strings.ToValidUTF8(textOf(attrs, alertschema.KeyAlertID), "\uFFFD")

	ofRule, ofGroup := map[string]string{}, map[string]string{}
	for key, v := range attrs.All() {
		if name, ok := strings.CutPrefix(key, alertschema.PrefixLabel); ok {
			ofRule[name] = v.AsString()
		} else if !alertschema.Defines(key) {
			ofGroup[key] = v.AsString()
		}
	}
	s.putAll(ofRule)
	s.putAll(ofGroup)
	s.putAll(l.ofResource(resource, textOf(attrs, alertschema.KeyMetricName)))
	if _, taken := s[labelInstance]; !taken {
		s.put(labelInstance, textOf(resource, "host.name"))
	}
	for _, name := range sortedKeys(l.added) {
		if _, taken := s[name]; !taken {
			s.put(name, l.added[name])
		}
	}
	return s
}

// ofResource chooses the resource attributes that become labels.
func (l *labeler) ofResource(resource pcommon.Map, metric string) map[string]string {
	out := map[string]string{}
	if len(l.resourceKeys) > 0 {
		for _, key := range l.resourceKeys {
			if v, ok := resource.Get(key); ok {
				out[key] = v.AsString()
			}
		}
		return out
	}
	has := func(key string) bool {
		_, ok := resource.Get(key)
		return ok
	}
	for key, v := range resource.All() {
		switch v.Type() {
		case pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool:
			if alertschema.LabelsResource(key, metric, has) {
				out[key] = v.AsString()
			}
		}
	}
	return out
}

// labelSet collects labels by name.
type labelSet map[string]string

func (s labelSet) putAll(attrs map[string]string) {
	for _, key := range sortedKeys(attrs) {
		s.put(labelName(key), attrs[key])
	}
}

// put adds a label under the first free name. Alertmanager takes an empty value for no label.
func (s labelSet) put(name, value string) {
	if value == "" {
		return
	}
	value = alertschema.CutText(value, alertschema.MaxText)
	for {
		taken, ok := s[name]
		if ok && taken == value && !slices.Contains(ownLabels, name) {
			return
		}
		if !ok && name != labelSeverity {
			s[name] = value
			return
		}
		name = "exported_" + name
	}
}

// labelName turns a key into a label name as Prometheus wants it: letters, digits and underscores, no digit first.
func labelName(key string) string {
	if key == "" {
		return "_"
	}
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, key)
	if name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

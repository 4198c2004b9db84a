package promapi

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// metricInfo is what is said of a metric by its name in Prometheus.
type metricInfo struct{ kind, help, unit string }

// index is the series of a store by their labels.
type index struct {
	store      string
	generation uint64
	hasTables  bool
	hasGroups  bool
	series     []indexed
	metrics    map[string]metricInfo
	host       []labels.Label // Of the processes.
}

type indexed struct {
	id     uint32
	name   string
	labels labels.Labels
}

// names translates as Prometheus does for OTLP, with units and types in the names of metrics.
var names = otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)

// metricName is the name of a metric in Prometheus, empty if it has none.
func metricName(name, unit string, kind history.Kind) string {
	m := otlptranslator.Metric{Name: name, Unit: unit, Type: otlptranslator.MetricTypeGauge}
	if kind == history.Counter {
		m.Type = otlptranslator.MetricTypeMonotonicCounter
	}
	out, err := names.Build(m)
	if err != nil {
		return ""
	}
	return out
}

// label translates an attribute; false if it can't be one.
func label(key, value string) (labels.Label, bool) {
	namer := otlptranslator.LabelNamer{}
	name, err := namer.Build(key)
	return labels.Label{Name: name, Value: value}, err == nil && value != ""
}

// labelsOf makes the labels of a series. Of attributes that become one label, values are joined as Prometheus does.
func labelsOf(name string, sets ...[]labels.Label) labels.Labels {
	all := []labels.Label{{Name: model.MetricNameLabel, Value: name}}
	for _, set := range sets {
		for _, l := range set {
			at := slices.IndexFunc(all, func(x labels.Label) bool { return x.Name == l.Name })
			if at < 0 {
				all = append(all, l)
			} else if at > 0 {
				all[at].Value += ";" + l.Value
			}
		}
	}
	slices.SortFunc(all, func(a, b labels.Label) int { return strings.Compare(a.Name, b.Name) })
	return labels.New(all...)
}

func newIndex(store *history.Store, now time.Time) *index {
	c := store.Catalogue(now)
	x := &index{store: c.Store, generation: c.Generation, hasTables: c.HasTables, hasGroups: c.HasGroups, metrics: map[string]metricInfo{}}
	resources := make([][]labels.Label, len(c.Resources))
	for i, r := range c.Resources {
		for _, a := range r {
			if l, ok := label(a.Key, a.Value); ok {
				resources[i] = append(resources[i], l)
			}
		}
	}
	if c.Host >= 0 {
		for _, l := range resources[c.Host] {
			if !strings.HasPrefix(l.Name, "process_") {
				x.host = append(x.host, l)
			}
		}
	}
	for i := range c.Metrics {
		m := &c.Metrics[i]
		name := metricName(m.Name, m.Unit, m.Kind)
		if name == "" || m.Kind == history.Distribution {
			continue
		}
		kind := "gauge"
		if m.Kind == history.Counter {
			kind = "counter"
		}
		x.metrics[name] = metricInfo{kind, m.Description, m.Unit}
		for j := range m.Series {
			s := &m.Series[j]
			var own []labels.Label
			for k, value := range s.Values {
				if value == nil {
					continue
				}
				if l, ok := label(m.Keys[k], *value); ok {
					own = append(own, l)
				}
			}
			x.series = append(x.series, indexed{s.ID, name, labelsOf(name, own, resources[s.Resource])})
		}
	}
	if x.hasTables {
		for i := range processMetrics {
			m := &processMetrics[i]
			x.metrics[m.prometheusName()] = m.info()
		}
	}
	if x.hasGroups {
		for i := range groupMetrics {
			m := &groupMetrics[i]
			x.metrics[m.prometheusName()] = m.info()
		}
	}
	slices.SortFunc(x.series, func(a, b indexed) int {
		return cmp.Or(strings.Compare(a.name, b.name), labels.Compare(a.labels, b.labels))
	})
	return x
}

// matching are the series that all matchers match.
func (x *index) matching(matchers []*labels.Matcher) []*indexed {
	var out []*indexed
	for i := range x.series {
		if matches(matchers, x.series[i].labels) {
			out = append(out, &x.series[i])
		}
	}
	return out
}

func matches(matchers []*labels.Matcher, l labels.Labels) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}

// namesMatch tells whether the matchers of the name match it.
func namesMatch(matchers []*labels.Matcher, name string) bool {
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel && !m.Matches(name) {
			return false
		}
	}
	return true
}

package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

// metricChecker compares rules with what the psutil receiver emits. What a rule asks of a metric that it does not have is an error where no
// receiver could send it, and a warning where another one might.
type metricChecker struct {
	catalog  *psutilreceiver.Catalog
	names    []string
	errs     []error
	warnings []string
}

// otherMetrics are names of other receivers that differ little from ours.
var otherMetrics = []string{
	"system.processes.count", "system.processes.created", "system.network.packets", "system.network.connections", "system.network.dropped",
	"process.threads", "process.handles", "process.open_file_descriptors", "process.disk.operations", "process.signals_pending",
}

// checkMetrics checks the rules and silences of a set. oldForm tells that metrics may come in the form of hostmetricsreceiver.
func checkMetrics(set *rules.Set, oldForm bool) (warnings []string, err error) {
	catalog, err := psutilreceiver.ReadCatalog()
	if err != nil {
		return nil, err
	}
	if oldForm {
		catalog = catalog.WithOldForm()
	}
	c := &metricChecker{catalog: catalog, names: slices.Sorted(maps.Keys(catalog.Metrics))}
	for _, r := range set.Rules {
		c.rule(r)
	}
	for i := range set.Silences {
		c.silence(set, i)
	}
	return c.warnings, errors.Join(c.errs...)
}

func (c *metricChecker) warn(place, format string, args ...any) {
	c.warnings = append(c.warnings, place+fmt.Sprintf(format, args...))
}

// rule checks all that a rule looks at.
func (c *metricChecker) rule(r *rules.Rule) {
	place := fmt.Sprintf("rule %q: ", r.Name)
	for _, in := range r.Kind.Inputs() {
		if in.Optional {
			continue
		}
		if _, known := c.catalog.Metrics[in.Metric]; !known && r.MayMatchNothing {
			continue // Those of a preset are of more receivers than this one's version.
		}
		m, known := c.metric(place, in.Target)
		if !known {
			continue
		}
		c.match(place, in.Target, m)
		c.groupBy(place, r, in.Target, m)
		c.statistic(place, in.Target, m, in.AnyShape)
		if in.Role == rules.RoleValue && r.Kind.Silence() == 0 {
			c.levels(place, r, m)
			c.otherBounds(place, r, in.Target, m)
		}
		if m.Counter && r.LooksAtTotals() && in.Statistic.Kind == 0 && r.Kind.Silence() == 0 {
			c.warn(place, "%s is a counter, whose value is its total since its start: compare its rate or increase over a window", in.Metric)
		}
	}
	if r.OnlyIf == nil {
		return
	}
	if m, known := c.metric(place, &r.OnlyIf.Target); known {
		c.match(place, &r.OnlyIf.Target, m)
		c.statistic(place, &r.OnlyIf.Target, m, false)
		c.bounds(place+"only_if: ", &r.OnlyIf.Bound, r.OnlyIf.Statistic.UnitOf(m.Unit), r.OnlyIf.Metric, m.Lowest, m.Highest)
	}
}

// metric finds a metric of the receiver, and warns about a name that is nearly one.
func (c *metricChecker) metric(place string, t *rules.Target) (psutilreceiver.CatalogMetric, bool) {
	m, known := c.catalog.Metrics[t.Metric]
	if known || slices.Contains(otherMetrics, t.Metric) {
		return m, known
	}
	const longName = 16
	places := 1
	if len(t.Metric) >= longName {
		places = 3
	}
	if meant := suggest.Near(t.Metric, c.names, places); meant != "" {
		c.warn(place, "%smetric: the psutil receiver has no %s (did you mean %q?)", t.Key, t.Metric, meant)
	} else if meant := c.sameWords(t.Metric); meant != "" {
		c.warn(place, "%smetric: the psutil receiver has no %s (did you mean %q?)", t.Key, t.Metric, meant)
	}
	return m, false
}

// sameWords finds the metric whose name has the same words, written with other signs between them or in the plural.
func (c *metricChecker) sameWords(metric string) string {
	words := func(name string) string {
		parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '.' || r == '_' || r == '-' || r == '/' || r == ' ' })
		for i := range parts {
			parts[i] = strings.TrimSuffix(parts[i], "s")
		}
		return strings.Join(parts, " ")
	}
	for _, name := range c.names {
		if words(name) == words(metric) {
			return name
		}
	}
	return ""
}

// match checks the attributes of a selector, and their values.
func (c *metricChecker) match(place string, t *rules.Target, m psutilreceiver.CatalogMetric) {
	for _, test := range t.Selector.Tests() {
		where := fmt.Sprintf("%smatch.%s", t.Key, test.Key)
		switch test.Location {
		case attr.InPoint:
			switch {
			case slices.Contains(m.Attributes, test.Key):
				c.value(place+where, &test)
			case c.ofResource(test.Key, t.Metric):
				c.warn(place, "%s: of %s it is an attribute of the resource: write {resource: {%s: …}}", where, t.Metric, test.Key)
			default:
				c.warn(place, "%s: %s has no such attribute %s", where, t.Metric, c.meant(t.Metric, test.Key, m))
			}
		case attr.InResource:
			where = fmt.Sprintf("%smatch.resource.%s", t.Key, test.Key)
			if slices.Contains(m.Attributes, test.Key) {
				c.warn(place, "%s: of %s it is an attribute of the data points: write it beside \"resource\"", where, t.Metric)
				continue
			}
			c.resourceKey(place, where, test.Key, t.Metric)
		}
	}
}

// resourceKey warns about a resource attribute that the metric's resource does not have. Others than the receiver may add attributes, so that
// only what is nearly one of its own counts, or is one of another resource.
func (c *metricChecker) resourceKey(place, where, key, metric string) {
	switch {
	case c.ofResource(key, metric):
	case slices.Contains(c.catalog.ResourceAttributes, key):
		c.warn(place, "%s: the resource of %s has no such attribute: only metrics of processes and groups have it", where, metric)
	default:
		for today, old := range hostmetrics.ResourceAttributes {
			if old == key {
				c.warn(place, "%s: the psutil receiver has no such attribute (did you mean %q? "+oldNameOnly+")", where, today, key)
				return
			}
		}
		distance := 2
		if strings.HasPrefix(key, "k8s.") { // There are many such, near each other, and others add them.
			distance = 1
		}
		if meant := suggest.Near(key, c.catalog.ResourceAttributes, distance); meant != "" {
			c.warn(place, "%s: the psutil receiver has no such attribute (did you mean %q?)", where, meant)
		}
	}
}

// ofResource tells whether the resource of a metric has the attribute.
func (c *metricChecker) ofResource(key, metric string) bool {
	if !slices.Contains(c.catalog.ResourceAttributes, key) {
		return false
	}
	switch {
	case ofProcess(key):
		return ofProcess(metric)
	case ofGroup(key):
		return ofProcess(metric) || strings.HasPrefix(metric, "container.") || strings.HasPrefix(metric, "systemd.")
	default:
		return true
	}
}

func ofProcess(name string) bool { return strings.HasPrefix(name, "process.") }

// ofGroup tells whether a resource attribute says which container, service or other group something is, or is in.
func ofGroup(key string) bool {
	return slices.ContainsFunc([]string{"container.", "k8s.", "linux.cgroup.", "systemd."}, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// meant says which attribute of the metric may have been meant: one that ends with the word, as older names of them do, or a similar one.
func (c *metricChecker) meant(metric, key string, m psutilreceiver.CatalogMetric) string {
	if today := attributeToday(metric, key); today != "" && slices.Contains(m.Attributes, today) {
		return fmt.Sprintf("(did you mean %q? "+oldNameOnly+")", today, key)
	}
	for _, attribute := range m.Attributes {
		if strings.HasSuffix(attribute, "."+key) {
			return fmt.Sprintf("(did you mean %q?)", attribute)
		}
	}
	if len(m.Attributes) == 0 {
		return "(its points have none)"
	}
	return suggest.DidYouMean(key, m.Attributes)
}

// value warns about a test that no value of the attribute passes.
func (c *metricChecker) value(where string, test *rules.AttributeTest) {
	values, listed := c.catalog.Values[test.Key]
	if !listed || !test.Needed {
		return
	}
	for _, text := range test.Values {
		if !slices.Contains(values, text) {
			c.warn(where, ": there is no value %q %s", text, suggest.DidYouMean(text, values))
		}
	}
	if test.Values == nil && !slices.ContainsFunc(values, test.Accepts) {
		c.warn(where, ": %s matches no value (known: %s)", test.Text, strings.Join(values, ", "))
	}
}

// groupBy checks the attributes of a group key against one metric of the rule.
func (c *metricChecker) groupBy(place string, r *rules.Rule, t *rules.Target, m psutilreceiver.CatalogMetric) {
	for _, f := range r.GroupBy {
		switch f.Location {
		case attr.InPoint:
			switch {
			case slices.Contains(m.Attributes, f.Key):
			case c.ofResource(f.Key, t.Metric):
				c.warn(place, "group_by %q: of %s it is an attribute of the resource: write \"resource.%[1]s\"", f.Key, t.Metric)
			default:
				c.warn(place, "group_by %q: %s has no such attribute %s", f.Key, t.Metric, c.meant(t.Metric, f.Key, m))
			}
		case attr.InResource:
			if slices.Contains(m.Attributes, f.Key) {
				c.warn(place, "group_by \"resource.%s\": of %s it is an attribute of the data points: write %[1]q", f.Key, t.Metric)
				continue
			}
			c.resourceKey(place, fmt.Sprintf("group_by %q", "resource."+f.Key), f.Key, t.Metric)
		}
	}
}

// statistic reports a statistic of plain numbers, and a distribution without one: the rule would be told so by the first point.
func (c *metricChecker) statistic(place string, t *rules.Target, m psutilreceiver.CatalogMetric, anyShape bool) {
	switch {
	case t.StatisticName != "" && !m.Distribution:
		c.errs = append(c.errs, fmt.Errorf("%s%sstatistic %s: %s has number data points; statistics are of histograms, such as %s",
			place, t.Key, t.StatisticName, t.Metric, cmp.Or(c.distribution(t.Metric), "system.cpu.utilization.distribution")))
	case t.StatisticName == "" && m.Distribution && !anyShape:
		c.errs = append(c.errs, fmt.Errorf("%s%smetric %s has histogram data points: say which statistic of them, such as p95", place, t.Key, t.Metric))
	}
}

// distribution is the name of the metric's distribution, "" if it has none.
func (c *metricChecker) distribution(metric string) string {
	if _, there := c.catalog.Metrics[metric+".distribution"]; there {
		return metric + ".distribution"
	}
	return ""
}

// levels checks the thresholds of a rule against the unit and the range of its metric.
func (c *metricChecker) levels(place string, r *rules.Rule, m psutilreceiver.CatalogMetric) {
	unit, fixed := r.Kind.FixedUnit()
	if !fixed {
		unit = r.Value.Statistic.UnitOf(m.Unit)
	}
	low, high, known := r.ValueRange(m.Lowest, m.Highest)
	if !known {
		low, high = math.Inf(-1), math.Inf(1)
	}
	for i := range r.Levels {
		if !r.Levels[i].Written() {
			continue
		}
		c.bounds(place+r.Levels[i].Name+": ", &r.Levels[i], unit, r.Metric, low, high)
	}
}

// bounds checks the bounds of a level against a unit, and a range of values.
func (c *metricChecker) bounds(place string, spec *rules.LevelSpec, unit, metric string, low, high float64) {
	level, err := spec.Resolve(unit)
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("%s%s: %w", place, metric, err))
		return
	}
	reached := ""
	switch {
	case level.Never(low, high):
		reached = "never holds"
	case level.Always(low, high):
		reached = "always holds"
	default:
		return
	}
	span := fmt.Sprintf("from %s to %s", number(low), number(high))
	switch {
	case math.IsInf(high, 0):
		span = "at least " + number(low)
	case math.IsInf(low, 0):
		span = "at most " + number(high)
	}
	meant := ""
	if unit == "1" && high <= 1 && spec.Raise[0].Unit == rules.UnitBare && level.Low > 1 {
		meant = fmt.Sprintf(" (did you mean %s%%?)", spec.Raise[0].Text)
	}
	c.warn(place, "%s %s %s: the value of %s is %s%s", spec.Comparison, spec.BoundText(), reached, metric, span, meant)
}

// silence warns about attributes of a silence that no alert has which it may be about, where all of these are of the receiver's metrics.
func (c *metricChecker) silence(set *rules.Set, i int) {
	tests, about := set.DataTests(i)
	place := fmt.Sprintf("silences[%d]: ", i)
	for _, r := range about {
		if _, known := c.catalog.Metrics[r.Value.Metric]; !known && !r.MayMatchNothing {
			return
		}
	}
	for _, test := range tests {
		if !test.Needed || test.Location == attr.InScope || len(about) == 0 {
			continue
		}
		inGroup := func(r *rules.Rule) bool {
			return test.Location == attr.InPoint && r.MayGroupBy(test.Key, c.catalog.Metrics[r.Value.Metric].Attributes)
		}
		inResource := func(r *rules.Rule) bool { return c.ofResource(test.Key, r.Value.Metric) }
		switch {
		case slices.ContainsFunc(about, inGroup) || slices.ContainsFunc(about, inResource):
		case test.Location == attr.InResource:
			c.resourceKey(place, "match.resource."+test.Key, test.Key, about[0].Value.Metric)
		case slices.ContainsFunc(about, func(r *rules.Rule) bool {
			return slices.Contains(c.catalog.Metrics[r.Value.Metric].Attributes, test.Key)
		}):
			c.warn(place, "match.%s: no alert that it may be about has this attribute: a group has what group_by names, or what match leaves open", test.Key)
		default:
			if meant := suggest.Near(test.Key, c.attributes(about), 3); meant != "" {
				c.warn(place, "match.%s: no alert that it may be about has this attribute (did you mean %q?)", test.Key, meant)
			}
		}
	}
}

// attributes are those of the rules' metrics and of their resources.
func (c *metricChecker) attributes(of []*rules.Rule) []string {
	all := slices.Clone(c.catalog.ResourceAttributes)
	for _, r := range of {
		all = append(all, c.catalog.Metrics[r.Value.Metric].Attributes...)
	}
	return all
}

package main

import (
	"fmt"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

// otherBounds checks bounds that are read from a metric or an attribute, and those of groups. t and m are what the rule looks at.
func (c *metricChecker) otherBounds(place string, r *rules.Rule, t *rules.Target, m psutilreceiver.CatalogMetric) {
	unit := t.Statistic.UnitOf(m.Unit)
	if table := r.ThresholdsBy; table != nil {
		c.distinguishing(place+"thresholds_by.attribute: ", table.Attribute, t, m)
		for i := range table.Entries {
			for k := range table.Entries[i].Levels {
				if level := &table.Entries[i].Levels[k]; level.Written() {
					if _, err := level.Resolve(unit); err != nil {
						c.errs = append(c.errs, fmt.Errorf("%sthresholds_by.groups[%d]: %s: %w", place, i, level.Name, err))
					}
				}
			}
		}
	}
	source := r.Threshold
	switch {
	case source == nil:
	case source.OfAttribute:
		c.distinguishing(place+"threshold: ", source.Attribute, t, m)
		if source.Unit != "" {
			c.convertible(place, r, source.Unit, unit)
		}
	default:
		of, known := c.metric(place, &source.Target)
		if !known {
			return
		}
		c.match(place, &source.Target, of)
		c.statistic(place, &source.Target, of, false)
		c.convertible(place, r, source.Target.Statistic.UnitOf(of.Unit), unit)
	}
}

func (c *metricChecker) convertible(place string, r *rules.Rule, from, metricUnit string) {
	if _, err := r.SourceFactor(from, metricUnit); err != nil {
		c.errs = append(c.errs, fmt.Errorf("%s%w", place, err))
	}
}

// distinguishing warns about an attribute that the metric does not have where the rule looks for it.
func (c *metricChecker) distinguishing(place string, f rules.GroupField, t *rules.Target, m psutilreceiver.CatalogMetric) {
	switch {
	case f.Location == attr.InResource:
		c.resourceKey(place, "resource."+f.Key, f.Key, t.Metric)
	case f.Location != attr.InPoint:
	case slices.Contains(m.Attributes, f.Key):
	case c.ofResource(f.Key, t.Metric):
		c.warn(place, "of %s %s is an attribute of the resource: write \"resource.%[2]s\"", t.Metric, f.Key)
	default:
		c.warn(place, "%s has no attribute %s %s", t.Metric, f.Key, c.meant(t.Metric, f.Key, m))
	}
}

package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ruletest"
)

// shrink makes a comparison that fails smaller while it keeps failing.
func shrink(tb testing.TB, c *comparison, found *difference) (*comparison, *difference) {
	tb.Helper()
	budget := 3000
	for progress := true; progress && budget > 0; {
		progress = false
		for _, smaller := range reductions(c, found) {
			if budget--; budget < 0 {
				break
			}
			if d := smaller.run(tb); d != nil && (d.problem == "") == (found.problem == "") {
				c, found, progress = smaller, d, true
				break
			}
		}
	}
	return c, found
}

// reductions returns smaller comparisons, the most promising first.
func reductions(c *comparison, d *difference) []*comparison {
	var out []*comparison
	try := func(edit func(*comparison)) {
		smaller := c.clone()
		edit(smaller)
		out = append(out, smaller)
	}
	if d.at < c.until {
		try(func(c *comparison) { c.until = d.at })
	}
	if keep := int(c.until/c.interval) + 1; len(c.streams[0].samples) > keep {
		try(func(c *comparison) {
			for i := range c.streams {
				c.streams[i].samples = c.streams[i].samples[:keep]
			}
		})
	}
	for i := range c.streams {
		if len(c.streams) > 1 {
			try(func(c *comparison) { c.streams = slices.Delete(c.streams, i, i+1) })
		}
	}
	for i := range c.rule.levels {
		if len(c.rule.levels) > 1 {
			try(func(c *comparison) { c.rule.levels = slices.Delete(c.rule.levels, i, i+1) })
		}
		if r := c.rule.levels[i]; r.forDuration > 0 && i == 0 {
			try(func(c *comparison) { c.rule.levels[i].forDuration = 0 })
		}
		if c.rule.levels[i].keepFiringFor > 0 {
			try(func(c *comparison) { c.rule.levels[i].keepFiringFor = 0 })
		}
		if c.rule.levels[i].hasClear {
			try(func(c *comparison) { c.rule.levels[i].hasClear = false })
		}
	}
	if c.rule.match != nil {
		try(func(c *comparison) { c.rule.match = nil })
	}
	if c.rule.scale != 1 || c.rule.offset != 0 {
		try(func(c *comparison) { c.rule.scale, c.rule.offset = 1, 0 })
	}
	return append(out, simplerSamples(c)...)
}

func simplerSamples(c *comparison) []*comparison {
	var out []*comparison
	for i, s := range c.streams {
		if len(s.samples) > 1 && len(c.streams) == 1 {
			smaller := c.clone() // The start of the run moves.
			smaller.streams[i].samples = smaller.streams[i].samples[1:]
			smaller.until = max(0, smaller.until-smaller.interval)
			out = append(out, smaller)
		}
		for k, x := range s.samples {
			if !x.Missing {
				smaller := c.clone()
				smaller.streams[i].samples[k] = ruletest.Sample{Missing: true}
				out = append(out, smaller)
			}
			if k > 0 && !s.samples[k-1].Missing && !s.samples[k-1].Stale && !same(x, s.samples[k-1]) {
				smaller := c.clone()
				smaller.streams[i].samples[k] = s.samples[k-1]
				out = append(out, smaller)
			}
		}
	}
	return out
}

func (c *comparison) clone() *comparison {
	out := *c
	out.rule.levels = slices.Clone(c.rule.levels)
	out.streams = make([]stream, len(c.streams))
	for i, s := range c.streams {
		out.streams[i] = stream{attributes: maps.Clone(s.attributes), samples: slices.Clone(s.samples)}
	}
	return &out
}

// file is the comparison as a rule-test file that expects what Prometheus says.
func (c *comparison) file(d *difference) string {
	var b strings.Builder
	r := &c.rule
	fmt.Fprintf(&b, "evaluation_interval: %s\ndefaults:\n  lookback: %s\n  no_data: {after: %s, action: resolve}\n  flapping: {enabled: false}\n"+
		"  full_window: false\nrules:\n  - name: x\n    metric: %s\n", c.evaluation, r.lookback, r.noDataAfter(), metric)
	if len(r.match) > 0 {
		b.WriteString("    match: {")
		for k, v := range r.match {
			fmt.Fprintf(&b, "%s: {regex: '%s'}", k, v)
		}
		b.WriteString("}\n")
	}
	if r.groupBy != nil {
		fmt.Fprintf(&b, "    group_by: [%s]\n", strings.Join(r.groupBy, ", "))
	}
	if r.groupAgg != "" {
		fmt.Fprintf(&b, "    group_aggregate: %s\n", r.groupAgg)
	}
	switch {
	case r.horizon > 0:
		fmt.Fprintf(&b, "    forecast: {window: %s, horizon: %s, min_coverage: 0}\n", r.window, r.horizon)
	case r.windowed():
		fmt.Fprintf(&b, "    window: %s\n    aggregate: %s\n", r.window, r.aggregate)
	}
	if r.scale != 1 || r.offset != 0 {
		fmt.Fprintf(&b, "    scale: %v\n    offset: %v\n", r.scale, r.offset)
	}
	if r.change > 0 {
		fmt.Fprintf(&b, "    change: {since: %s, relative: %v}\n", r.change, r.relative)
	}
	c.writeLevels(&b)
	fmt.Fprintf(&b, "tests:\n  - interval: %s\n    input_series:\n", c.interval)
	for i := range c.streams {
		fmt.Fprintf(&b, "      - series: '%s'\n        values: '%s'\n", c.streams[i].name(), c.streams[i].values())
	}
	for _, s := range c.others {
		fmt.Fprintf(&b, "      - series: '%s'\n        values: '%s'\n", s.name(), s.values())
	}
	if r.limit || r.beside != "" {
		fmt.Fprintf(&b, "# conditions: %+v\n", r.conditions)
	}
	fmt.Fprintf(&b, "    alert_rule_test:\n      - eval_time: %s\n        alertname: x\n        exp_alerts:", d.at)
	if len(d.theirs) == 0 {
		b.WriteString(" []")
	}
	b.WriteString("\n")
	for _, group := range slices.Sorted(maps.Keys(d.theirs)) {
		fmt.Fprintf(&b, "          - {severity: %s, exp_labels: {%s}}\n", d.theirs[group],
			strings.ReplaceAll(strings.ReplaceAll(group, "=", ": "), `" `, `", `))
	}
	return b.String()
}

func (c *comparison) writeLevels(b *strings.Builder) {
	r := &c.rule
	if r.absentFor > 0 {
		fmt.Fprintf(b, "    absent: {for: %s, expect: %v}\n    severity: %s\n    keep_firing_for: %s\n",
			r.absentFor, r.expect, r.levels[0].severity, r.levels[0].keepFiringFor)
		return
	}
	b.WriteString("    thresholds:\n")
	two := r.cmp == "outside" || r.cmp == "inside"
	for _, l := range r.levels {
		bound, lets := fmt.Sprint(l.lo), fmt.Sprint(l.clearLo)
		if two {
			bound, lets = fmt.Sprintf("[%v, %v]", l.lo, l.hi), fmt.Sprintf("[%v, %v]", l.clearLo, l.clearHi)
		}
		fmt.Fprintf(b, "      %s: {%s: %s", l.severity, r.cmp, bound)
		if l.hasClear {
			fmt.Fprintf(b, ", clear: %s", lets)
		}
		for name, d := range map[string]time.Duration{"for": l.forDuration, "keep_firing_for": l.keepFiringFor} {
			if d > 0 {
				fmt.Fprintf(b, ", %s: %s", name, d)
			}
		}
		b.WriteString("}\n")
	}
}

package psutilreceiver

import (
	"fmt"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// WhatEmits says what has to be set so that the receiver emits a metric of its catalog, "" when it is so set. What is emitted only where the
// host has it counts as emitted.
func (c *Config) WhatEmits(metric string) string {
	for i := range sampleable() {
		s := &sampleable()[i]
		if suffix, sampled := strings.CutPrefix(metric, s.baseName()+"."); sampled {
			if format, made := formatOf("." + suffix); made {
				return c.whatSamples(s, format)
			}
		}
	}
	if counter, isRate := strings.CutSuffix(metric, stream.RateName("")); isRate {
		switch {
		case !c.Rates.Enabled:
			return "set rates::enabled to true"
		case len(c.Rates.Metrics) > 0 && !slices.Contains(c.Rates.Metrics, counter):
			return fmt.Sprintf("add %s to rates::metrics", counter)
		}
		metric = counter
	}
	if row, _ := hostmetrics.ByName(metric); row != nil && c.Compat == compatHostmetrics && row.OldName() != metric {
		return fmt.Sprintf("leave compat out, or write %s here", row.OldName())
	}
	if !isEnabled(&c.Metrics, metric) {
		return fmt.Sprintf("set metrics::%s::enabled to true", metric)
	}
	if strings.HasPrefix(metric, "process.") && !c.Scrapers.Process.HasValue() {
		return "name process under scrapers"
	}
	if strings.HasPrefix(metric, "container.") && !c.Scrapers.Cgroup.HasValue() {
		return "name cgroup under scrapers"
	}
	if strings.HasPrefix(metric, "nfs.") && !c.Scrapers.NFS.HasValue() {
		return "name nfs under scrapers"
	}
	if strings.HasPrefix(metric, "system.textfile.") && !c.Scrapers.Textfile.HasValue() {
		return "name textfile under scrapers, with its directories"
	}
	return ""
}

// formatOf is the format that makes metrics of that ending.
func formatOf(suffix string) (SamplingFormat, bool) {
	if suffix == distributionSuffix {
		return SamplingHistogram, true
	}
	for _, s := range sampledStatistics {
		if s.suffix == suffix {
			return SamplingGauges, true
		}
	}
	return "", false
}

// whatSamples says what has to be set so that samples of the metric are exported in a format.
func (c *Config) whatSamples(s *sampledMetric, format SamplingFormat) string {
	switch {
	case c.Sampling.Interval == 0:
		return "set sampling::interval, for instance to 1s"
	case c.intervalOf(s.scraper) == 0:
		return fmt.Sprintf("name %s under scrapers", s.scraper)
	case !isEnabled(&c.Metrics, s.name):
		return fmt.Sprintf("set metrics::%s::enabled to true", s.name)
	case !slices.ContainsFunc(c.sampledMetrics(), func(m *sampledMetric) bool { return m.name == s.name }):
		return fmt.Sprintf("add %s to sampling::metrics", s.name)
	case c.Sampling.Format != format:
		return fmt.Sprintf("set sampling::format to %s", format)
	default:
		return ""
	}
}

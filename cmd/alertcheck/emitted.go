package main

import (
	"cmp"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

// feeders are the receivers before an alert component that are of this project, as they are configured.
type feeders struct {
	configs []*psutilreceiver.Config
	last    component.ID // of all receivers
	others  bool         // there are other receivers, too
}

// feedersOf finds the receivers before an alert component. What the Collector will refuse counts as another receiver.
func feedersOf(conf *confmap.Conf, name string) feeders {
	var c collector
	if err := conf.Unmarshal(&c, confmap.WithIgnoreUnused()); err != nil {
		return feeders{others: true} // checkStorages says so.
	}
	var f feeders
	for _, id := range c.feeding(name) {
		f.last = id
		config := defaultConfigOf(id.Type().String())
		settings, err := conf.Sub("receivers" + confmap.KeyDelimiter + id.String())
		if config == nil || err != nil || config.Unmarshal(settings) != nil {
			f.others = true
			continue
		}
		f.configs = append(f.configs, config)
	}
	return f
}

// inOldForm tells whether metrics come in the form of hostmetricsreceiver.
func (f *feeders) inOldForm() bool {
	return slices.ContainsFunc(f.configs, func(c *psutilreceiver.Config) bool { return c.Compat != "" })
}

// checkEmitted warns about metrics of the psutil receiver that no receiver emits which an alert component listens to. With other receivers before
// it nothing is said: they may send them.
func checkEmitted(f *feeders, set *rules.Set) []string {
	if f.others || len(f.configs) == 0 {
		return nil
	}
	catalog, err := psutilreceiver.ReadCatalog()
	if err != nil {
		return nil
	}
	var warnings []string
	for _, r := range set.Rules {
		for _, in := range r.Inputs() {
			if _, known := catalog.Metrics[in.Metric]; !known || r.MayMatchNothing {
				continue
			}
			what := ""
			emits := slices.ContainsFunc(f.configs, func(config *psutilreceiver.Config) bool {
				what = config.WhatEmits(in.Metric)
				return what == ""
			})
			if !emits {
				warnings = append(warnings, fmt.Sprintf("rule %q: no receiver emits %s: in receivers::%s %s", r.Name, in.Metric, f.last, what))
			}
		}
	}
	return warnings
}

// defaultConfigOf is the default configuration of a receiver of this type, nil if it is none of ours.
func defaultConfigOf(receiver string) *psutilreceiver.Config {
	var config component.Config
	switch receiver {
	case "psutil":
		config = psutilreceiver.NewFactory().CreateDefaultConfig()
	case "host_metrics", "hostmetrics":
		config = psutilreceiver.NewHostmetricsFactory().CreateDefaultConfig()
	}
	ours, _ := config.(*psutilreceiver.Config)
	return ours
}

// feeding returns the receivers of the metrics pipelines that a component is in, which is named as in connectors::alert/x.
func (c *collector) feeding(name string) []component.ID {
	var receivers []component.ID
	for id, p := range c.Service.Pipelines {
		if id.Signal() != pipeline.SignalMetrics {
			continue
		}
		in := slices.ContainsFunc(p.Processors, func(id component.ID) bool { return "processors::"+id.String() == name }) ||
			slices.ContainsFunc(p.Exporters, func(id component.ID) bool { return "connectors::"+id.String() == name })
		if in {
			receivers = append(receivers, p.Receivers...)
		}
	}
	slices.SortFunc(receivers, func(a, b component.ID) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(receivers)
}

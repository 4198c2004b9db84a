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

// checkEmitted warns about metrics of the psutil receiver that no receiver emits which an alert component listens to. With other receivers before
// it nothing is said: they may send them.
func checkEmitted(conf *confmap.Conf, name string, set *rules.Set) []string {
	var c collector
	if err := conf.Unmarshal(&c, confmap.WithIgnoreUnused()); err != nil {
		return nil // checkStorages says so.
	}
	receivers := c.feeding(name)
	var configs []*psutilreceiver.Config
	for _, id := range receivers {
		config := defaultConfigOf(id.Type().String())
		if config == nil {
			return nil
		}
		settings, err := conf.Sub("receivers" + confmap.KeyDelimiter + id.String())
		if err != nil || config.Unmarshal(settings) != nil {
			return nil // The Collector says so.
		}
		configs = append(configs, config)
	}
	catalog, err := psutilreceiver.ReadCatalog()
	if err != nil || len(configs) == 0 {
		return nil
	}
	var warnings []string
	for _, r := range set.Rules {
		for _, in := range r.Inputs() {
			if _, known := catalog.Metrics[in.Metric]; !known || r.MayMatchNothing {
				continue
			}
			what := ""
			emits := slices.ContainsFunc(configs, func(config *psutilreceiver.Config) bool {
				what = config.WhatEmits(in.Metric)
				return what == ""
			})
			if !emits {
				warnings = append(warnings, fmt.Sprintf("rule %q: no receiver emits %s: in receivers::%s %s", r.Name, in.Metric, receivers[len(receivers)-1], what))
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

package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// collector is a Collector configuration as far as storages go. The Collector itself looks for them only when it starts, which is too late
// for one that runs and is told to reload.
type collector struct {
	Receivers  map[component.ID]any `mapstructure:"receivers"`
	Processors map[component.ID]any `mapstructure:"processors"`
	Exporters  map[component.ID]any `mapstructure:"exporters"`
	Connectors map[component.ID]any `mapstructure:"connectors"`
	Extensions map[component.ID]any `mapstructure:"extensions"`
	Service    struct {
		Extensions []component.ID          `mapstructure:"extensions"`
		Pipelines  map[pipeline.ID]members `mapstructure:"pipelines"`
	} `mapstructure:"service"`
}

// members are the components of a pipeline. Connectors stand among the receivers and the exporters.
type members struct {
	Receivers  []component.ID `mapstructure:"receivers"`
	Processors []component.ID `mapstructure:"processors"`
	Exporters  []component.ID `mapstructure:"exporters"`
}

// node is a component that some pipeline uses.
type node struct {
	kind     string // As the configuration has it, such as exporters.
	id       component.ID
	settings map[string]any
}

func (n *node) String() string { return n.kind + "::" + n.id.String() }

func storageIn(settings map[string]any) string {
	name, _ := settings["storage"].(string)
	return name
}

// checkStorages finds what would keep the configuration's components from their storages, and alerts that only one side remembers.
func checkStorages(conf *confmap.Conf) error {
	var c collector
	if err := conf.Unmarshal(&c, confmap.WithIgnoreUnused()); err != nil {
		return oneLine(err)
	}
	nodes := c.nodes()
	var errs []error
	for _, n := range nodes {
		errs = append(errs, c.find(n.String()+"::storage", storageIn(n.settings)))
		if queue, _ := n.settings["sending_queue"].(map[string]any); queue["enabled"] != false {
			errs = append(errs, c.find(n.String()+"::sending_queue::storage", storageIn(queue)))
		}
	}
	return errors.Join(append(errs, c.oneSided(nodes)...)...)
}

// nodes returns the components that are used, by kind and ID.
func (c *collector) nodes() []node {
	used := map[string][]component.ID{}
	for _, p := range c.Service.Pipelines {
		used["receivers"] = append(used["receivers"], p.Receivers...)
		used["processors"] = append(used["processors"], p.Processors...)
		used["exporters"] = append(used["exporters"], p.Exporters...)
	}
	used["connectors"] = slices.Concat(used["receivers"], used["exporters"])
	var nodes []node
	for _, of := range []struct {
		kind       string
		components map[component.ID]any
	}{{"receivers", c.Receivers}, {"processors", c.Processors}, {"exporters", c.Exporters}, {"connectors", c.Connectors}} {
		for _, id := range inOrderOfID(of.components) {
			if slices.Contains(used[of.kind], id) {
				settings, _ := of.components[id].(map[string]any)
				nodes = append(nodes, node{of.kind, id, settings})
			}
		}
	}
	return nodes
}

func inOrderOfID(components map[component.ID]any) []component.ID {
	return slices.SortedFunc(maps.Keys(components), func(a, b component.ID) int { return cmp.Compare(a.String(), b.String()) })
}

// find looks for a storage that a key names, if it names one, where the Collector will at its start.
func (c *collector) find(key, name string) error {
	if name == "" {
		return nil
	}
	var id component.ID
	err := id.UnmarshalText([]byte(name))
	_, there := c.Extensions[id]
	switch {
	case len(c.Extensions) == 0:
		return fmt.Errorf("%s: %q is not under extensions: add it there, and to service::extensions", key, name)
	case err != nil || !there:
		var known []string
		for _, id := range inOrderOfID(c.Extensions) {
			known = append(known, id.String())
		}
		return fmt.Errorf("%s: %q is not under extensions %s", key, name, suggest.DidYouMean(name, known))
	case !slices.Contains(c.Service.Extensions, id):
		return fmt.Errorf("%s: %q is under extensions but not listed in service::extensions: add it there", key, name)
	default:
		return nil
	}
}

// oneSided finds the alert components and the Alertmanager exporters behind them of which one keeps its state over a restart and the
// other does not: alerts would then be resolved that fire, or fire that are over.
func (c *collector) oneSided(nodes []node) []error {
	const remedy = "give it to both or to neither"
	var errs []error
	for _, from := range nodes {
		if from.id.Type().String() != "alert" {
			continue
		}
		reached := c.reached(from)
		for _, to := range nodes {
			kind := to.id.Type().String()
			if to.kind != "exporters" || kind != "alertmanager" && kind != "notify" || !slices.Contains(reached, to.id) {
				continue
			}
			if output, _ := from.settings["output"].(map[string]any); output["send_resolved"] == false {
				errs = append(errs, fmt.Errorf("%s::output::send_resolved: false keeps the end of alerts from %s, so that whoever it tells never hears that they are over: leave it out",
					&from, &to))
			}
			if kind == "notify" {
				if storageIn(from.settings) != "" && storageIn(to.settings) == "" {
					errs = append(errs, fmt.Errorf("%s has no storage but %s has, so that a restart forgets who was told of what: %s", &to, &from, remedy))
				}
				continue
			}
			switch mine, its := storageIn(from.settings) != "", storageIn(to.settings) != ""; {
			case mine && !its:
				errs = append(errs, fmt.Errorf("%s has no storage but %s has, so that a restart resolves what fires: %s", &to, &from, remedy))
			case its && !mine:
				errs = append(errs, fmt.Errorf("%s has no storage but %s has, so that a restart lets fire what is over: %s", &from, &to, remedy))
			}
		}
	}
	return errs
}

// reached returns the exporters that a component's log records come to, through connectors too.
func (c *collector) reached(from node) []component.ID {
	reached := c.recipients(from)
	for i := 0; i < len(reached); i++ {
		if _, on := c.Connectors[reached[i]]; !on {
			continue
		}
		for _, id := range c.recipients(node{kind: "connectors", id: reached[i]}) {
			if !slices.Contains(reached, id) {
				reached = append(reached, id)
			}
		}
	}
	return reached
}

// recipients returns what stands at the end of the logs pipelines that a connector begins or a processor is in.
func (c *collector) recipients(of node) []component.ID {
	var ends []component.ID
	for id, p := range c.Service.Pipelines {
		places := p.Receivers
		if of.kind == "processors" {
			places = p.Processors
		}
		if id.Signal() == pipeline.SignalLogs && slices.Contains(places, of.id) {
			ends = append(ends, p.Exporters...)
		}
	}
	return ends
}

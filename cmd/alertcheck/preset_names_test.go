package main

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

// attributeInMessage is where a message names an attribute.
var attributeInMessage = regexp.MustCompile(`\.(Attr|Resource) "([^"]*)"`)

// TestPresetNamesWhatTheReceiverHas: each metric, attribute and value that a rule of the preset names is one of metadata.yaml. For a rule that waits for
// a metric of another name waits for ever, and says nothing.
func TestPresetNamesWhatTheReceiverHas(t *testing.T) {
	cfg := rules.DefaultConfig()
	cfg.Preset = "host"
	set, err := rules.Compile(cfg)
	require.NoError(t, err)
	catalog, err := psutilreceiver.ReadCatalog()
	require.NoError(t, err)
	attributes := map[string][]string{} // By rule, what its inputs have.
	c := &metricChecker{catalog: catalog, names: slices.Sorted(maps.Keys(catalog.Metrics))}
	for _, r := range set.Rules {
		r.MayMatchNothing = false // Then the checks say of all of it what they have to say.
		c.rule(r)
		for _, in := range r.Inputs() {
			m, known := catalog.Metrics[in.Metric]
			if !assert.True(t, known, "%s: there is no metric %s", r.Name, in.Metric) {
				continue
			}
			c.match(r.Name+": ", in.Target, m)
			attributes[r.Name] = append(attributes[r.Name], m.Attributes...)
		}
		for _, f := range r.GroupBy {
			assert.True(t, slices.Contains(attributes[r.Name], f.Key) || slices.Contains(catalog.ResourceAttributes, f.Key), "%s: group_by %s", r.Name, f.Key)
		}
	}
	assert.Empty(t, c.warnings)
	assert.Empty(t, c.errs)
	for _, r := range rules.PresetHostRules() {
		for _, message := range r.Messages {
			for _, named := range attributeInMessage.FindAllStringSubmatch(message, -1) {
				known := attributes[r.Name]
				if named[1] == "Resource" {
					known = catalog.ResourceAttributes
				}
				assert.Contains(t, known, named[2], "%s: %s", r.Name, message)
			}
		}
	}
}

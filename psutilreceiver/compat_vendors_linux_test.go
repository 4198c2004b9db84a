package psutilreceiver

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

// vendorLookup is what a backend reads: testdata/vendors.yaml.
type vendorLookup struct {
	Vendor, Source, Scope, Temporality string
	Underscored                        bool
	Metrics                            map[string]struct {
		Attributes map[string]yaml.Node
		Without    []string
	}
	Resource, Process, Not, On []string
}

// TestVendorsFindWhatTheyRead: each backend's lookups, in what the receiver says of a fixture host with `compat: hostmetrics`.
func TestVendorsFindWhatTheyRead(t *testing.T) {
	text, err := os.ReadFile("testdata/vendors.yaml")
	require.NoError(t, err)
	var vendors []vendorLookup
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&vendors))
	require.Len(t, vendors, 9)
	scrapers := map[string]string{}
	for scraper, metrics := range oldMetrics(t) {
		for name := range metrics {
			scrapers[name] = scraper
		}
	}
	for _, v := range vendors {
		t.Run(v.Vendor, func(t *testing.T) {
			temporality := "cumulative"
			if v.Temporality != "" {
				temporality = v.Temporality
			}
			md, err := golden.ReadMetrics("testdata/golden/server-6.x.hostmetrics." + temporality + ".yaml")
			require.NoError(t, err)
			checkVendor(t, &v, md, scrapers)
		})
	}
}

func checkVendor(t *testing.T, v *vendorLookup, md pmetric.Metrics, scrapers map[string]string) {
	t.Helper()
	for name, lookup := range v.Metrics {
		var points []pcommon.Map
		forEachMetric(md, func(scope string, m pmetric.Metric) {
			if m.Name() != name && (!v.Underscored || strings.ReplaceAll(m.Name(), ".", "_") != name) {
				return
			}
			if v.Scope != "" {
				assert.Regexp(t, strings.ReplaceAll(v.Scope, "SCRAPER", scrapers[m.Name()]), scope, name)
			}
			if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() && v.Temporality == "delta" {
				assert.Equal(t, pmetric.AggregationTemporalityDelta, m.Sum().AggregationTemporality(), name)
			}
			_, all := shapeOf(m)
			for _, p := range all.All() {
				points = append(points, p.Attributes())
			}
		})
		if !assert.NotEmpty(t, points, name) {
			continue
		}
		for key, want := range lookup.Attributes {
			checkValues(t, name, key, &want, points)
		}
		for _, key := range lookup.Without {
			for _, attributes := range points {
				_, there := attributes.Get(key)
				assert.False(t, there, "%s has %s", name, key)
			}
		}
	}
	for _, rm := range md.ResourceMetrics().All() {
		attributes := rm.Resource().Attributes().AsRaw()
		for _, key := range v.Resource {
			assert.Contains(t, attributes, key)
		}
		for _, key := range v.Not {
			if attributes["linux.cgroup.path"] == nil { // A container is what such attributes are for.
				assert.NotContains(t, attributes, key)
			}
		}
		// A kernel thread has neither a path nor a command line, and what may not be read has no owner.
		if attributes["process.command_line"] != nil && attributes["process.executable.path"] != nil {
			for _, key := range v.Process {
				assert.Contains(t, attributes, key)
			}
		}
	}
	for name := range v.Metrics {
		checkDefault(t, v, name)
	}
}

// checkValues checks the values of an attribute: `any`, a list of those that have to be there, or {exactly: those that are there}.
func checkValues(t *testing.T, metric, key string, want *yaml.Node, points []pcommon.Map) {
	t.Helper()
	var found []string
	for _, attributes := range points {
		value, there := attributes.Get(key)
		if !assert.True(t, there, "%s lacks %s", metric, key) {
			return
		}
		if !slices.Contains(found, value.AsString()) {
			found = append(found, value.AsString())
		}
	}
	var exact struct{ Exactly []string }
	var some []string
	switch {
	case want.Kind == yaml.ScalarNode && want.Value == "any":
	case want.Kind == yaml.SequenceNode:
		require.NoError(t, want.Decode(&some))
		assert.Subset(t, found, some, "%s of %s", key, metric)
	default:
		require.NoError(t, want.Decode(&exact))
		assert.ElementsMatch(t, exact.Exactly, found, "%s of %s", key, metric)
	}
}

// checkDefault checks that a metric is on by default, unless the lookup says that it has to be turned on.
func checkDefault(t *testing.T, v *vendorLookup, name string) {
	t.Helper()
	cfg := createHostmetricsConfig().(*Config)
	for _, metrics := range oldMetrics(t) {
		for old := range metrics {
			if old != name && (!v.Underscored || strings.ReplaceAll(old, ".", "_") != name) {
				continue
			}
			ours := old
			if row, _ := hostmetrics.ByOldName(old); row != nil {
				ours = row.Name
			}
			assert.Equal(t, !slices.Contains(v.On, old), isEnabled(&cfg.Metrics, ours), "%s is on by default", old)
		}
	}
}

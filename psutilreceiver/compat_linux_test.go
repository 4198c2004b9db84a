package psutilreceiver

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics/translate"
)

// oldMetric is what hostmetricsreceiver documents of a metric.
type oldMetric struct {
	Unit, Type, Value string
	Attributes        []string
	Default           bool
}

// oldMetrics are the metrics of hostmetricsreceiver by scraper and name.
func oldMetrics(t *testing.T) map[string]map[string]oldMetric {
	t.Helper()
	text, err := os.ReadFile("../internal/hostmetrics/testdata/metrics.yaml")
	require.NoError(t, err)
	var out map[string]map[string]oldMetric
	require.NoError(t, yaml.Unmarshal(text, &out))
	return out
}

// shapeOf describes a metric as oldMetric does, without its attributes.
func shapeOf(m pmetric.Metric) (shape oldMetric, points pmetric.NumberDataPointSlice) {
	shape.Unit, shape.Type = m.Unit(), "gauge"
	if m.Type() == pmetric.MetricTypeSum {
		points = m.Sum().DataPoints()
		if shape.Type = "updown"; m.Sum().IsMonotonic() {
			shape.Type = "counter"
		}
	} else {
		points = m.Gauge().DataPoints()
	}
	if shape.Value = "int"; points.At(0).ValueType() == pmetric.NumberDataPointValueTypeDouble {
		shape.Value = "double"
	}
	return shape, points
}

// forEachMetric calls do for every metric, with the name of its scope.
func forEachMetric(md pmetric.Metrics, do func(scope string, m pmetric.Metric)) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				do(sm.Scope().Name(), m)
			}
		}
	}
}

// TestTheOldFormIsWhatHostmetricsDocuments: every metric that hostmetricsreceiver has, has its unit, type, attributes and scope; nothing stands under
// both names.
func TestTheOldFormIsWhatHostmetricsDocuments(t *testing.T) {
	documented := oldMetrics(t)
	for name, change := range map[string]func(*Config){
		"all together": func(*Config) {},
		"each CPU":     func(c *Config) { c.Scrapers.CPU.Get().PerCPU = true },
		"groups":       func(c *Config) { c.Scrapers.Process.Get().GroupBy = []string{"executable"} },
		"the top": func(c *Config) {
			c.Scrapers.Process.Get().Top.N, c.Scrapers.Process.Get().Other = 1, true
		},
		"rates": func(c *Config) { c.Rates.Enabled = true },
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := scrapeTwice(t, "server-6.x", TemporalityCumulative, inOldForm, change)
			checkOldForm(t, documented, got)
		})
	}
}

func checkOldForm(t *testing.T, documented map[string]map[string]oldMetric, got pmetric.Metrics) {
	t.Helper()
	seen := 0
	forEachMetric(got, func(scope string, m pmetric.Metric) {
		if row, _ := hostmetrics.ByName(m.Name()); row != nil {
			assert.Equal(t, row.Name, row.OldName(), "%s stands under its new name", m.Name())
		}
		shape, points := shapeOf(m)
		base, isRate := strings.CutSuffix(m.Name(), ".rate")
		for scraper, metrics := range documented {
			want, known := metrics[base]
			if !known {
				continue
			}
			seen++
			assert.True(t, strings.HasSuffix(scope, "/receiver/hostmetricsreceiver/internal/scraper/"+scraper+"scraper"), "%s is of scope %s", m.Name(), scope)
			for _, p := range points.All() {
				for key := range p.Attributes().All() {
					assert.Contains(t, want.Attributes, key, m.Name())
				}
				for _, key := range want.Attributes {
					if _, has := p.Attributes().Get(key); !has && key != "cpu" && key != "error.type" { // Opt-in, and of errors alone, there, too.
						assert.Fail(t, "an attribute is missing", "%s of %s", key, m.Name())
					}
				}
			}
			if isRate {
				assert.Equal(t, strings.TrimSuffix(want.Unit, "/s")+"/s", strings.Replace(shape.Unit, "1", "s/s", 1), m.Name())
				continue
			}
			want.Attributes, want.Default = nil, false
			assert.Equal(t, want, shape, m.Name())
		}
	})
	assert.Greater(t, seen, 40)
	for _, rm := range got.ResourceMetrics().All() {
		assert.Equal(t, "https://opentelemetry.io/schemas/1.9.0", rm.SchemaUrl())
		var scopes []string
		for _, sm := range rm.ScopeMetrics().All() {
			assert.NotContains(t, scopes, sm.Scope().Name(), "a scraper has one scope")
			scopes = append(scopes, sm.Scope().Name())
		}
	}
}

// TestBothFormsSayTheSame: of the same two scrapes the old form, translated back, is ours, except for what it has not.
func TestBothFormsSayTheSame(t *testing.T) {
	for _, host := range []string{"server-6.x", "kernel-4.4", "container"} {
		for _, temporality := range []Temporality{TemporalityCumulative, TemporalityDelta} {
			t.Run(host+"/"+string(temporality), func(t *testing.T) {
				perCPU := func(c *Config) { c.Scrapers.CPU.Get().PerCPU = temporality == TemporalityDelta }
				want, _ := scrapeTwice(t, host, temporality, inOldForm, perCPU, func(c *Config) { c.Compat = "" })
				got, _ := scrapeTwice(t, host, temporality, inOldForm, perCPU)
				mergeScopes(got)
				back := translate.ToOurs()
				for _, rm := range got.ResourceMetrics().All() {
					back.Resource(rm.Resource().Attributes())
					back.Metrics(rm.ScopeMetrics().At(0).Metrics())
					rm.SetSchemaUrl(want.ResourceMetrics().At(0).SchemaUrl())
					rm.ScopeMetrics().At(0).Scope().SetName(want.ResourceMetrics().At(0).ScopeMetrics().At(0).Scope().Name())
				}
				for _, md := range []pmetric.Metrics{want, got} {
					dropWhatTheOldFormLacks(md)
				}
				require.NoError(t, pmetrictest.CompareMetrics(want, got,
					pmetrictest.IgnoreMetricValues("system.filesystem.usage", "system.filesystem.limit"),
					pmetrictest.IgnoreResourceMetricsOrder(), pmetrictest.IgnoreMetricsOrder(), pmetrictest.IgnoreMetricDataPointsOrder()))
			})
		}
	}
}

// mergeScopes puts all metrics of a resource under its first scope.
func mergeScopes(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		first := rm.ScopeMetrics().At(0)
		for i := 1; i < rm.ScopeMetrics().Len(); i++ {
			rm.ScopeMetrics().At(i).Metrics().MoveAndAppendTo(first.Metrics())
		}
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool { return sm.Metrics().Len() == 0 })
	}
}

// dropWhatTheOldFormLacks drops what can't be told from the old form: the states of filesystems in shares, sockets of UDP, integers of frequencies,
// and the slab, which stands among the states of the memory there.
func dropWhatTheOldFormLacks(md pmetric.Metrics) {
	lacks := []string{"system.filesystem.utilization", "system.cpu.frequency", "system.memory.linux.slab.usage"}
	for _, rm := range md.ResourceMetrics().All() {
		rm.ScopeMetrics().At(0).Metrics().RemoveIf(func(m pmetric.Metric) bool {
			if strings.HasPrefix(m.Unit(), "{") { // An annotation, which says nothing.
				m.SetUnit("")
			}
			if m.Name() == "system.network.connection.count" {
				m.Sum().DataPoints().RemoveIf(func(p pmetric.NumberDataPoint) bool {
					v, _ := p.Attributes().Get("network.transport")
					return v.Str() == "udp"
				})
			}
			if slices.Contains([]string{"system.cpu.time", "system.cpu.utilization", "process.memory.utilization"}, m.Name()) {
				roundLastDigits(m)
			}
			return slices.Contains(lacks, m.Name())
		})
	}
}

// roundLastDigits rounds what computing leaves in the last digits.
func roundLastDigits(m pmetric.Metric) {
	_, points := shapeOf(m)
	for _, p := range points.All() {
		p.SetDoubleValue(float64(int64(p.DoubleValue()*1e9+0.5)) / 1e9)
	}
}

// TestValuesOfTheOldForm: what is not only another name.
func TestValuesOfTheOldForm(t *testing.T) {
	got, _ := scrapeTwice(t, "server-6.x", TemporalityCumulative, inOldForm)
	plain, _ := scrapeTwice(t, "server-6.x", TemporalityCumulative, inOldForm, func(c *Config) { c.Compat = "" })
	old, ours := hostValuesOf(got), hostValuesOf(plain)

	assert.InDelta(t, ours["system.cpu.time{cpu.mode=interrupt}"],
		old["system.cpu.time{state=interrupt}"]+old["system.cpu.time{state=softirq}"], 1e-6)
	assert.Positive(t, old["system.cpu.time{state=softirq}"])
	assert.InDelta(t, ours["system.memory.linux.slab.usage{system.memory.linux.slab.state=reclaimable}"], old["system.memory.usage{state=slab_reclaimable}"], 0)
	assert.InDelta(t, old["system.memory.usage{state=slab_unreclaimable}"]/old["system.memory.limit{}"],
		old["system.memory.utilization{state=slab_unreclaimable}"], 1e-9)
	for key, share := range old {
		of, isShare := strings.CutPrefix(key, "system.filesystem.utilization{")
		if !isShare {
			continue
		}
		of = strings.TrimSuffix(of, "}")
		device, rest, _ := strings.Cut(of, ",type=")
		used, free := old["system.filesystem.usage{"+device+",state=used,type="+rest+"}"], old["system.filesystem.usage{"+device+",state=free,type="+rest+"}"]
		require.Positive(t, used+free, key)
		assert.InDelta(t, used/(used+free), share, 1e-9)
	}
	for _, state := range []string{"CLOSE", "CLOSE_WAIT", "CLOSING", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "LAST_ACK", "LISTEN", "SYN_RECV", "SYN_SENT", "TIME_WAIT"} {
		assert.Contains(t, old, "system.network.connections{protocol=tcp,state="+state+"}")
	}
	sum := 0.0
	for _, status := range []string{"running", "sleeping", "blocked", "idle", "stopped", "zombies"} {
		require.Contains(t, old, "system.processes.count{status="+status+"}")
		sum += old["system.processes.count{status="+status+"}"]
	}
	all := 0.0
	for _, state := range []string{"running", "sleeping", "stopped", "defunct"} {
		all += ours["system.process.count{process.state="+state+"}"]
	}
	assert.InDelta(t, all, sum, 0, "the states sum to all processes")
	assert.Contains(t, old, "system.paging.operations{direction=page_in,type=major}")
}

// hostValuesOf has the points of the first resource by name and attributes.
func hostValuesOf(md pmetric.Metrics) map[string]float64 {
	out := map[string]float64{}
	for _, sm := range md.ResourceMetrics().At(0).ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			_, points := shapeOf(m)
			for _, p := range points.All() {
				value := p.DoubleValue()
				if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
					value = float64(p.IntValue())
				}
				out[m.Name()+"{"+attributesText(p.Attributes())+"}"] = value
			}
		}
	}
	return out
}

func attributesText(attributes pcommon.Map) string {
	var parts []string
	for key, v := range attributes.All() {
		parts = append(parts, key+"="+v.AsString())
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// TestTheTableIsAboutWhatThereIs: its metrics, attributes and values are those of metadata.yaml, and the old ones those of hostmetricsreceiver.
func TestTheTableIsAboutWhatThereIs(t *testing.T) {
	catalog, err := ReadCatalog()
	require.NoError(t, err)
	documented := map[string]oldMetric{}
	for _, metrics := range oldMetrics(t) {
		maps.Copy(documented, metrics)
	}
	for _, row := range hostmetrics.Metrics {
		old, known := documented[row.OldName()]
		assert.True(t, known || row.Elsewhere || len(row.Attributes) == 0 && row.Unit == "", "hostmetricsreceiver has no %s", row.OldName())
		m, there := catalog.Metrics[row.Name]
		if !there {
			assert.Equal(t, row.OldName(), row.Name, "there is no metric %s", row.Name)
			continue
		}
		for _, a := range row.Attributes {
			assert.Contains(t, m.Attributes, a.Key, row.Name)
			assert.Contains(t, old.Attributes, a.Old, row.Name)
			for _, v := range a.Values {
				if v.Value != "" {
					assert.Contains(t, catalog.Values[a.Key], v.Value, row.Name)
				} else {
					assert.NotContains(t, catalog.Values[a.Key], v.Old, "it is a value of the old form alone: %s", row.Name)
				}
			}
		}
	}
	for name := range documented {
		row, _ := hostmetrics.ByOldName(name)
		m, same := catalog.Metrics[name]
		if row != nil || !same {
			continue // Translated, or told of in docs/migrating.md.
		}
		assert.Equal(t, documented[name].Unit, m.Unit, name)
		assert.ElementsMatch(t, documented[name].Attributes, m.Attributes, name)
	}
}

// TestDefaultMetricsOfHostmetricsAreOn: with `compat: hostmetrics`, whatever hostmetricsreceiver has on by default.
func TestDefaultMetricsOfHostmetricsAreOn(t *testing.T) {
	cfg := createHostmetricsConfig().(*Config)
	for scraper, metrics := range oldMetrics(t) {
		for name, m := range metrics {
			if !m.Default || scraper == "nfs" {
				continue
			}
			ours := name
			if row, _ := hostmetrics.ByOldName(name); row != nil {
				ours = row.Name
			}
			assert.True(t, isEnabled(&cfg.Metrics, ours), "%s is on in hostmetricsreceiver", name)
		}
	}
}

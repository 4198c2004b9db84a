package otelcolpsutil_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

var update = flag.Bool("update", false, "write the table of docs/prometheus.md again")

const (
	prometheusDoc = "docs/prometheus.md"
	tableHead     = "| metric | in Prometheus | labels | with `compat: hostmetrics` |\n| --- | --- | --- | --- |\n"
)

// prometheusTable is the table of the metrics that are on by default, with their names and labels in Prometheus.
func prometheusTable(t *testing.T) (table string, labels map[string][]string) {
	t.Helper()
	catalog, err := psutilreceiver.ReadCatalog()
	require.NoError(t, err)
	cfg := psutilreceiver.NewFactory().CreateDefaultConfig().(*psutilreceiver.Config)
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	nameOf := func(name string, m *psutilreceiver.CatalogMetric) string {
		kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
		switch {
		case m.Counter:
			kind = otlptranslator.MetricTypeMonotonicCounter
		case m.UpDown:
			kind = otlptranslator.MetricTypeNonMonotonicCounter
		}
		out, err := namer.Build(otlptranslator.Metric{Name: name, Unit: m.Unit, Type: kind})
		require.NoError(t, err)
		return out
	}
	labels = map[string][]string{}
	var b strings.Builder
	b.WriteString(tableHead)
	for _, name := range slices.Sorted(maps.Keys(catalog.Metrics)) {
		m := catalog.Metrics[name]
		if m.Derived || cfg.WhatEmits(name) != "" {
			continue
		}
		label := func(key string) string { return strings.ReplaceAll(key, ".", "_") }
		var keys, oldKeys []string
		row, _ := hostmetrics.ByName(name)
		for _, key := range slices.Sorted(slices.Values(m.Attributes)) {
			if key == "cpu.logical_number" {
				continue // With per_cpu.
			}
			keys = append(keys, label(key))
			if row == nil {
				continue
			}
			if a := row.Attribute(key); a != nil {
				oldKeys = append(oldKeys, label(a.Old))
			}
		}
		inPrometheus := nameOf(name, &m)
		labels[inPrometheus] = keys
		old := "the same"
		switch {
		case row == nil:
		case row.Elsewhere:
			old = "–"
		default:
			if old = code(nameOf(row.OldName(), &m)); len(oldKeys) > 0 {
				old += " " + list(oldKeys)
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, code(inPrometheus), list(keys), old)
	}
	return b.String(), labels
}

func code(text string) string { return "`" + text + "`" }

func list(keys []string) string {
	if len(keys) == 0 {
		return "–"
	}
	return "`" + strings.Join(keys, "`, `") + "`"
}

// TestPrometheusNames holds the table of docs/prometheus.md against what the translation of the Collector's exporters and of Prometheus itself makes of the
// metrics, and looks for the metrics and the labels of its queries.
func TestPrometheusNames(t *testing.T) {
	want, labels := prometheusTable(t)
	text, err := os.ReadFile(prometheusDoc)
	require.NoError(t, err)
	before, after, found := strings.Cut(string(text), tableHead)
	require.True(t, found, "%s has the table", prometheusDoc)
	rows := regexp.MustCompile(`^(\|.*\n)*`).FindString(after)
	if *update {
		require.NoError(t, os.WriteFile(prometheusDoc, []byte(before+want+after[len(rows):]), 0o600))
		return
	}
	assert.Equal(t, want, tableHead+rows, "go test . -run TestPrometheusNames -update")

	queries := regexp.MustCompile("(?m)^    ([^#\n].*)$").FindAllStringSubmatch(string(text), -1)
	assert.Len(t, queries, 10)
	for _, q := range queries {
		expression, err := parser.NewParser(parser.Options{}).ParseExpr(q[1])
		require.NoError(t, err, q[1])
		parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
			selector, ok := node.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			known, there := labels[selector.Name]
			assert.True(t, there, "%s is in no row of the table: %s", selector.Name, q[1])
			for _, m := range selector.LabelMatchers {
				if m.Name != "__name__" && m.Name != "host_name" {
					assert.Contains(t, known, m.Name, q[1])
				}
			}
			return nil
		})
	}
}

package psutilreceiver

import (
	_ "embed"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// described is metadata.yaml, of which the code of the metrics is generated.
//
//go:embed metadata.yaml
var described []byte

// Catalog is what the receiver can emit, as metadata.yaml describes it, for tools that check what others write of its metrics.
type Catalog struct {
	// Metrics are the metrics by name: those of metadata.yaml, the rates of counters, and what sampling makes.
	Metrics map[string]CatalogMetric
	// Values are the values that attributes of data points may have, by attribute; attributes of any value are not listed.
	Values map[string][]string
	// ResourceAttributes are the attributes of the host's resource, and with process. in front those of a process.
	ResourceAttributes []string
}

// CatalogMetric is one metric of the catalog.
type CatalogMetric struct {
	// Unit is the UCUM unit.
	Unit string
	// UpDown tells that the metric is a sum that goes up and down, Derived that it is made of another, as a rate of a counter.
	UpDown, Derived bool
	// Counter tells that the metric is a total since a start, Distribution that its points are histograms.
	Counter, Distribution bool
	// Attributes are those of its data points.
	Attributes []string
	// Lowest and Highest are the least and the greatest value that it can have; infinite where there is no bound.
	Lowest, Highest float64
}

// metadataFile is metadata.yaml as far as the catalog goes.
type metadataFile struct {
	ResourceAttributes map[string]any `yaml:"resource_attributes"`
	Attributes         map[string]struct {
		Enum         []string `yaml:"enum"`
		NameOverride string   `yaml:"name_override"`
	} `yaml:"attributes"`
	Metrics map[string]struct {
		Description string   `yaml:"description"`
		Unit        string   `yaml:"unit"`
		Attributes  []string `yaml:"attributes"`
		Sum         struct {
			ValueType string `yaml:"value_type"`
			Monotonic bool   `yaml:"monotonic"`
		} `yaml:"sum"`
	} `yaml:"metrics"`
}

// ReadCatalog returns the catalog. The error is one of the build.
func ReadCatalog() (*Catalog, error) { return readCatalog() }

var readCatalog = sync.OnceValues(func() (*Catalog, error) {
	var file metadataFile
	if err := yaml.Unmarshal(described, &file); err != nil {
		return nil, fmt.Errorf("the description of the metrics: %w", err)
	}
	c := &Catalog{Metrics: map[string]CatalogMetric{}, Values: map[string][]string{}}
	for key := range file.ResourceAttributes {
		c.ResourceAttributes = append(c.ResourceAttributes, key)
	}
	slices.Sort(c.ResourceAttributes)
	name := func(attribute string) string {
		if other := file.Attributes[attribute].NameOverride; other != "" {
			return other
		}
		return attribute
	}
	for attribute, a := range file.Attributes {
		if len(a.Enum) > 0 && !strings.HasPrefix(attribute, "telemetry.") {
			c.Values[name(attribute)] = slices.DeleteFunc(a.Enum, func(value string) bool { return hostmetrics.IsOldValue(attribute, value) })
		}
	}
	for metric, d := range file.Metrics {
		m := CatalogMetric{Unit: d.Unit, Counter: d.Sum.Monotonic, UpDown: d.Sum.ValueType != "" && !d.Sum.Monotonic}
		for _, attribute := range d.Attributes {
			m.Attributes = append(m.Attributes, name(attribute))
		}
		m.Lowest, m.Highest = boundsOf(d.Description, d.Unit)
		c.Metrics[metric] = m
		if m.Counter {
			rate := m
			rate.Counter, rate.Derived, rate.Unit = false, true, stream.RateUnit(m.Unit)
			c.Metrics[stream.RateName(metric)] = rate
		}
	}
	c.addSampled()
	return c, nil
})

// WithOldForm is the catalog with the names and attributes of hostmetricsreceiver beside ours, for configurations that ask for them.
func (c *Catalog) WithOldForm() *Catalog {
	out := &Catalog{Metrics: maps.Clone(c.Metrics), Values: c.Values, ResourceAttributes: slices.Clone(c.ResourceAttributes)}
	for name, m := range c.Metrics {
		row, suffix := hostmetrics.ByName(name)
		if row == nil || row.Elsewhere {
			continue
		}
		m.Attributes = slices.Clone(m.Attributes)
		for _, a := range row.Attributes {
			m.Attributes = append(m.Attributes, a.Old)
		}
		if row.Factor != 0 {
			m.Highest *= row.Factor
		}
		out.Metrics[row.OldName()+suffix] = m
	}
	for _, old := range hostmetrics.ResourceAttributes {
		out.ResourceAttributes = append(out.ResourceAttributes, old)
	}
	return out
}

// addSampled adds what sampling makes of the metrics that can be sampled.
func (c *Catalog) addSampled() {
	for _, s := range sampleable() {
		m := c.Metrics[s.baseName()]
		m.Derived = true
		for _, statistic := range sampledStatistics {
			c.Metrics[s.baseName()+statistic.suffix] = m
		}
		m.Distribution = true
		c.Metrics[s.baseName()+distributionSuffix] = m
	}
}

// statedRange is how descriptions state the range of a metric, at their end.
var statedRange = regexp.MustCompile(`(-?\d+) to (-?\d+)\.$`)

// boundsOf reads the range of a metric's values out of its description. What is counted or measured in bytes or seconds is not below 0.
func boundsOf(description, unit string) (lowest, highest float64) {
	stated := statedRange.FindStringSubmatch(description)
	switch {
	case stated != nil:
		lowest, _ = strconv.ParseFloat(stated[1], 64)
		highest, _ = strconv.ParseFloat(stated[2], 64)
		return lowest, highest
	case strings.HasPrefix(description, "Always 1"):
		return 1, 1
	case strings.HasPrefix(description, "1 if ") && strings.HasSuffix(description, "else 0."):
		return 0, 1
	case unit == "Cel":
		return math.Inf(-1), math.Inf(1)
	default:
		return 0, math.Inf(1)
	}
}

// counterNames lists the metrics that are monotonic sums, in order.
func counterNames() ([]string, error) {
	c, err := readCatalog()
	if err != nil {
		return nil, err
	}
	var names []string
	for name, metric := range c.Metrics {
		if metric.Counter {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

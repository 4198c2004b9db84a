package psutilreceiver

import (
	_ "embed"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// described is metadata.yaml, of which the code of the metrics is generated.
//
//go:embed metadata.yaml
var described []byte

// counterNames lists the metrics that are monotonic sums, in order.
func counterNames() ([]string, error) {
	var d struct {
		Metrics map[string]struct {
			Sum struct{ Monotonic bool }
		}
	}
	if err := yaml.Unmarshal(described, &d); err != nil {
		return nil, fmt.Errorf("the description of the metrics: %w", err)
	}
	var names []string
	for name, metric := range d.Metrics {
		if metric.Sum.Monotonic {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

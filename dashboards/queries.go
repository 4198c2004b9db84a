// Package dashboards holds the dashboard for Grafana, and reads its queries for tests.
package dashboards

import (
	_ "embed" // For the dashboard.
	"encoding/json"
	"strings"
)

//go:embed otelcol-psutil.json
var dashboard []byte

type panel struct {
	Targets []struct{ Expr string }
	Panels  []panel
}

// Queries returns the expressions of all panels, with its variables replaced: the host, and a range of a minute for rates.
func Queries(host string) ([]string, error) {
	var all panel
	if err := json.Unmarshal(dashboard, &all); err != nil {
		return nil, err
	}
	variables := strings.NewReplacer("$host", host, "$__rate_interval", "1m")
	var out []string
	var walk func(panel)
	walk = func(p panel) {
		for _, x := range p.Targets {
			out = append(out, variables.Replace(x.Expr))
		}
		for _, x := range p.Panels {
			walk(x)
		}
	}
	walk(all)
	return out, nil
}

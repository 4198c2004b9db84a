package hostpageexporter

import (
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

type metaAnswer struct {
	Version      int                 `json:"version"`
	Store        string              `json:"store"`
	Generation   uint64              `json:"generation"`
	Now          millis              `json:"now"`
	Started      millis              `json:"started"`
	Host         map[string]string   `json:"host"`
	Agent        agentAnswer         `json:"agent"`
	Tiers        []tierAnswer        `json:"tiers"`
	ProcessTiers []tierAnswer        `json:"process_tiers"`
	Memory       memoryAnswer        `json:"memory"`
	Limits       limitsAnswer        `json:"limits"`
	Features     featuresAnswer      `json:"features"`
	Resources    []map[string]string `json:"resources"`
	Axes         []axisAnswer        `json:"axes"`
	Metrics      []metricAnswer      `json:"metrics"`
	Rules        []ruleAnswer        `json:"rules"`
}

type agentAnswer struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type tierAnswer struct {
	Every    int64  `json:"every"`
	Keep     int64  `json:"keep"`
	Top      *int   `json:"top,omitempty"`
	From     millis `json:"from"`
	Complete bool   `json:"complete"`
}

type memoryAnswer struct {
	Limit int64 `json:"limit"`
	Used  int64 `json:"used"`
}

type limitsAnswer struct {
	Series        int   `json:"series"`
	SeriesRefused int64 `json:"series_refused"`
	Viewers       int   `json:"viewers"`
	Width         int   `json:"width"`
	Cells         int   `json:"cells"`
}

type featuresAnswer struct {
	Processes    bool `json:"processes"`
	Groups       bool `json:"groups"`
	Alerts       bool `json:"alerts"`
	CommandLines bool `json:"command_lines"`
	Actions      bool `json:"actions"`
}

type axisAnswer struct {
	Axis     int    `json:"axis"`
	Interval int64  `json:"interval"`
	First    millis `json:"first"`
	Last     millis `json:"last"`
}

type metricAnswer struct {
	Name        string         `json:"name"`
	Unit        string         `json:"unit"`
	ValueUnit   string         `json:"value_unit"`
	Kind        string         `json:"kind"`
	Description string         `json:"description"`
	Attributes  []string       `json:"attributes"`
	Series      []seriesAnswer `json:"series"`
}

type seriesAnswer struct {
	ID       uint32    `json:"id"`
	Resource int       `json:"resource"`
	Axis     int       `json:"axis"`
	Values   []*string `json:"values"`
	Ended    *millis   `json:"ended,omitempty"`
}

type ruleAnswer struct {
	Rule       string            `json:"rule"`
	Metric     string            `json:"metric"`
	Unit       string            `json:"unit"`
	Resource   map[string]string `json:"resource"`
	Attributes map[string]any    `json:"attributes"`
}

func attributeMap(attributes []history.Attribute) map[string]string {
	out := make(map[string]string, len(attributes))
	for _, a := range attributes {
		out[a.Key] = a.Value
	}
	return out
}

// meta answers what there is.
func (p *page) meta(a *answering) error {
	c := a.store.Catalogue(p.now())
	out := metaAnswer{
		Version: apiVersion, Store: c.Store, Generation: c.Generation, Now: millis(p.now().UnixMicro()), Started: millis(c.Started),
		Host: map[string]string{}, Agent: agentAnswer{p.build.Command, p.build.Version}, Memory: memoryAnswer{c.Limit, c.Used},
		Limits:    limitsAnswer{c.MaxSeries, c.SeriesRefused, p.cfg.Viewers, history.MaxWidth, history.MaxCells},
		Features:  featuresAnswer{Processes: c.HasTables, Groups: c.HasGroups, Alerts: c.HasAlerts, CommandLines: p.cfg.CommandLines, Actions: p.whyNoActions() == ""},
		Resources: []map[string]string{}, Axes: []axisAnswer{}, Metrics: []metricAnswer{}, Rules: []ruleAnswer{},
	}
	for _, t := range c.Tiers {
		out.Tiers = append(out.Tiers, tierAnswer{t.Every.Milliseconds(), t.Keep.Milliseconds(), nil, millis(t.From), t.Complete})
	}
	for _, t := range c.Tables {
		out.ProcessTiers = append(out.ProcessTiers, tierAnswer{t.Every.Milliseconds(), t.Keep.Milliseconds(), &t.Top, millis(t.From), t.Complete})
	}
	for i, r := range c.Resources {
		out.Resources = append(out.Resources, attributeMap(r))
		if i == c.Host {
			for key, value := range out.Resources[i] {
				if !strings.HasPrefix(key, "process.") {
					out.Host[key] = value
				}
			}
		}
	}
	for _, x := range c.Axes {
		out.Axes = append(out.Axes, axisAnswer{x.ID, (x.Interval + 500) / 1000, millis(x.First), millis(x.Last)})
	}
	for _, m := range c.Metrics {
		out.Metrics = append(out.Metrics, metricOf(&m))
	}
	for _, r := range c.Rules {
		out.Rules = append(out.Rules, ruleAnswer{r.Name, r.Metric, r.Unit, attributeMap(r.Resource), r.Attributes})
	}
	return a.writeJSON(out)
}

func metricOf(m *history.MetricState) metricAnswer {
	out := metricAnswer{
		Name: m.Name, Unit: m.Unit, ValueUnit: m.ValueUnit, Kind: m.Kind.String(), Description: m.Description, Attributes: m.Keys,
		Series: make([]seriesAnswer, 0, len(m.Series)),
	}
	if out.Attributes == nil {
		out.Attributes = []string{}
	}
	for _, x := range m.Series {
		s := seriesAnswer{ID: x.ID, Resource: x.Resource, Axis: x.Axis, Values: x.Values}
		for len(s.Values) < len(m.Keys) {
			s.Values = append(slices.Clip(s.Values), nil)
		}
		if s.Values == nil {
			s.Values = []*string{}
		}
		if x.Ended != 0 {
			ended := millis(x.Ended)
			s.Ended = &ended
		}
		out.Series = append(out.Series, s)
	}
	return out
}

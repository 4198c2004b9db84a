package main

import (
	"maps"
	"math"
	"slices"
)

// shown are the metrics that the screen is made of.
var shown = []string{
	"system.cpu.utilization", "system.cpu.logical.count", "system.cpu.load_average.1m", "system.memory.usage", "system.memory.limit", "system.memory.linux.available",
	"system.paging.usage", "system.disk.io", "system.disk.io_time", "system.network.io", "system.network.errors", "system.network.packet.dropped",
	"system.filesystem.usage", "system.uptime", "system.cpu.linux.pressure.total", "system.memory.linux.pressure.total",
	"system.io.linux.pressure.total",
}

type meta struct {
	Store    string         `json:"store"`
	Now      int64          `json:"now"`
	Host     map[string]any `json:"host"`
	Features struct {
		Groups bool `json:"groups"`
	} `json:"features"`
	Metrics []struct {
		Name       string   `json:"name"`
		Attributes []string `json:"attributes"`
		Series     []struct {
			ID     int       `json:"id"`
			Values []*string `json:"values"`
		} `json:"series"`
	} `json:"metrics"`

	series map[string][]series
}

// series is one series of a metric, with its attributes.
type series struct {
	id         int
	attributes map[string]string
}

func (m *meta) index() {
	m.series = map[string][]series{}
	for _, metric := range m.Metrics {
		for _, s := range metric.Series {
			attributes := map[string]string{}
			for i, v := range s.Values {
				if v != nil && i < len(metric.Attributes) {
					attributes[metric.Attributes[i]] = clean(*v)
				}
			}
			m.series[metric.Name] = append(m.series[metric.Name], series{s.ID, attributes})
		}
	}
}

// snapshot is all that a screen shows.
type snapshot struct {
	meta   *meta
	values struct {
		Store  string `json:"store"`
		To     int64  `json:"to"`
		Groups []struct {
			Times  []int64 `json:"times"`
			Series []struct {
				ID  int        `json:"id"`
				Avg []*float64 `json:"avg"`
			} `json:"series"`
		} `json:"groups"`
	}
	table     processTable
	groups    groupTable
	alerts    alertList
	processes []process

	courses map[int][]*float64
}

type alertList struct {
	Firing []string `json:"firing"`
	Alerts []alert  `json:"alerts"`
}

// alert is an episode, from its fire to its end.
type alert struct {
	ID             string         `json:"id"`
	Episode        string         `json:"episode"`
	Rule           string         `json:"rule"`
	Severity       string         `json:"severity"`
	State          string         `json:"state"`
	Unit           string         `json:"unit"`
	Value          *float64       `json:"value"`
	Threshold      *float64       `json:"threshold"`
	Comparison     string         `json:"comparison"`
	Started        int64          `json:"started"`
	Message        string         `json:"message"`
	Attributes     map[string]any `json:"attributes"`
	Resource       map[string]any `json:"resource"`
	SilencedBy     string         `json:"silenced_by"`
	AcknowledgedBy string         `json:"acknowledged_by"`
}

// firing are the alerts that fire, the most severe first.
func (l *alertList) firing() []alert {
	var out []alert
	for _, episode := range l.Firing {
		if i := slices.IndexFunc(l.Alerts, func(a alert) bool { return a.Episode == episode }); i >= 0 {
			out = append(out, l.Alerts[i])
		}
	}
	return out
}

func (s *snapshot) index() {
	s.courses = map[int][]*float64{}
	for _, g := range s.values.Groups {
		for _, x := range g.Series {
			s.courses[x.ID] = x.Avg
		}
	}
}

// last is the newest value of a series within its three newest points; NaN if there is none.
func (s *snapshot) last(id int) float64 {
	course := s.courses[id]
	for i := len(course) - 1; i >= max(0, len(course)-3); i-- {
		if course[i] != nil {
			return *course[i]
		}
	}
	return math.NaN()
}

// find returns the series of a metric that have the attributes, given as key, value, key, value.
func (s *snapshot) find(metric string, where ...string) []series {
	var out []series
	for _, x := range s.meta.series[metric] {
		matches := true
		for i := 0; i+1 < len(where); i += 2 {
			matches = matches && x.attributes[where[i]] == where[i+1]
		}
		if matches {
			out = append(out, x)
		}
	}
	return out
}

// sum adds the newest values of the series that match; NaN if none has one.
func (s *snapshot) sum(metric string, where ...string) float64 {
	total := math.NaN()
	for _, x := range s.find(metric, where...) {
		if v := s.last(x.id); !math.IsNaN(v) {
			if math.IsNaN(total) {
				total = 0
			}
			total += v
		}
	}
	return total
}

// names are the values of an attribute among the series of a metric that have a value now, numbers in their order.
func (s *snapshot) names(metric, key string) []string {
	set := map[string]bool{}
	for _, x := range s.meta.series[metric] {
		if v, ok := x.attributes[key]; ok && !math.IsNaN(s.last(x.id)) {
			set[v] = true
		}
	}
	return slices.SortedFunc(maps.Keys(set), natural)
}

// course adds up the series that match, point by point; 1 less each where it is inverted.
func (s *snapshot) course(invert bool, metric string, where ...string) []float64 {
	var out []float64
	for _, x := range s.find(metric, where...) {
		for i, v := range s.courses[x.id] {
			for len(out) <= i {
				out = append(out, math.NaN())
			}
			if v == nil {
				continue
			}
			if math.IsNaN(out[i]) {
				out[i] = 0
			}
			if invert {
				out[i] += 1 - *v
			} else {
				out[i] += *v
			}
		}
	}
	return out
}

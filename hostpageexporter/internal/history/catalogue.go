package history

import (
	"slices"
	"time"
)

// Catalogue is what there is in a store.
type Catalogue struct {
	Store         string
	Generation    uint64
	Started       int64 // 0: nothing has come.
	Tiers         []TierState
	Tables        []TierState
	Used, Limit   int64
	MaxSeries     int
	SeriesRefused int64
	Host          int // The resource that is the host's; -1: not known.
	Resources     [][]Attribute
	Axes          []AxisState
	Metrics       []MetricState
	HasTables     bool
	HasGroups     bool // There is a table of control groups.
	HasAlerts     bool // Records of the alert component have come.
	Rules         []Rule
}

// TierState is what a tier holds.
type TierState struct {
	Every, Keep time.Duration
	Top         int
	From        int64 // Time of the oldest it holds, 0 if there is nothing.
	Complete    bool  // Nothing had to go before its time.
}

// AxisState is the scrapes that some series share.
type AxisState struct {
	ID                    int
	Interval, First, Last int64
}

// MetricState is a metric with its series.
type MetricState struct {
	Name, Unit, ValueUnit, Description string
	Kind                               Kind
	Keys                               []string
	Series                             []SeriesState
}

// SeriesState is a series. Values are in the order of the keys of the metric; there may be fewer, and nil stands for none.
type SeriesState struct {
	ID             uint32
	Resource, Axis int
	Values         []*string
	Ended          int64 // When it was last seen, if that is some scrapes ago; else 0.
}

// endedAfter is how many scrapes without a sample end a series.
const endedAfter = 3

// Catalogue returns what there is.
func (s *Store) Catalogue(now time.Time) Catalogue {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Catalogue{
		Store: s.name, Generation: s.generation, Started: s.started, Used: s.used(), Limit: s.cfg.MaxMemory, MaxSeries: s.cfg.MaxSeries,
		SeriesRefused: s.refused, HasTables: s.tables.open.Time != 0 || haveTables(s.tables.tiers), HasGroups: s.hasGroups(),
		HasAlerts: s.alerts.heard,
		Host:      s.host(), Rules: slices.Clone(s.alerts.rules),
	}
	at := now.UnixMicro()
	for i := range s.tiers {
		t := &s.tiers[i]
		c.Tiers = append(c.Tiers, tierState(t.Every, t.Keep, 0, s.started, t.log.dropped, at))
	}
	for i := range s.tables.tiers {
		t := &s.tables.tiers[i]
		first := s.tables.open.Time
		if len(t.list) > 0 {
			first = t.list[0].time
		}
		c.Tables = append(c.Tables, tierState(t.Every, t.Keep, t.Top, first, t.log.dropped, at))
	}
	for i := range s.resources {
		c.Resources = append(c.Resources, s.resources[i].attributes)
	}
	for _, a := range s.axes {
		c.Axes = append(c.Axes, AxisState{ID: a.id, Interval: a.interval, First: a.times[0] >> 1, Last: a.lastTime()})
	}
	for _, m := range s.metrics {
		if len(m.series) > 0 {
			c.Metrics = append(c.Metrics, m.state())
		}
	}
	return c
}

// Name is that of one life of a store; the numbers of series are of it.
func (s *Store) Name() string { return s.name }

// Size returns how many series there are, and how many bytes of the limit are taken.
func (s *Store) Size() (series int, memory int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byID), s.used()
}

// host is the resource of the processes, or else that of the first series.
func (s *Store) host() int {
	if s.tables.host >= 0 {
		return s.tables.host
	}
	if s.groups.host >= 0 {
		return s.groups.host
	}
	if len(s.metrics) == 0 || len(s.metrics[0].series) == 0 {
		return -1
	}
	return s.metrics[0].series[0].resource
}

// tierState tells from when on a tier is complete. What was dropped to make room is told from what was too old.
func tierState(every, keep time.Duration, top int, started, dropped, now int64) TierState {
	t := TierState{Every: every, Keep: keep, Top: top, From: max(started, dropped), Complete: true}
	if started == 0 {
		t.From = 0
	} else if dropped > now-keep.Microseconds() {
		t.Complete = false
	}
	return t
}

func (m *metric) state() MetricState {
	out := MetricState{
		Name: m.name, Unit: m.unit, ValueUnit: m.valueUnit(), Description: m.description, Kind: m.kind, Keys: slices.Clone(m.keys),
	}
	for _, x := range m.series {
		state := SeriesState{ID: x.id, Resource: x.resource, Axis: x.axis.id, Values: x.texts}
		if x.axis.lastOrdinal()-x.ordinal >= endedAfter {
			state.Ended = x.time
		}
		out.Series = append(out.Series, state)
	}
	return out
}

// Selection names series, by number or by the names of their metrics.
type Selection struct {
	IDs   []uint32
	Names []string
}

// target is a series that is asked for.
type target struct {
	id   uint32
	axis *axis
	kind Kind
}

// resolve returns the series of a selection, each once, by axis.
func (s *Store) resolve(sel Selection) []target {
	var out []target
	seen := map[uint32]bool{}
	add := func(x *series) {
		if !seen[x.id] {
			seen[x.id] = true
			out = append(out, target{x.id, x.axis, x.metric.kind})
		}
	}
	for _, name := range sel.Names {
		for _, m := range s.metrics {
			if m.name == name {
				for _, x := range m.series {
					add(x)
				}
			}
		}
	}
	for _, id := range sel.IDs {
		if x := s.byID[id]; x != nil {
			add(x)
		}
	}
	slices.SortStableFunc(out, func(a, b target) int { return a.axis.id - b.axis.id })
	return out
}

// LiveAxis is the series of an axis that a viewer follows.
type LiveAxis struct {
	ID       int
	Interval int64
	Series   []uint32
}

// Live is what a viewer follows.
type Live struct {
	Store      string
	Generation uint64
	Axes       []LiveAxis
}

// Follow returns the series of a selection by axis.
func (s *Store) Follow(sel Selection) Live {
	s.mu.Lock()
	defer s.mu.Unlock()
	live := Live{Store: s.name, Generation: s.generation}
	for _, t := range s.resolve(sel) {
		if n := len(live.Axes); n == 0 || live.Axes[n-1].ID != t.axis.id {
			live.Axes = append(live.Axes, LiveAxis{ID: t.axis.id, Interval: t.axis.interval})
		}
		last := &live.Axes[len(live.Axes)-1]
		last.Series = append(last.Series, t.id)
	}
	return live
}

// Scrape is the newest samples of the series that a viewer follows on an axis: one value each, three of a distribution, NaN where there is
// none.
type Scrape struct {
	Axis   int // Index in Live.Axes.
	Time   int64
	Values [][]float64
}

// Newest returns the scrapes that are newer than those at the given times, one for each axis, and sets these. Scrapes in between are left
// out. It says, too, how often series have come or gone.
func (s *Store) Newest(live Live, after []int64) (scrapes []Scrape, generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range live.Axes {
		var on *axis
		for _, candidate := range s.axes {
			if candidate.id == a.ID {
				on = candidate
			}
		}
		if on == nil || on.lastTime() <= after[i] {
			continue
		}
		after[i] = on.lastTime()
		scrape := Scrape{Axis: i, Time: after[i]}
		for _, id := range a.Series {
			value := []float64{nan()}
			if x := s.byID[id]; x != nil && x.ordinal == on.lastOrdinal() {
				value = slices.Clone(x.last[:x.metric.values()])
			}
			scrape.Values = append(scrape.Values, value)
		}
		scrapes = append(scrapes, scrape)
	}
	return scrapes, s.generation
}

// Generation grows when series come or go.
func (s *Store) Generation() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.generation
}

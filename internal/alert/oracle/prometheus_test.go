package oracle

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
)

// staleMarker is the value by which Prometheus knows that a series has ended.
var staleMarker = math.Float64frombits(value.StaleNaN)

// number is one sample of a Prometheus series; t is in milliseconds.
type number struct {
	t int64
	v float64
}

func (n number) T() int64                      { return n.t }
func (n number) ST() int64                     { return 0 }
func (n number) F() float64                    { return n.v }
func (n number) H() *histogram.Histogram       { return nil }
func (n number) FH() *histogram.FloatHistogram { return nil }
func (n number) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (n number) Copy() chunks.Sample           { return n }

// memory is a storage of a few series.
type memory struct {
	series []*memorySeries
	byName map[string]*memorySeries
}

type memorySeries struct {
	labels  labels.Labels
	samples []chunks.Sample
}

func (m *memory) append(l labels.Labels, at time.Duration, v float64) {
	name := l.String()
	s := m.byName[name]
	if s == nil {
		s = &memorySeries{labels: l}
		if m.byName == nil {
			m.byName = map[string]*memorySeries{}
		}
		m.byName[name] = s
		m.series = append(m.series, s)
	}
	s.samples = append(s.samples, number{at.Milliseconds(), v})
}

func (m *memory) Querier(from, to int64) (storage.Querier, error) {
	return &memoryQuerier{m, from, to}, nil
}

type memoryQuerier struct {
	*memory
	from, to int64
}

func (q *memoryQuerier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var found []storage.Series
	for _, s := range q.series {
		if slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
			continue
		}
		position := func(t int64) int {
			i, _ := slices.BinarySearchFunc(s.samples, t, func(x chunks.Sample, t int64) int { return int(x.T() - t) })
			return i
		}
		if in := s.samples[position(q.from):position(q.to+1)]; len(in) > 0 {
			found = append(found, storage.NewListSeries(s.labels, in))
		}
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &seriesList{found, -1}
}

func (*memoryQuerier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (*memoryQuerier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (*memoryQuerier) Close() error { return nil }

type seriesList struct {
	series []storage.Series
	i      int
}

func (l *seriesList) Next() bool                        { l.i++; return l.i < len(l.series) }
func (l *seriesList) At() storage.Series                { return l.series[l.i] }
func (l *seriesList) Err() error                        { return nil }
func (l *seriesList) Warnings() annotations.Annotations { return nil }

var promParser = parser.NewParser(parser.Options{EnableExtendedRangeSelectors: true})

var engines sync.Map

// promEngine returns the PromQL engine of a lookback; all cases share it.
func promEngine(lookback time.Duration) *promql.Engine {
	if e, ok := engines.Load(lookback); ok {
		return e.(*promql.Engine)
	}
	e, _ := engines.LoadOrStore(lookback, promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: lookback, Parser: promParser,
	}))
	return e.(*promql.Engine)
}

// promLevel is one alerting rule: Prometheus has no ladder, so every level is a rule of its own.
type promLevel struct {
	severity      string
	expr          string
	forDuration   time.Duration
	keepFiringFor time.Duration
	usesState     bool // Expressions look at its ALERTS.
	hidden        bool // It is there for others to look at.
}

// prom runs the rules of one ladder, least severe first.
type prom struct {
	memory memory
	query  promrules.QueryFunc
	rules  []*promrules.AlertingRule
	levels []promLevel
	lasted []map[string]labels.Labels // ALERTS that each rule wrote last.
}

func newProm(tb testing.TB, lookback time.Duration, levels []promLevel) *prom {
	tb.Helper()
	p := &prom{levels: levels}
	p.query = promrules.EngineQueryFunc(promEngine(lookback), &p.memory)
	for _, l := range levels {
		expr, err := promParser.ParseExpr(l.expr)
		require.NoError(tb, err, l.expr)
		p.rules = append(p.rules, promrules.NewAlertingRule(l.severity, expr, l.forDuration, l.keepFiringFor, labels.EmptyLabels(), labels.EmptyLabels(),
			labels.EmptyLabels(), "", l.usesState, promslog.NewNopLogger()))
		p.lasted = append(p.lasted, nil)
	}
	return p
}

// evaluate returns the highest firing severity of every group as of the time.
func (p *prom) evaluate(at time.Duration) (map[string]string, error) {
	firing := map[string]string{}
	for i, rule := range p.rules {
		vector, err := rule.Eval(context.Background(), 0, time.UnixMilli(at.Milliseconds()), p.query, nil, 0)
		if err != nil {
			return nil, fmt.Errorf("evaluating %q: %w", p.levels[i].expr, err)
		}
		if p.levels[i].usesState {
			p.lasted[i] = p.writeState(vector, p.lasted[i], at)
		}
		for _, a := range rule.ActiveAlerts() {
			if a.State == promrules.StateFiring && !p.levels[i].hidden {
				firing[promGroup(a.Labels)] = p.levels[i].severity
			}
		}
	}
	return firing, nil
}

// writeState stores what the rule says of its alerts, and marks as ended what it said before and no longer does.
func (p *prom) writeState(vector promql.Vector, before map[string]labels.Labels, at time.Duration) map[string]labels.Labels {
	now := map[string]labels.Labels{}
	for _, s := range vector {
		now[s.Metric.String()] = s.Metric
		p.memory.append(s.Metric, at, s.F)
	}
	for name, l := range before {
		if _, still := now[name]; !still {
			p.memory.append(l, at, staleMarker)
		}
	}
	return now
}

// promGroup is an alert's labels as text, without its name.
func promGroup(l labels.Labels) string {
	group := l.Map()
	delete(group, model.AlertNameLabel)
	delete(group, "alertstate")
	return groupText(group)
}

func groupText(group map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(group)) {
		fmt.Fprintf(&b, "%s=%q ", k, group[k])
	}
	return strings.TrimSpace(b.String())
}

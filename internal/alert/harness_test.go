package alert

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// base is when the tests' virtual time begins.
var base = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(s float64) time.Time { return base.Add(time.Duration(s * 1e9)) }

// rig drives an engine in virtual time; seconds count from base.
type rig struct {
	t      *testing.T
	cfg    rules.Config
	engine *Engine
	metric string
	unit   string
	kind   window.StreamKind
	origin attr.Origin
}

// newRig starts an engine with the given rules and otherwise the defaults, except as edit says.
func newRig(t *testing.T, ruleSet []rules.RuleConfig, edit func(*rules.Config)) *rig {
	t.Helper()
	cfg := rules.DefaultConfig()
	cfg.Rules = ruleSet
	if edit != nil {
		edit(&cfg)
	}
	r := &rig{t: t, cfg: cfg, metric: "m", unit: "1"}
	if len(ruleSet) > 0 {
		r.metric = ruleSet[0].Metric
	}
	r.origin.Resource = []attr.Attr{attr.String("host.name", "db1")}
	r.restart(0)
	return r
}

func (r *rig) restart(s float64) {
	r.t.Helper()
	ruleSet, err := rules.Compile(r.cfg)
	require.NoError(r.t, err)
	r.engine = New(ruleSet, at(s))
}

// point is one sample for observe.
type point struct {
	s       float64 // Event time in seconds.
	v       float64
	attrs   []attr.Attr
	start   float64
	noValue bool
}

// observe feeds points at wall time now and flushes.
func (r *rig) observe(now float64, points ...point) {
	r.t.Helper()
	r.engine.Begin(at(now))
	for _, p := range points {
		m := r.engine.Matcher(r.metric)
		require.NotNil(r.t, m)
		if !m.Select(&r.origin, Stream{Unit: r.unit, Kind: r.kind}) {
			continue
		}
		in := Point{Attributes: p.attrs, Time: at(p.s).UnixNano(), Value: p.v, NoValue: p.noValue}
		if p.start != 0 {
			in.Start = at(p.start).UnixNano()
		}
		m.Observe(&in)
	}
	r.engine.Flush(at(now))
}

// step feeds one value of the plain series and lets time do its work, both at the same moment.
func (r *rig) step(s, v float64) {
	r.t.Helper()
	r.observe(s, point{s: s, v: v})
	r.engine.Evaluate(at(s))
}

// drain takes all events.
func (r *rig) drain() []event.Event {
	events := r.engine.Peek(nil, 1<<20)
	for _, ev := range events {
		r.engine.Ack(ev.Seq)
	}
	return events
}

// transitions drains and returns the transitions as words.
func (r *rig) transitions() []string {
	var out []string
	for _, ev := range r.drain() {
		if ev.Kind != alertschema.KindStateChange {
			out = append(out, ev.Name())
			continue
		}
		word := ev.Transition.String()
		if ev.Transition != alertschema.TransitionResolve {
			word += ":" + ev.Severity
		}
		out = append(out, word)
	}
	return out
}

// disk is attributes of a data point with one mountpoint.
func disk(name string) []attr.Attr { return []attr.Attr{attr.String("mountpoint", name)} }

// ladderRule is a rule with a warning above 80 and a critical above 95.
func ladderRule(edit func(*rules.RuleConfig)) []rules.RuleConfig {
	rc := rules.RuleConfig{Name: "load", Metric: "m", Thresholds: map[string]rules.LevelConfig{
		"warning": {Above: 80}, "critical": {Above: 95},
	}}
	if edit != nil {
		edit(&rc)
	}
	return []rules.RuleConfig{rc}
}

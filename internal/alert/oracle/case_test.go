package oracle

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ruletest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// stream is one input series.
type stream struct {
	metric     string            // The rule's when empty.
	attributes map[string]string // A key that begins with "resource." is the resource's.
	samples    []ruletest.Sample
}

// comparison is one rule on some series.
type comparison struct {
	rule       spec
	streams    []stream
	others     []stream      // Of other metrics.
	interval   time.Duration // Between samples.
	evaluation time.Duration // Between evaluations.
	until      time.Duration
	fired      bool // Set by run: something fired.
}

// difference is the first moment at which the engines disagree.
type difference struct {
	at           time.Duration
	theirs, ours map[string]string // Group to severity.
	problem      string
}

func (d *difference) String() string {
	if d.problem != "" {
		return fmt.Sprintf("at %s: %s", d.at, d.problem)
	}
	return fmt.Sprintf("at %s Prometheus fires %v and we fire %v", d.at, d.theirs, d.ours)
}

// run plays the comparison through both engines. It returns nil when they agree at every evaluation.
func (c *comparison) run(tb testing.TB) *difference {
	tb.Helper()
	rules, err := rules.Compile(c.rule.config())
	if err != nil {
		return &difference{problem: "compiling: " + err.Error()}
	}
	result, err := ruletest.Run(rules, c.test())
	if err != nil {
		return &difference{problem: "running: " + err.Error()}
	}
	p := c.prometheus(tb)
	ours := newReplay(result)
	ours.holdsBack = c.rule.beside == "unless"
	for _, at := range c.times() {
		theirs, err := p.evaluate(at)
		if err != nil {
			return &difference{at: at, problem: err.Error()}
		}
		if problem := ours.advance(at); problem != "" {
			return &difference{at: at, problem: problem}
		}
		if !maps.Equal(theirs, ours.firing) {
			return &difference{at: at, theirs: theirs, ours: maps.Clone(ours.firing)}
		}
		c.fired = c.fired || len(theirs) > 0
	}
	return nil
}

// prometheus returns the reference with all samples in its memory; a query sees no later ones than its own time.
func (c *comparison) prometheus(tb testing.TB) *prom {
	tb.Helper()
	return c.prometheusOf(tb, c.rule.promLevels())
}

// prometheusOf is prometheus with rules of one's own.
func (c *comparison) prometheusOf(tb testing.TB, levels []promLevel) *prom {
	tb.Helper()
	p := newProm(tb, c.rule.lookback, levels)
	for _, s := range slices.Concat(c.streams, c.others) {
		l := map[string]string{model.MetricNameLabel: s.metricName()}
		for k, v := range s.attributes {
			l[promLabel(strings.TrimPrefix(k, "resource."))] = v
		}
		set := labels.FromMap(l)
		for i, x := range s.samples {
			v := x.Value
			switch {
			case x.Missing:
				continue
			case x.Stale, math.IsNaN(v) && c.rule.joinsValues():
				v = staleMarker
			}
			p.memory.append(set, time.Duration(i)*c.interval, v)
		}
	}
	return p
}

// joinsValues tells whether the rule computes one number from several. With Prometheus a NaN spoils it; with us it says
// nothing, like a marker. See TestNaNSpoilsNoWindow.
func (s *spec) joinsValues() bool { return s.windowed() || s.groupAgg != "" }

// times are the moments of evaluation. We evaluate at samples, too, so when they fall between the ticks Prometheus is asked then
// as well.
func (c *comparison) times() []time.Duration {
	var out []time.Duration
	for at := time.Duration(0); at <= c.until; at += c.evaluation {
		out = append(out, at)
	}
	last := out[len(out)-1]
	if c.interval%c.evaluation != 0 {
		for i, x := range c.streams[0].samples {
			if at := time.Duration(i) * c.interval; !x.Missing && at <= last {
				out = append(out, at)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *comparison) test() ruletest.Test {
	t := ruletest.Test{Interval: c.interval, EvaluationInterval: c.evaluation, Until: c.until}
	for _, s := range slices.Concat(c.streams, c.others) {
		t.Series = append(t.Series, ruletest.Series{Series: s.name(), Values: s.values()})
	}
	return t
}

func (s *stream) name() string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(s.attributes)) {
		parts = append(parts, fmt.Sprintf("%s=%q", k, s.attributes[k]))
	}
	return s.metricName() + "{" + strings.Join(parts, ",") + "}"
}

func (s *stream) metricName() string {
	if s.metric == "" {
		return metric
	}
	return s.metric
}

// values is the series in promtool's notation.
func (s *stream) values() string {
	var out []string
	for i := 0; i < len(s.samples); {
		n := 1
		for i+n < len(s.samples) && same(s.samples[i], s.samples[i+n]) {
			n++
		}
		word := sampleText(s.samples[i])
		switch {
		case n == 1 || s.samples[i].Stale:
			out, n = append(out, word), 1
		case s.samples[i].Missing:
			out = append(out, fmt.Sprintf("_x%d", n))
		default:
			out = append(out, fmt.Sprintf("%sx%d", word, n-1))
		}
		i += n
	}
	return strings.Join(out, " ")
}

func same(a, b ruletest.Sample) bool {
	return a == b || math.IsNaN(a.Value) && math.IsNaN(b.Value)
}

func sampleText(s ruletest.Sample) string {
	switch {
	case s.Missing:
		return "_"
	case s.Stale:
		return "stale"
	default:
		return strconv.FormatFloat(s.Value, 'g', -1, 64)
	}
}

// replay follows what our records say, and checks it against what the engine says is active.
type replay struct {
	transitions []ruletest.Transition
	steps       []ruletest.Step
	firing      map[string]string
	holdsBack   bool // What is active may not have been announced.
}

func newReplay(r *ruletest.Result) *replay {
	return &replay{transitions: r.Transitions, steps: r.Steps, firing: map[string]string{}}
}

func (r *replay) advance(at time.Duration) (problem string) {
	for ; len(r.transitions) > 0 && r.transitions[0].At <= at; r.transitions = r.transitions[1:] {
		ev := &r.transitions[0].Event
		if ev.Rule == otherRule {
			continue
		}
		group := ourGroup(ev.Group)
		before, was := r.firing[group]
		switch {
		case ev.Kind != alertschema.KindStateChange:
			return "unexpected record: " + ev.Body
		case ev.Transition == alertschema.TransitionFire && !was:
		case (ev.Transition == alertschema.TransitionEscalate || ev.Transition == alertschema.TransitionDeescalate) && was && before == ev.PreviousSeverity:
		case ev.Transition == alertschema.TransitionResolve && was:
			delete(r.firing, group)
			continue
		default:
			return fmt.Sprintf("%s of {%s} after %q", ev.Transition, group, before)
		}
		r.firing[group] = ev.Severity
	}
	for len(r.steps) > 0 && r.steps[0].At < at {
		r.steps = r.steps[1:]
	}
	if len(r.steps) > 0 && r.steps[0].At == at && !r.holdsBack {
		active := map[string]string{}
		for _, a := range r.steps[0].Firing {
			if a.Rule == otherRule {
				continue
			}
			active[ourGroup(a.Identity)] = a.Severity
		}
		if !maps.Equal(active, r.firing) {
			return fmt.Sprintf("the records say %v, and active are %v", r.firing, active)
		}
	}
	return ""
}

func ourGroup(attrs []attr.Attr) string {
	group := map[string]string{}
	for _, a := range attrs {
		group[promLabel(a.Key)] = a.Value.AsString()
	}
	return groupText(group)
}

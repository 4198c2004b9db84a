package ruletest

import (
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
)

// Series is one input series of a test.
type Series struct {
	// Series names it, as ParseSelector reads.
	Series string
	// Values are its values, one for each interval from time zero on, as ParseValues reads.
	Values string
	// Unit is the metric's unit; it decides what "80%" means.
	Unit string
	// Gauge makes rate and increase take plain differences; otherwise a drop is a counter's reset, as in Prometheus.
	Gauge bool
}

// Test is one run of rules on series.
type Test struct {
	// Start is the time of the first value; the epoch when zero, as promtool's. Rules that go by hours of the week need one.
	Start time.Time
	// Interval is the distance of the series' values.
	Interval time.Duration
	// EvaluationInterval is how often time-driven transitions are looked at; Interval when zero.
	EvaluationInterval time.Duration
	// Until is how long the run lasts; to the last sample when zero.
	Until time.Duration
	// Series are the input.
	Series []Series
}

// Transition is one record that the rules made.
type Transition struct {
	// At is the time since the start at which it was made.
	At time.Duration
	// Event is the record.
	Event event.Event
}

// Step is the state after one evaluation.
type Step struct {
	// At is the time since the start.
	At time.Duration
	// Firing are the firing alerts.
	Firing []alert.ActiveAlert
}

// Result is what a run gave.
type Result struct {
	// Transitions are all records in the order in which they were made.
	Transitions []Transition
	// Steps are the states after each evaluation.
	Steps []Step
}

// FiringAt returns the alerts that were firing at the newest evaluation up to the given time.
func (r *Result) FiringAt(at time.Duration) []alert.ActiveAlert {
	var firing []alert.ActiveAlert
	for _, s := range r.Steps {
		if s.At > at {
			break
		}
		firing = s.Firing
	}
	return firing
}

// maxSteps bounds a run.
const maxSteps = 1_000_000

// input is a parsed series.
type input struct {
	Selector
	samples []Sample
	stream  alert.Stream
}

// Run plays the series to the rules, and evaluates as time goes on.
func Run(rules *rules.Set, test Test) (*Result, error) {
	if test.Interval <= 0 || test.EvaluationInterval < 0 {
		return nil, fmt.Errorf("interval %s must be > 0", test.Interval)
	}
	evaluation := test.EvaluationInterval
	if evaluation == 0 {
		evaluation = test.Interval
	}
	inputs, until, err := parse(test)
	if err != nil {
		return nil, err
	}
	if until/min(evaluation, test.Interval) > maxSteps {
		return nil, fmt.Errorf("a run of %s at %s is too long", until, evaluation)
	}
	start := test.Start
	if start.IsZero() {
		start = time.Unix(0, 0)
	}
	p := player{engine: alert.New(rules, start), start: start, result: &Result{}}
	next := time.Duration(0)
	for at := time.Duration(0); at <= until; at += evaluation {
		for ; next <= at; next += test.Interval {
			p.feed(inputs, next, int(next/test.Interval))
		}
		p.engine.Evaluate(start.Add(at))
		p.collect(at)
		p.result.Steps = append(p.result.Steps, Step{At: at, Firing: p.engine.Active()})
	}
	return p.result, nil
}

func parse(test Test) (inputs []input, until time.Duration, err error) {
	until = test.Until
	for _, s := range test.Series {
		in := input{stream: alert.Stream{Unit: s.Unit, Kind: window.CumulativeCounter}}
		if s.Gauge {
			in.stream.Kind = window.Gauge
		}
		if in.Selector, err = ParseSelector(s.Series); err != nil {
			return nil, 0, err
		}
		if in.samples, err = ParseValues(s.Values); err != nil {
			return nil, 0, fmt.Errorf("series %q: %w", s.Series, err)
		}
		inputs = append(inputs, in)
		if test.Until == 0 {
			until = max(until, time.Duration(len(in.samples)-1)*test.Interval)
		}
	}
	return inputs, until, nil
}

// player feeds an engine and gathers what it says.
type player struct {
	engine *alert.Engine
	start  time.Time
	result *Result
}

// feed hands the engine the i-th value of every series.
func (p *player) feed(inputs []input, at time.Duration, i int) {
	now := p.start.Add(at)
	p.engine.Begin(now)
	for k := range inputs {
		in := &inputs[k]
		if i >= len(in.samples) || in.samples[i].Missing {
			continue
		}
		m := p.engine.Matcher(in.Metric)
		if m == nil || !m.Select(&attr.Origin{Resource: in.Resource, Scope: in.Scope}, in.stream) {
			continue
		}
		s := in.samples[i]
		m.Observe(&alert.Point{Attributes: in.Attributes, Time: now.UnixNano(), Value: s.Value, NoValue: s.Stale})
	}
	p.engine.Flush(now)
	p.collect(at)
}

func (p *player) collect(at time.Duration) {
	for _, ev := range p.engine.Peek(nil, p.engine.Pending()) {
		p.result.Transitions = append(p.result.Transitions, Transition{At: at, Event: ev})
		p.engine.Ack(ev.Seq)
	}
}

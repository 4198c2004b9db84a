package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ruletest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"
)

// testFile is a file of rule tests: the settings of an alert component, or where to find them, and tests.
type testFile struct {
	config *alertpipe.Config // What is not below.

	// CollectorConfig is a Collector configuration whose alert component is tested; Component names it when there are several.
	CollectorConfig string `mapstructure:"collector_config"`
	Component       string `mapstructure:"component"`
	// Tests are independent of each other.
	Tests []testCase `mapstructure:"tests"`
}

// testCase is input and what is expected of it.
type testCase struct {
	Name string `mapstructure:"name"`
	// StartTimestamp is the time of the first values, RFC 3339 or seconds since the epoch; the epoch when absent, as promtool's.
	StartTimestamp string       `mapstructure:"start_timestamp"`
	Interval       string       `mapstructure:"interval"`
	InputSeries    []testSeries `mapstructure:"input_series"`
	// AlertRuleTest says what fires at moments; Transitions, when it is there, all that happens.
	AlertRuleTest []alertTest          `mapstructure:"alert_rule_test"`
	Transitions   []expectedTransition `mapstructure:"transitions"`
}

// testSeries is one input series. Unit and Gauge are ours; promtool knows neither.
type testSeries struct {
	Series string `mapstructure:"series"`
	Values string `mapstructure:"values"`
	Unit   string `mapstructure:"unit"`
	Gauge  bool   `mapstructure:"gauge"`
}

// alertTest is which alerts of a rule fire at a moment.
type alertTest struct {
	EvalTime  string          `mapstructure:"eval_time"`
	AlertName string          `mapstructure:"alertname"`
	ExpAlerts []expectedAlert `mapstructure:"exp_alerts"`
}

// expectedAlert is one firing alert. ExpLabels and Attributes are two words for the same: the group's attributes and the rule's
// labels. What is empty and was not asked about is not compared, except for the attributes, which are all there.
type expectedAlert struct {
	Severity       string            `mapstructure:"severity"`
	ExpLabels      map[string]string `mapstructure:"exp_labels"`
	Attributes     map[string]string `mapstructure:"attributes"`
	ExpAnnotations map[string]string `mapstructure:"exp_annotations"`
	Message        string            `mapstructure:"message"`
}

// expectedTransition is one record. At, AlertName and Transition are compared always, the others if they are given.
type expectedTransition struct {
	At         string            `mapstructure:"at"`
	AlertName  string            `mapstructure:"alertname"`
	Transition string            `mapstructure:"transition"`
	Severity   string            `mapstructure:"severity"`
	Attributes map[string]string `mapstructure:"attributes"`
	Reason     string            `mapstructure:"reason"`
	Message    string            `mapstructure:"message"`
}

// readTestFile reads a test file and compiles the rules that it is about. Paths in it are relative to the file.
func readTestFile(path string) (*testFile, *rules.Set, error) {
	raw, err := readYAML(path)
	if err != nil {
		return nil, nil, err
	}
	file := &testFile{config: alertpipe.DefaultConfig()}
	file.config.EvaluationInterval = time.Minute // As promtool's.
	own := map[string]any{"tests": asText(raw["tests"])}
	delete(raw, "tests")
	for _, key := range []string{"collector_config", "component"} {
		if v, there := raw[key]; there {
			own[key] = v
			delete(raw, key)
		}
	}
	if err := errors.Join(decode(confmap.NewFromStringMap(own), file), decode(confmap.NewFromStringMap(raw), file.config)); err != nil {
		return nil, nil, err
	}
	if len(file.Tests) == 0 {
		return nil, nil, errors.New("no tests")
	}
	relative := func(p string) string {
		if filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(filepath.Dir(path), p)
	}
	config := file.config
	for i, glob := range config.RuleFiles {
		config.RuleFiles[i] = relative(glob)
	}
	if file.CollectorConfig != "" {
		if len(config.Rules) > 0 || len(config.RuleFiles) > 0 || config.HasPreset() {
			return nil, nil, errors.New("collector_config brings its own rules: leave out rules, rule_files and preset")
		}
		if config, err = pickSource(relative(file.CollectorConfig), file.Component); err != nil {
			return nil, nil, fmt.Errorf("collector_config: %w", err)
		}
		if _, given := raw["evaluation_interval"]; !given {
			file.config.EvaluationInterval = config.EvaluationInterval
		}
	}
	rules, err := config.Compile()
	if err != nil {
		return nil, nil, err
	}
	return file, rules, nil
}

// asText turns the numbers of tests into text: 0 is a time, 1 a series of one value, and 7 may be an attribute.
func asText(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, item := range v {
			v[k] = asText(item)
		}
	case []any:
		for i, item := range v {
			v[i] = asText(item)
		}
	case int, uint64, float64:
		return fmt.Sprint(v)
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return v
}

// parseStart reads the time at which a test begins, zero for none.
func parseStart(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1<<33 {
		return time.Unix(0, int64(seconds*1e9)), nil
	}
	start, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return start, fmt.Errorf("start_timestamp: expected RFC 3339 or seconds since the epoch, got %q", text)
	}
	return start, nil
}

// input turns a test into one that the engine can run, long enough for all that is expected.
func (c *testCase) input(evaluation time.Duration) (ruletest.Test, error) {
	t := ruletest.Test{Interval: evaluation, EvaluationInterval: evaluation}
	var err error
	if c.Interval != "" {
		if t.Interval, err = parseSpan(c.Interval); err != nil {
			return t, fmt.Errorf("interval: %w", err)
		}
	}
	if t.Interval <= 0 {
		return t, errors.New("interval must be > 0")
	}
	if t.Start, err = parseStart(c.StartTimestamp); err != nil {
		return t, err
	}
	for i, s := range c.InputSeries {
		t.Series = append(t.Series, ruletest.Series{Series: s.Series, Values: s.Values, Unit: s.Unit, Gauge: s.Gauge})
		samples, err := ruletest.ParseValues(s.Values)
		if err != nil {
			return t, fmt.Errorf("input_series[%d]: %w", i, err)
		}
		t.Until = max(t.Until, time.Duration(len(samples)-1)*t.Interval)
	}
	for i, a := range c.AlertRuleTest {
		at, err := parseSpan(a.EvalTime)
		if err != nil {
			return t, fmt.Errorf("alert_rule_test[%d]: eval_time: %w", i, err)
		}
		t.Until = max(t.Until, at)
	}
	for i, x := range c.Transitions {
		at, err := parseSpan(x.At)
		if err != nil {
			return t, fmt.Errorf("transitions[%d]: at: %w", i, err)
		}
		t.Until = max(t.Until, at)
	}
	return t, nil
}

// spanUnits are the units of promtool's durations, which go on where Go's end.
var spanUnits = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
	"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "y": 365 * 24 * time.Hour,
}

// parseSpan reads a span of time as promtool writes it: 0, 90s, 1h30m, 2m59s999ms, 1d.
func parseSpan(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("a duration has a unit, as in %ss", text)
	}
	var total time.Duration
	rest := text
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 32)
		rest = rest[digits:]
		letters := len(rest) - len(strings.TrimLeft(rest, "mshdwy"))
		unit, known := spanUnits[rest[:letters]]
		if err != nil || !known || n > int64((1<<62-total)/unit) {
			return 0, fmt.Errorf("expected a duration such as 1h30m, got %q", text)
		}
		total += time.Duration(n) * unit
		rest = rest[letters:]
	}
	if text == "" {
		return 0, errors.New("expected a duration such as 1h30m")
	}
	return total, nil
}

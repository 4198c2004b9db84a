package oracle

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ruletest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// above is a plain rule with one level.
func above(bound float64) spec {
	return spec{cmp: "above", scale: 1, lookback: 5 * time.Minute, levels: []ladderLevel{{severity: "warning", lo: bound}}}
}

// written is a comparison of a rule on written series, a value every 15 seconds, evaluated as often. All series belong to one
// group when there are several.
func written(t *testing.T, rule spec, values ...string) *comparison {
	t.Helper()
	c := &comparison{rule: rule, interval: 15 * time.Second, evaluation: 15 * time.Second}
	for i, text := range values {
		samples, err := ruletest.ParseValues(text)
		require.NoError(t, err)
		s := stream{samples: samples}
		if len(values) > 1 {
			s.attributes = map[string]string{"n": fmt.Sprint(i)}
		}
		c.streams = append(c.streams, s)
		c.until = max(c.until, time.Duration(len(samples)-1)*c.interval)
	}
	return c
}

// theirs is what Prometheus says of the only group: its severity, or none, each time that it changes.
func (c *comparison) theirs(t *testing.T) []string {
	t.Helper()
	p := c.prometheus(t)
	var out []string
	last := "none"
	for _, at := range c.times() {
		firing, err := p.evaluate(at)
		require.NoError(t, err)
		require.LessOrEqual(t, len(firing), 1)
		now := "none"
		for _, severity := range firing {
			now = severity
		}
		if now != last {
			out = append(out, fmt.Sprintf("%s %s", at, now))
			last = now
		}
	}
	return out
}

// ours is the same of us, with the states that Prometheus does not have.
func (c *comparison) ours(t *testing.T, edit func(*rules.Config)) []string {
	t.Helper()
	cfg := c.rule.config()
	if edit != nil {
		edit(&cfg)
	}
	rules, err := rules.Compile(cfg)
	require.NoError(t, err)
	result, err := ruletest.Run(rules, c.test())
	require.NoError(t, err)
	var out []string
	for _, tr := range result.Transitions {
		if tr.Event.Rule == otherRule {
			continue
		}
		now := tr.Event.Severity
		switch tr.Event.Transition {
		case alertschema.TransitionResolve:
			now = "none"
		case alertschema.TransitionNoData:
			now = "no_data"
		}
		out = append(out, fmt.Sprintf("%s %s", tr.At, now))
	}
	return out
}

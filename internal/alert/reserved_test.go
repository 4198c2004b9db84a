package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// A silence of a label covers the rules that have it, and not data that calls an attribute so.
func TestAnAttributeOfTheDataIsNoLabelToASilence(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Labels = map[string]string{"team": "dev"} }), func(cfg *rules.Config) {
		cfg.Rules = append(cfg.Rules, rules.RuleConfig{Name: "of sre", Metric: "x", Severity: "info", Threshold: 1, Labels: map[string]string{"team": "sre"}})
		cfg.Silences = []rules.SilenceConfig{{Match: map[string]any{"alert.label.team": "sre"}, From: "2020-01-01T00:00:00Z", To: "2099-01-01T00:00:00Z"}}
	})
	r.origin.Resource = append(r.origin.Resource, attr.String("alert.label.team", "sre"))
	r.observe(0, point{s: 0, v: 90, attrs: []attr.Attr{attr.String("alert.label.team", "sre")}})
	assert.Equal(t, []string{"fire:warning"}, r.transitions())

	r = newRig(t, ladderRule(nil), func(cfg *rules.Config) {
		cfg.Rules = append(cfg.Rules, rules.RuleConfig{Name: "of sre", Metric: "x", Severity: "info", Threshold: 1, Labels: map[string]string{"team": "sre"}})
		cfg.Silences = []rules.SilenceConfig{{Match: map[string]any{"alert.label.team": "sre"}, From: "2020-01-01T00:00:00Z", To: "2099-01-01T00:00:00Z"}}
	})
	r.observe(0, point{s: 0, v: 90, attrs: []attr.Attr{attr.String("alert.label.team", "sre")}})
	assert.Equal(t, []string{"fire:warning"}, r.transitions(), "a rule without labels has none from the data")
}

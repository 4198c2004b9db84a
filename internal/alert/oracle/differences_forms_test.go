package oracle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// With Prometheus a value of now less one that is not known is nothing, so a hole in the past cures an alert of today. With us nothing is
// said while the past is not known: what fires stays, until the policy for missing data applies.
func TestUnknownPastIsNoVerdict(t *testing.T) {
	t.Parallel()
	rule := above(10)
	rule.change, rule.lookback = 4*time.Minute, time.Minute
	c := written(t, rule, "60x3 _x11 60x1 80x31") // Three minutes without samples.
	assert.Equal(t, []string{"4m15s warning", "5m45s none", "7m45s warning", "8m15s none"}, c.theirs(t))
	assert.Equal(t, []string{"4m15s warning", "8m15s none"}, c.ours(t, func(cfg *rules.Config) { cfg.Defaults.NoData = rules.DefaultConfig().Defaults.NoData }))
}

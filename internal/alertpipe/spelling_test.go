package alertpipe

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// decoded reads settings as the Collector does.
func decoded(t *testing.T, text string) (*Config, error) {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	cfg := DefaultConfig()
	return cfg, cfg.Unmarshal(conf)
}

// Weeks and days are durations wherever one stands: as in thresholds, and as Prometheus has them.
func TestDurationsOfDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1d": 24 * time.Hour, "1w": 7 * 24 * time.Hour, "1w2d3h4m": 219*time.Hour + 4*time.Minute, "1.5d": 36 * time.Hour, "90s": 90 * time.Second,
		"24h": 24 * time.Hour, "1d12h": 36 * time.Hour,
	} {
		cfg, err := decoded(t, `
evaluation_interval: `+text+`
defaults: {stale_series_after: `+text+`, no_data: {after: `+text+`}}
silences: [{all: true, cron: "0 0 * * *", duration: `+text+`}]
rules:
  - {name: r, metric: m, lookback: `+text+`, change: {since: `+text+`}, thresholds: {warning: {above: 1, for: `+text+`, keep_firing_for: `+text+`}}}
`)
		require.NoError(t, err, text)
		rule := cfg.Rules[0]
		for _, d := range []time.Duration{
			cfg.EvaluationInterval, cfg.Defaults.StaleSeriesAfter, cfg.Defaults.NoData.After, cfg.Silences[0].Duration, rule.Change.Since,
			*rule.Thresholds["warning"].For, *rule.Thresholds["warning"].KeepFiringFor,
		} {
			assert.Equal(t, want, d, text)
		}
		lookback, err := time.ParseDuration(rule.Lookback)
		require.NoError(t, err)
		assert.Equal(t, want, lookback)
	}
}

// A percentage is a share where shares are asked for, and a bound alone is a level's.
func TestValuesInOtherWords(t *testing.T) {
	t.Parallel()
	cfg, err := decoded(t, `
defaults: {hysteresis: 5 %}
rules:
  - {name: r, metric: m, hysteresis: 10%, forecast: {window: 1d, horizon: 4h, min_coverage: 90%}, thresholds: {warning: 1GiB, critical: {above: 2GiB}}}
  - {name: s, metric: m, hysteresis: 0.1, thresholds: {info: 3}}
`)
	require.NoError(t, err)
	assert.InDelta(t, 0.05, cfg.Defaults.Hysteresis, 1e-15)
	assert.InDelta(t, 0.1, *cfg.Rules[0].Hysteresis, 1e-15)
	assert.InDelta(t, 0.9, *cfg.Rules[0].Forecast.MinCoverage, 1e-15)
	assert.Equal(t, map[string]rules.LevelConfig{"warning": {Above: "1GiB"}, "critical": {Above: "2GiB"}}, cfg.Rules[0].Thresholds)
	assert.InDelta(t, 0.1, *cfg.Rules[1].Hysteresis, 1e-15)
	assert.Equal(t, rules.LevelConfig{Above: 3}, cfg.Rules[1].Thresholds["info"])
}

// What is none of these says what to write.
func TestValuesThatAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{hysteresis: ten}": `rules[0]::hysteresis is "ten": expected a number such as 0.1, or a percentage such as 10%`,
		"{scale: 10%}":      `rules[0]::scale is "10%": expected a number`,
		"{thresholds: {w: {above: 1, for: 1 day}}}": `rules[0]::thresholds::w::for is 1 day: invalid duration: write a number with a unit, as in 90s, 15m or 24h`,
		"{stale_series_after: 1x}":                  `rules[0]::stale_series_after is 1x: invalid duration: write a number with a unit, as in 90s, 15m or 24h`,
	} {
		_, err := decoded(t, "rules: ["+text+"]")
		assert.EqualError(t, err, want, text)
	}
}

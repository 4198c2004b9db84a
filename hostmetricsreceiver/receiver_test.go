package hostmetricsreceiver

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

// TestBothTypesAreTaken makes receivers of both types from the same configuration, and starts and stops them.
func TestBothTypesAreTaken(t *testing.T) {
	var card struct {
		Type           string `yaml:"type"`
		DeprecatedType string `yaml:"deprecated_type"`
	}
	text, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &card))
	factory := NewFactory()
	assert.Equal(t, card.Type, factory.Type().String())
	for _, kind := range []string{card.Type, card.DeprecatedType} {
		cfg := factory.CreateDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(map[string]any{
			"initial_delay": "1h", "scrapers": map[string]any{"cpu": nil, "process": map[string]any{"mute_process_all_errors": true}},
		}).Unmarshal(cfg))
		require.NoError(t, confmap.Validate(cfg))
		assert.Equal(t, "hostmetrics", cfg.(*psutilreceiver.Config).Compat)
		set := receivertest.NewNopSettings(component.MustNewType(kind))
		metrics, err := factory.CreateMetrics(t.Context(), set, cfg, consumertest.NewNop())
		require.NoError(t, err, kind)
		logs, err := factory.CreateLogs(t.Context(), set, cfg, consumertest.NewNop())
		require.NoError(t, err, kind)
		for _, r := range []component.Component{metrics, logs} {
			require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
			require.NoError(t, r.Shutdown(t.Context()))
		}
	}
}

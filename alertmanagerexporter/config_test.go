package alertmanagerexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

func TestConfig(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"endpoint": "https://am.example/prefix", "timeout": "5s", "headers": map[string]any{"X-Scope-OrgID": "ops"},
		"tls": map[string]any{"insecure_skip_verify": true}, "sending_queue": map[string]any{"queue_size": 10},
		"retry_on_failure": map[string]any{"max_elapsed_time": "1m"}, "resend_interval": "30s", "expire_after": "24h",
		"storage": "file_storage/alerts", "labels": map[string]any{"cluster": "eu1"}, "resource_attributes": []any{"host.name"},
		"generator_url": "https://dashboards.example/",
	}).Unmarshal(cfg))
	require.NoError(t, cfg.Validate())
	assert.Equal(t, "https://am.example/prefix", cfg.ClientConfig.Endpoint)
	assert.Equal(t, 5*time.Second, cfg.ClientConfig.Timeout)
	assert.EqualValues(t, 10, cfg.QueueConfig.Get().QueueSize)
	assert.Equal(t, time.Minute, cfg.RetryConfig.MaxElapsedTime)
	assert.Equal(t, 30*time.Second, cfg.ResendInterval)
	assert.Equal(t, 24*time.Hour, cfg.ExpireAfter)
	assert.Equal(t, component.MustNewIDWithName("file_storage", "alerts"), *cfg.Storage)
	assert.Equal(t, map[string]string{"cluster": "eu1"}, cfg.Labels)
	assert.Equal(t, []string{"host.name"}, cfg.ResourceAttributes)
}

// A dump of the configuration has no password, and is the configuration in all else.
func TestADumpHasNoSecrets(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint, cfg.ClientConfig.ProxyURL = "https://ops:s3cret@am.example/x?key=s3cret", "http://ops:s3cret@proxy.example:3128"
	conf := confmap.New()
	require.NoError(t, conf.Marshal(map[string]any{"alertmanager": cfg}))
	conf, err := conf.Sub("alertmanager")
	require.NoError(t, err)
	assert.Equal(t, "https://xxxxx@am.example/x?xxxxx", conf.Get("endpoint"))
	assert.Equal(t, "http://xxxxx@proxy.example:3128", conf.Get("proxy_url"))
	assert.Contains(t, cfg.ClientConfig.Endpoint, "s3cret")
	again := createDefaultConfig().(*Config)
	require.NoError(t, conf.Unmarshal(again))
	again.ClientConfig.Endpoint, again.ClientConfig.ProxyURL = cfg.ClientConfig.Endpoint, cfg.ClientConfig.ProxyURL
	assert.Equal(t, cfg.ResendInterval, again.ResendInterval)
	assert.Equal(t, cfg.RetryConfig, again.RetryConfig)
}

func TestConfigMistakes(t *testing.T) {
	for _, tt := range []struct {
		key   string
		value any
		want  string
	}{
		{"endpoint", "", "endpoint is required, such as http://localhost:9093"},
		{"endpoint", "localhost:9093", `endpoint: "localhost:9093" is not a URL such as http://localhost:9093`},
		{"endpoint", "http://localhost:9093/api/v2/alerts", "endpoint: leave out /api/v2/alerts, it is added"},
		{"compression", "gzip", "compression: Alertmanager reads no compressed requests"},
		{"timeout", "0s", "timeout must be positive"},
		{"resend_interval", "999ms", "resend_interval must be at least 1s"},
		{"expire_after", "30s", "expire_after must be 0 or at least resend_interval"},
		{"labels", map[string]any{"host.name": "x"}, `labels: "host.name" is not a label name: letters, digits and _, no digit first`},
		{"labels", map[string]any{"severity": "x"}, `labels: "severity" is set by the exporter`},
		{"endpoint", "ops:s3cret@am.example:9093", `endpoint: "xxxxx@am.example:9093" is not a URL`},
		{"endpoint", "https://ops:s3/cret@am.example", `endpoint: "https://xxxxx@am.example" is not a URL`},
		{"generator_url", "https//ops:s3cret@dashboards", `generator_url: "xxxxx@dashboards" is not a URL`},
		{"generator_url", "dashboards", `generator_url: "dashboards" is not a URL such as https://dashboards.example/alerts`},
	} {
		t.Run(tt.want, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			settings := map[string]any{"endpoint": "http://localhost:9093"}
			settings[tt.key] = tt.value
			require.NoError(t, confmap.NewFromStringMap(settings).Unmarshal(cfg))
			assert.ErrorContains(t, cfg.Validate(), tt.want)
		})
	}
}

package hostpageexporter

import (
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/webclient"
)

// Marshal writes the configuration for a dump of it, without secrets in URLs. Other secrets are strings that write themselves as redacted.
func (c Config) Marshal(conf *confmap.Conf) error {
	type plain Config // Without this method.
	shown := plain(c)
	if client := c.CollectorMetrics.Get(); client != nil {
		redacted := *client
		redacted.Endpoint, redacted.ProxyURL = webclient.Redact(client.Endpoint), webclient.Redact(client.ProxyURL)
		shown.CollectorMetrics = configoptional.Some(redacted)
	}
	return conf.Marshal(shown)
}

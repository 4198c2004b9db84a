package alertmanagerexporter

import (
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/webclient"
)

// Marshal writes the configuration for a dump of it, without secrets in URLs. Other secrets are strings that write themselves as redacted.
func (c Config) Marshal(conf *confmap.Conf) error {
	type plain Config // Without this method.
	shown := plain(c)
	shown.ClientConfig.Endpoint = webclient.Redact(c.ClientConfig.Endpoint)
	shown.ClientConfig.ProxyURL = webclient.Redact(c.ClientConfig.ProxyURL)
	return conf.Marshal(shown)
}

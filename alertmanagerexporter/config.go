package alertmanagerexporter

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
	"github.com/otelcol-psutil/otelcol-psutil/internal/webclient"
)

// Config is the configuration of the exporter.
type Config struct {
	// ClientConfig says how to reach Alertmanager. Its endpoint is the base URL, without /api/v2/alerts.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`

	// ResendInterval is how often active alerts are sent again. Each is sent with an end four intervals ahead.
	ResendInterval time.Duration `mapstructure:"resend_interval"`
	// ExpireAfter ends an alert of which no record has come for so long; 0 never does.
	ExpireAfter time.Duration `mapstructure:"expire_after"`
	// Storage is the ID of a storage extension that keeps the active alerts over a restart.
	Storage *component.ID `mapstructure:"storage"`

	// AcceptExternalRecords takes alert records that the engine of this process did not make, as those of agents' engines at a gateway.
	AcceptExternalRecords bool `mapstructure:"accept_external_records"`

	// Labels are added to every alert; those that come from the record are not overwritten.
	Labels map[string]string `mapstructure:"labels"`
	// ResourceAttributes are the resource attributes that become labels. Empty: those that identify the resource.
	ResourceAttributes []string `mapstructure:"resource_attributes"`
	// GeneratorURL is where Alertmanager's link "Source" leads.
	GeneratorURL string `mapstructure:"generator_url"`
}

const (
	alertsPath        = "/api/v2/alerts"
	minResendInterval = time.Second
	// lifetimes is how many resend intervals an alert lasts in Alertmanager without being sent again: three may be lost.
	lifetimes = 4
)

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 10 * time.Second
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.NumConsumers = 1 // Requests go one by one in any case.
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0 // To give up would free nothing: the table holds the alert, and sends it again and again.
	return &Config{
		ClientConfig: client, QueueConfig: configoptional.Some(queue), RetryConfig: retry, ResendInterval: time.Minute,
	}
}

// Unmarshal decodes the configuration, and refuses durations without a unit.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := confkeys.CheckDurations(conf, c); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

// Validate finds what is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	if err := validEndpoint(c.ClientConfig.Endpoint); err != nil {
		errs = append(errs, err)
	}
	if c.ClientConfig.Compression.IsCompressed() {
		errs = append(errs, errors.New("compression: Alertmanager reads no compressed requests"))
	}
	if c.ClientConfig.Timeout <= 0 {
		errs = append(errs, errors.New("timeout must be positive"))
	}
	if c.ResendInterval < minResendInterval {
		errs = append(errs, fmt.Errorf("resend_interval must be at least %s", minResendInterval))
	}
	if c.ExpireAfter != 0 && c.ExpireAfter < c.ResendInterval {
		errs = append(errs, errors.New("expire_after must be 0 or at least resend_interval"))
	}
	for _, name := range sortedKeys(c.Labels) {
		if name != labelName(name) {
			errs = append(errs, fmt.Errorf("labels: %q is not a label name: letters, digits and _, no digit first", name))
		} else if slices.Contains(ownLabels, name) {
			errs = append(errs, fmt.Errorf("labels: %q is set by the exporter", name))
		}
	}
	if u, err := url.Parse(c.GeneratorURL); c.GeneratorURL != "" && (err != nil || u.Scheme == "" || u.Host == "") {
		errs = append(errs, fmt.Errorf("generator_url: %q is not a URL such as https://dashboards.example/alerts",
			webclient.Redact(c.GeneratorURL)))
	}
	return errors.Join(errs...)
}

// longestDelay is how long the exporter waits before it tries again, whatever Alertmanager says: no longer than it would without being told.
func (c *Config) longestDelay() time.Duration {
	if c.RetryConfig.MaxInterval > 0 {
		return min(c.RetryConfig.MaxInterval, c.ResendInterval)
	}
	return c.ResendInterval
}

func validEndpoint(endpoint string) error {
	if endpoint == "" {
		return errors.New("endpoint is required, such as http://localhost:9093")
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Errorf("endpoint: %q is not a URL such as http://localhost:9093", webclient.Redact(endpoint))
	case strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), alertsPath):
		return fmt.Errorf("endpoint: leave out %s, it is added", alertsPath)
	default:
		return nil
	}
}

package notifyexporter

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
)

// Config is the configuration of the exporter.
type Config struct {
	// Channels are the ways on which people are told, by name.
	Channels map[string]ChannelConfig `mapstructure:"channels"`

	// Storage is the ID of a storage extension that keeps what is still to be told, and what was told, over a restart.
	Storage *component.ID `mapstructure:"storage"`

	// GroupBy are the keys whose values alerts of one message have in common: attributes of the resource or the group, labels of the rule, and
	// alert.rule.name, alert.severity, alert.id. Empty puts all together.
	GroupBy []string `mapstructure:"group_by"`
	// GroupWait is how long the first news of a group waits for others that belong into the same message.
	GroupWait time.Duration `mapstructure:"group_wait"`
	// MessagesPerMinute bounds the messages of a channel. What is due beyond them is told in one message.
	MessagesPerMinute int `mapstructure:"messages_per_minute"`
	// RepeatInterval is after how long an alert that is still firing is told again; 0 never does.
	RepeatInterval time.Duration `mapstructure:"repeat_interval"`

	// PageURL is the address of a host page; messages have a link to the moment of the alert. {host.name} and other attributes are filled in.
	PageURL string `mapstructure:"page_url"`
	// TimeZone is the one of times in messages: a name of the IANA database, or Local for the system's. Absent: UTC.
	TimeZone string `mapstructure:"time_zone"`

	// RetryConfig says how often a channel that fails is tried again. Messages are not given up.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// AllowExec lets channels run commands.
	AllowExec bool `mapstructure:"allow_exec"`
	// AcceptExternalRecords takes alert records that the engine of this process did not make, as those of agents' engines at a gateway.
	AcceptExternalRecords bool `mapstructure:"accept_external_records"`
}

func createDefaultConfig() component.Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxInterval = time.Minute
	retry.MaxElapsedTime = 0
	return &Config{
		GroupBy: []string{"host.name"}, GroupWait: 10 * time.Second, MessagesPerMinute: 10, RetryConfig: retry,
	}
}

// Unmarshal decodes the configuration, and refuses keys that it does not have and durations without a unit.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := confkeys.CheckDurations(conf, c); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

// Validate finds what is wrong with the configuration as a whole. Each channel has a Validate of its own.
func (c *Config) Validate() error {
	var errs []error
	report := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Channels) == 0 {
		report("channels: none is configured: name at least one, as in channels: {mail: {type: email, …}}")
	}
	if c.GroupWait < 0 {
		report("group_wait must not be negative")
	}
	if c.RepeatInterval != 0 && c.RepeatInterval < time.Minute {
		report("repeat_interval must be 0 or at least 1m")
	}
	if c.MessagesPerMinute < 1 {
		report("messages_per_minute must be at least 1")
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		report("time_zone: unknown time zone %q: write a name of the IANA database, as in Europe/Berlin, or UTC or Local", c.TimeZone)
	}
	if c.PageURL != "" {
		u, err := url.Parse(placeholders.ReplaceAllString(c.PageURL, "x"))
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			report("page_url: it is no URL such as http://web1.example:8080/")
		case u.Fragment != "" || u.User != nil:
			report("page_url: leave out what stands behind # and in front of @: everybody who gets a message sees it")
		}
	}
	if !c.RetryConfig.Enabled {
		report("retry_on_failure::enabled: false is not possible: what can't be told now is told later")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Channels)) {
		errs = append(errs, c.validLinks(name)...)
	}
	return errors.Join(errs...)
}

// validLinks finds what is wrong with what one channel says of others.
func (c *Config) validLinks(name string) (errs []error) {
	ch := c.Channels[name]
	if name == "" || len(name) > 64 || strings.ContainsAny(name, "/\x00") {
		errs = append(errs, fmt.Errorf("channels: %q: a name has 1 to 64 bytes and no /", name))
	}
	for key, other := range map[string]string{"fallback": ch.Fallback, "escalate_to": ch.EscalateTo} {
		if other == "" {
			continue
		}
		if _, there := c.Channels[other]; !there {
			errs = append(errs, fmt.Errorf("channels::%s::%s: there is no channel %q (channels: %s)", name, key, other,
				strings.Join(slices.Sorted(maps.Keys(c.Channels)), ", ")))
		} else if other == name {
			errs = append(errs, fmt.Errorf("channels::%s::%s: it names the channel itself", name, key))
		}
	}
	if ch.Type == typeExec && !c.AllowExec {
		errs = append(errs, fmt.Errorf("channels::%s: commands are run only with allow_exec: true of the exporter", name))
	}
	if ch.Standby && !c.isTarget(name) {
		errs = append(errs, fmt.Errorf("channels::%s::standby: no channel has it as fallback or escalate_to, so that nothing is ever told on it", name))
	}
	return errs
}

func (c *Config) isTarget(name string) bool {
	for _, ch := range c.Channels {
		if ch.Fallback == name || ch.EscalateTo == name {
			return true
		}
	}
	return false
}

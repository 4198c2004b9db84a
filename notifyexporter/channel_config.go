package notifyexporter

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
	"github.com/otelcol-psutil/otelcol-psutil/internal/schedule"
)

// ChannelConfig is the configuration of one channel: what all types have, and beside it the keys of its type.
type ChannelConfig struct {
	// Type is the kind of the channel, such as email.
	Type string `mapstructure:"type"`

	// MinSeverity is the least severity that is told: info, warning, error, critical, or a number of OTLP's. Absent: all.
	MinSeverity string `mapstructure:"min_severity"`
	// Match are the alerts that are told: each key is an attribute, label:NAME style keys are written alert.label.NAME, and each value a text or a
	// list of texts, with * for anything. Absent: all.
	Match map[string]any `mapstructure:"match"`
	// Active are the hours in which the channel is used. What fires outside is told when they begin, if it is still firing then.
	Active *schedule.Config `mapstructure:"active"`
	// Standby is a channel on which only is told what others escalate or fail to tell.
	Standby bool `mapstructure:"standby"`
	// SendResolved tells of the end of what was told. Absent: true.
	SendResolved *bool `mapstructure:"send_resolved"`
	// SendAcknowledged tells those who were told of an alert who looks after it. Absent: true.
	SendAcknowledged *bool `mapstructure:"send_acknowledged"`
	// RepeatInterval is that of the exporter for this channel.
	RepeatInterval *time.Duration `mapstructure:"repeat_interval"`

	// EscalateTo is the channel on which is told what is neither resolved nor acknowledged so long after it was told on this one.
	EscalateTo    string        `mapstructure:"escalate_to"`
	EscalateAfter time.Duration `mapstructure:"escalate_after"`
	// Fallback is the channel on which is told what this one has not taken for so long, and that it fails.
	Fallback      string        `mapstructure:"fallback"`
	FallbackAfter time.Duration `mapstructure:"fallback_after"`

	options options
}

// options are the settings of one type of channel.
type options interface {
	// Validate finds what is wrong with them.
	Validate() error
	// open makes what sends messages.
	open(at opening) (sender, error)
}

// types are the types of channels, by name, with their defaults.
var types = map[string]func() options{
	typeEmail: newEmailOptions, typeSlack: newSlackOptions, typeTeams: newTeamsOptions, typeWebhook: newWebhookOptions, typePagerDuty: newPagerDutyOptions,
	typeOpsgenie: newOpsgenieOptions, typeTelegram: newTelegramOptions, typeNtfy: newNtfyOptions, typeMatrix: newMatrixOptions,
	typeDiscord: newDiscordOptions, typeGotify: newGotifyOptions, typePushover: newPushoverOptions, typeSyslog: newSyslogOptions,
	typeJournald: newJournaldOptions, typeExec: newExecOptions,
}

// commonKeys are the keys of ChannelConfig.
var commonKeys = []string{
	"type", "min_severity", "match", "active", "standby", "send_resolved", "send_acknowledged", "repeat_interval", "escalate_to", "escalate_after", "fallback", "fallback_after",
}

// channelKeys is ChannelConfig without its Unmarshal.
type channelKeys ChannelConfig

// Unmarshal decodes the keys that all channels have, and then those of the type.
func (c *ChannelConfig) Unmarshal(conf *confmap.Conf) error {
	if c.EscalateAfter == 0 {
		c.EscalateAfter = 15 * time.Minute
	}
	if c.FallbackAfter == 0 {
		c.FallbackAfter = 5 * time.Minute
	}
	if err := confkeys.CheckDurations(conf, (*channelKeys)(c)); err != nil {
		return err
	}
	// Other than a map of the values, a Conf knows that digits which stood in a variable may be text: a password, for instance.
	if err := conf.Unmarshal((*channelKeys)(c), confmap.WithIgnoreUnused()); err != nil {
		return err
	}
	create, known := types[c.Type]
	if !known {
		return fmt.Errorf("type: %q is not known (types: %s)", c.Type, strings.Join(slices.Sorted(maps.Keys(types)), ", "))
	}
	c.options = create()
	own := confmap.New()
	if err := own.Merge(conf); err != nil {
		return err
	}
	for _, key := range commonKeys {
		own.Delete(key)
	}
	if err := confkeys.CheckDurations(own, c.options); err != nil {
		return err
	}
	return own.Unmarshal(c.options)
}

// Validate finds what is wrong with the channel.
func (c *ChannelConfig) Validate() error {
	var errs []error
	if c.options == nil {
		return errors.New("type is required")
	}
	errs = append(errs, c.options.Validate())
	if _, err := severityNumber(c.MinSeverity); err != nil {
		errs = append(errs, fmt.Errorf("min_severity: %w", err))
	}
	if _, err := compileMatch(c.Match); err != nil {
		errs = append(errs, err)
	}
	if c.Active != nil {
		schedule.Compile("active", c.Active, func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) })
	}
	if c.EscalateAfter < 0 || c.FallbackAfter < 0 {
		errs = append(errs, errors.New("escalate_after and fallback_after must not be negative"))
	}
	if r := c.RepeatInterval; r != nil && *r != 0 && *r < time.Minute {
		errs = append(errs, errors.New("repeat_interval must be 0 or at least 1m"))
	}
	return errors.Join(errs...)
}

// severityNames are the names that min_severity takes, with their number in OTLP.
var severityNames = map[string]int32{"": 0, "info": 9, "warning": 13, "error": 17, "critical": 18, "fatal": 21}

func severityNumber(text string) (int32, error) {
	if n, ok := severityNames[strings.ToLower(text)]; ok {
		return n, nil
	}
	var n int32
	if _, err := fmt.Sscanf(text, "%d", &n); err == nil && n >= 1 && n <= 24 {
		return n, nil
	}
	return 0, fmt.Errorf("%q is not known (info, warning, error, critical, fatal, or a severity number of OTLP from 1 to 24)", text)
}

// matcher tells whether an alert is told on a channel.
type matcher []matchRow

type matchRow struct {
	key     string
	pattern *regexp.Regexp
}

// compileMatch compiles the block match.
func compileMatch(block map[string]any) (matcher, error) {
	var m matcher
	for _, key := range slices.Sorted(maps.Keys(block)) {
		texts, err := textsOf(block[key])
		if err != nil {
			return nil, fmt.Errorf("match::%s: %w", key, err)
		}
		for i, text := range texts {
			texts[i] = strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`)
		}
		pattern, err := regexp.Compile(`(?s)^(?:` + strings.Join(texts, "|") + `)$`)
		if err != nil {
			return nil, fmt.Errorf("match::%s: %w", key, err)
		}
		m = append(m, matchRow{key, pattern})
	}
	return m, nil
}

// textsOf reads a text, a number or a list of them.
func textsOf(v any) ([]string, error) {
	switch x := v.(type) {
	case string:
		return []string{x}, nil
	case int, int64, float64, bool:
		return []string{fmt.Sprint(x)}, nil
	case []any:
		var out []string
		for _, item := range x {
			texts, err := textsOf(item)
			if err != nil {
				return nil, err
			}
			out = append(out, texts...)
		}
		if len(out) == 0 {
			return nil, errors.New("the list is empty, so that nothing is ever told")
		}
		return out, nil
	default:
		return nil, fmt.Errorf("expected text or a list of texts, got %v", v)
	}
}

// holds tells whether all rows match.
func (m matcher) holds(value func(key string) string) bool {
	for _, row := range m {
		if !row.pattern.MatchString(value(row.key)) {
			return false
		}
	}
	return true
}

package rules

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// PresetConfig is a preset with what an operator changes of it. Config.Preset is one, or the name of a preset.
type PresetConfig struct {
	// Host is the preset "host".
	Host *HostPresetConfig `mapstructure:"host"`
}

// HostPresetConfig is what an operator changes of the preset "host".
type HostPresetConfig struct {
	// Disable lists the rules to leave out.
	Disable []string `mapstructure:"disable"`
	// Override has, by the name of a rule, the keys that are other than in the preset. Thresholds are merged by severity, and each level by key; "off"
	// takes a level away. A bound without clear clears as far from it as the preset's. What a level may have and stands beside thresholds, such as
	// for, holds for all levels.
	Override map[string]RuleConfig `mapstructure:"override"`
}

// presetName is the name of the preset, "" for none.
func (c *Config) presetName() string {
	if name, ok := c.Preset.(string); ok {
		return name
	}
	if c.Preset == nil {
		return ""
	}
	return "host"
}

// HasPreset tells whether there are rules of a preset.
func (c *Config) HasPreset() bool { return c.presetName() != "" }

// presetRules returns the rules of the preset, changed as the operator has it, that the operator's own rules do not replace.
func (c *Config) presetRules(report func(string, ...any)) []RuleConfig {
	var changes HostPresetConfig
	switch preset := c.Preset.(type) {
	case nil:
		return nil
	case string:
		if preset == "" {
			return nil
		}
		if preset != "host" {
			report("unknown preset %q %s", preset, suggest.DidYouMean(preset, []string{"host"}))
			return nil
		}
	case PresetConfig:
		if preset.Host != nil {
			changes = *preset.Host
		}
	default:
		report("preset: expected the name of a preset, such as host, or a block, got %v", preset)
		return nil
	}
	all := hostPreset()
	changes.checkNames(all, report)
	var out []RuleConfig
	for _, p := range all {
		if slices.Contains(changes.Disable, p.Name) || slices.ContainsFunc(c.Rules, func(o RuleConfig) bool { return o.Name == p.Name }) {
			continue
		}
		if own, changed := changes.Override[p.Name]; changed {
			var err error
			if p, err = overridden(p, own); err != nil {
				report("preset.host.override.%s: %w", p.Name, err)
				continue
			}
		}
		out = append(out, p)
	}
	return out
}

// checkNames reports names of rules that the preset does not have.
func (h *HostPresetConfig) checkNames(all []RuleConfig, report func(string, ...any)) {
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	for i, name := range h.Disable {
		if !slices.Contains(names, name) {
			report("preset.host.disable: there is no rule %q %s", name, suggest.DidYouMean(name, names))
		} else if slices.Contains(h.Disable[:i], name) {
			report("preset.host.disable: %q stands there twice", name)
		}
	}
	for _, name := range sortedKeys(h.Override) {
		if !slices.Contains(names, name) {
			report("preset.host.override: there is no rule %q %s", name, suggest.DidYouMean(name, names))
		} else if slices.Contains(h.Disable, name) {
			report("preset.host.override.%s: the rule is disabled", name)
		}
	}
}

// PresetRule is what documentation and tests ask of a rule of a preset.
type PresetRule struct {
	// Name is the rule's, Runbook where what to do stands, under docs/alerts.
	Name, Runbook string
	// Severities are its levels, and Messages their templates.
	Severities, Messages []string
}

// PresetHostRules lists the rules of the preset "host".
func PresetHostRules() []PresetRule {
	var out []PresetRule
	for _, rc := range hostPreset() {
		r := PresetRule{
			Name: rc.Name, Runbook: strings.TrimPrefix(rc.Annotations[runbookAnnotation], runbookPlace), Severities: slices.Sorted(maps.Keys(rc.Thresholds)),
		}
		for _, severity := range r.Severities {
			r.Messages = append(r.Messages, rc.Thresholds[severity].Message)
		}
		out = append(out, r)
	}
	return out
}

const (
	runbookAnnotation = "runbook"
	runbookPlace      = "https://github.com/otelcol-psutil/otelcol-psutil/blob/main/docs/alerts/"
)

// hostPreset is the preset "host": ladders on the metrics of the psutil receiver, or of hostmetricsreceiver.
func hostPreset() []RuleConfig {
	var out []RuleConfig
	for _, part := range []struct {
		page  string
		rules []RuleConfig
	}{
		{"cpu.md", cpuPreset()},
		{"memory.md", memoryPreset()},
		{"disk.md", slices.Concat(diskPreset(), diskHealthPreset())},
		{"network.md", networkPreset()},
		{"system.md", systemPreset()},
		{"hardware.md", hardwarePreset()},
		{"services.md", servicePreset()},
	} {
		for _, rc := range part.rules {
			rc.ofPreset, rc.eitherForm = true, true
			rc.Annotations = map[string]string{runbookAnnotation: runbookPlace + part.page + "#" + rc.Name}
			out = append(out, rc)
		}
	}
	return out
}

// onHost names the host in a message; mount, device, port and unit what the alert is about.
const (
	onHost = `{{ with .Resource "host.name" }} on {{ . }}{{ end }}`
	mount  = `{{ with .Attr "system.filesystem.mountpoint" }} {{ . }}{{ end }}`
	device = `{{ with .Attr "system.device" }} {{ . }}{{ end }}`
	port   = `{{ with .Attr "network.interface.name" }} {{ . }}{{ end }}`
	sensor = `{{ with .Attr "hw.name" }} {{ . }}{{ end }}`
	unitIs = `{{ with .Resource "systemd.unit.name" }} {{ . }}{{ end }}`
)

// valued is a message: what it is about, on which host, and its value between two texts.
func valued(about, before, after string) string {
	if after != "" {
		after = " " + after
	}
	verb := "have"
	if first, _, _ := strings.Cut(before, " "); strings.HasSuffix(first, "s") { // Is, has, was, reads.
		verb = "has"
	}
	return about + onHost + `{{ with .ValueText }} ` + before + ` {{ . }}` + after + ` ({{ $.Condition }}){{ else }} ` + verb + ` no value{{ end }}`
}

// several is the part of such a message behind its value that says how many of a thing there are.
func several(one, after string) string {
	ending := "s"
	if strings.HasSuffix(one, "s") {
		ending = "es"
	}
	return strings.TrimSpace(one + `{{ if ne . "1" }}` + ending + `{{ end }} ` + after)
}

// is is a message that says that a thing is full, busy or used to its value.
func is(about, adjective string) string { return valued(about, "is", adjective) }

// stated is a message without a value: what is the case while the alert fires, and that it is no more.
func stated(about, fires, ended string) string {
	return about + onHost + ` {{ if eq .State "resolved" }}` + ended + `{{ else }}` + fires + `{{ end }}`
}

// above, below and inside make levels.
func above(bound, clearAt any, span time.Duration) LevelConfig {
	return LevelConfig{Above: bound, Clear: clearAt, For: &span}
}

func below(bound, clearAt any, span time.Duration) LevelConfig {
	return LevelConfig{Below: bound, Clear: clearAt, For: &span}
}

// ladderOf gives levels the message that they share, and the rule the levels. A level without a bound is none.
func ladderOf(rc RuleConfig, message string, warning, critical LevelConfig) RuleConfig {
	rc.Thresholds = map[string]LevelConfig{}
	for severity, level := range map[string]LevelConfig{"warning": warning, "critical": critical} {
		if level.bound() != nil {
			level.Message = message
			rc.Thresholds[severity] = level
		}
	}
	return rc
}

// none is a level that a rule does not have.
var none LevelConfig

// rising makes a rule of how much a counter rises in a window.
func rising(name, metric string, window time.Duration, match map[string]any) RuleConfig {
	return RuleConfig{Name: name, Metric: metric, Match: match, Window: window, Aggregate: "increase", mayMatchNothing: true}
}

// rateOver makes a rule of the rate of a counter over ten minutes.
func rateOver(name, metric string, match map[string]any) RuleConfig {
	return RuleConfig{Name: name, Metric: metric, Match: match, Window: 10 * time.Minute, Aggregate: "rate", mayMatchNothing: true}
}

// newest makes a rule of the newest value.
func newest(name, metric string, match map[string]any) RuleConfig {
	return RuleConfig{Name: name, Metric: metric, Match: match, mayMatchNothing: true}
}

// quotient makes a rule of a ratio.
func quotient(name string, of, to SelectorConfig, groupBy ...string) RuleConfig {
	return RuleConfig{
		Name: name, Ratio: &RatioConfig{Numerator: of, Denominator: to}, GroupBy: append([]string{"resource"}, groupBy...), mayMatchNothing: true,
	}
}

// anyOf is a match of one of several values.
func anyOf(values ...any) map[string]any { return map[string]any{"in": values} }

package rules

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
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

// presetOwn are the keys that make a rule of the preset what it is.
var presetOwn = []string{"name", "metric", "statistic", "ratio", "absent", "scale", "offset", "group_by", "group_aggregate"}

// overridden is a rule of the preset with the keys that the operator has set.
func overridden(preset, own RuleConfig) (RuleConfig, error) {
	out := preset
	from, to := reflect.ValueOf(&own).Elem(), reflect.ValueOf(&out).Elem()
	for i := range from.NumField() {
		field := from.Type().Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		if !field.IsExported() || from.Field(i).IsZero() || slices.Contains([]string{"threshold", "severity", "thresholds", ""}, key) {
			continue
		}
		if slices.Contains(presetOwn, key) {
			return preset, fmt.Errorf("%s is not to be changed: a rule of the name %q under rules replaces that of the preset", key, preset.Name)
		}
		to.Field(i).Set(mergedValue(to.Field(i), from.Field(i)))
	}
	own.Thresholds = maps.Clone(own.Thresholds)
	if err := own.spreadFlat(slices.Sorted(maps.Keys(preset.Thresholds))); err != nil {
		return preset, err
	}
	out.Thresholds = maps.Clone(preset.Thresholds)
	for _, severity := range sortedKeys(out.Thresholds) { // What stands beside the thresholds is of all of them.
		level, common := out.Thresholds[severity], own.LevelConfig
		common.Above, common.Below, common.Outside, common.Inside, common.Clear = nil, nil, nil, nil, nil
		if err := level.override(common); err != nil {
			return preset, err
		}
		out.Thresholds[severity] = level
	}
	for _, severity := range sortedKeys(own.Thresholds) {
		change := own.Thresholds[severity]
		if isOff(change.Above) {
			if _, there := out.Thresholds[severity]; !there {
				return preset, fmt.Errorf("thresholds: the rule has no level %q %s", severity, suggest.DidYouMean(severity, sortedKeys(preset.Thresholds)))
			}
			delete(out.Thresholds, severity)
			continue
		}
		level := out.Thresholds[severity]
		if err := level.override(change); err != nil {
			return preset, fmt.Errorf("thresholds.%s: %w", severity, err)
		}
		out.Thresholds[severity] = level
	}
	if len(out.Thresholds) == 0 {
		return preset, fmt.Errorf("all levels are off: write %s under disable", preset.Name)
	}
	return out, nil
}

// mergedValue is what an operator has set in place of the preset's; of maps each key is.
func mergedValue(preset, own reflect.Value) reflect.Value {
	if own.Kind() != reflect.Map || preset.IsNil() {
		return own
	}
	merged := reflect.MakeMap(own.Type())
	for _, m := range []reflect.Value{preset, own} {
		for _, k := range m.MapKeys() {
			merged.SetMapIndex(k, m.MapIndex(k))
		}
	}
	return merged
}

// spreadFlat makes a level of the flat form, of the severity that it names or of the only one that there is.
func (rc *RuleConfig) spreadFlat(severities []string) error {
	flat := LevelConfig{Above: rc.Above, Below: rc.Below, Outside: rc.Outside, Inside: rc.Inside, Clear: rc.Clear}
	if rc.Threshold != nil {
		if flat.Above != nil {
			return errors.New(`both "threshold" and "above": use one of them`)
		}
		flat.Above = rc.Threshold
	}
	if reflect.ValueOf(flat).IsZero() {
		if rc.Severity != "" {
			return errors.New(`severity goes with a bound: write {threshold, severity}, or thresholds`)
		}
		return nil
	}
	severity := rc.Severity
	if severity == "" {
		if len(severities) > 1 {
			return fmt.Errorf("of which level is the bound? Write thresholds: {%s: …}", severities[0])
		}
		severity = severities[0]
	}
	if _, there := rc.Thresholds[severity]; there {
		return fmt.Errorf("%s has a bound twice, in thresholds and beside it", severity)
	}
	if rc.Thresholds == nil {
		rc.Thresholds = map[string]LevelConfig{}
	}
	rc.Thresholds[severity] = flat
	return nil
}

// override sets what a change has. Another bound takes the place of the old one, and clears as far from it if it says nothing else.
func (l *LevelConfig) override(change LevelConfig) error {
	if bound := change.bound(); bound != nil {
		before := *l
		l.Above, l.Below, l.Outside, l.Inside, l.Clear = change.Above, change.Below, change.Outside, change.Inside, nil
		if change.Clear == nil && before.Clear != nil {
			var err error
			if l.Clear, err = movedClear(before, *l); err != nil {
				return err
			}
		}
	}
	if change.Clear != nil {
		l.Clear = change.Clear
	}
	if change.For != nil {
		l.For, l.ForSamples = change.For, nil
	}
	if change.ForSamples != nil {
		l.For, l.ForSamples = nil, change.ForSamples
	}
	if change.KeepFiringFor != nil {
		l.KeepFiringFor = change.KeepFiringFor
	}
	if change.Horizon != 0 {
		l.Horizon = change.Horizon
	}
	if change.Message != "" {
		l.Message = change.Message
	}
	return nil
}

// bound is the level's bound, whichever it is, or nil.
func (l *LevelConfig) bound() any {
	for _, b := range []any{l.Above, l.Below, l.Outside, l.Inside} {
		if b != nil {
			return b
		}
	}
	return nil
}

// movedClear is a clear bound as far from the new bound as it was from the old one.
func movedClear(before, now LevelConfig) (any, error) {
	tell := fmt.Errorf("write clear, too: the preset's, %v, is at no known distance from %v", before.Clear, now.bound())
	if (before.Above == nil) != (now.Above == nil) || (before.Below == nil) != (now.Below == nil) {
		return nil, tell
	}
	if old, now := fmt.Sprint(before.bound()), fmt.Sprint(now.bound()); strings.HasSuffix(old, "%") && !strings.HasSuffix(now, "%") {
		tell = fmt.Errorf("write clear, too, or the unit: the preset's bound is %s, and %s has no %%", old, now)
	}
	var numbers [3]Quantity
	for i, v := range []any{before.bound(), before.Clear, now.bound()} {
		q, err := parseQuantity(v)
		if err != nil || q.Unit != UnitBare && q.Unit != UnitPercent || !q.sameUnit(numbers[0]) && i > 0 {
			return nil, tell
		}
		numbers[i] = q
	}
	clearAt := numbers[2].Number + numbers[1].Number - numbers[0].Number
	if now.Above != nil {
		clearAt = max(clearAt, 0) // Shares, counts and times are never less.
	}
	if numbers[0].Unit == UnitPercent {
		return floatText(clearAt) + "%", nil
	}
	return clearAt, nil
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
	return about + onHost + `{{ with .ValueText }} ` + before + ` {{ . }}` + after + ` ({{ $.Condition }}){{ else }} has no value{{ end }}`
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

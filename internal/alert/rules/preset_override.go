package rules

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

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

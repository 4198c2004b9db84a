package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// presetRules returns the rules of a preset that the operator's own rules do not replace.
func presetRules(name string, own []RuleConfig) ([]RuleConfig, error) {
	switch name {
	case "":
		return nil, nil
	case "host":
		return slices.DeleteFunc(hostPreset(), func(p RuleConfig) bool {
			return slices.ContainsFunc(own, func(o RuleConfig) bool { return o.Name == p.Name })
		}), nil
	default:
		return nil, fmt.Errorf("unknown preset %q %s", name, suggest.DidYouMean(name, []string{"host"}))
	}
}

// hostPreset is the preset "host": seven levels in four ladders, on the metrics of the psutil receiver, or of hostmetricsreceiver.
//
//	cpu     warning above 80 % (clears at 70 %), critical above 95 % (clears at 85 %)
//	memory  warning above 85 % (clears at 80 %), critical above 95 % (clears at 90 %)
//	disk    warning above 85 % (clears at 80 %), critical above 95 % (clears at 90 %)
//	swap    warning above 50 % (clears at 40 %)
//
// CPU moves fast, so its hysteresis is ten points; memory and disk move slowly, and five points keep them from
// ringing without holding a cured alert open. CPU is one minus the mean share of all CPUs that is idle, waiting for I/O or not, as top has it. The share of a disk is that of the blocks that are not
// reserved for root, as df has it: of all blocks it could not reach 95 % on an ext4 that is full.
func hostPreset() []RuleConfig {
	minusOne := -1.0
	level := func(rule RuleConfig, severity, threshold, clearAt, message string) RuleConfig {
		rule.Severity, rule.Threshold, rule.Clear, rule.Message = severity, threshold, clearAt, message
		rule.eitherForm = true
		return rule
	}
	cpu := RuleConfig{
		Name: "cpu", Metric: "system.cpu.utilization", Match: map[string]any{"cpu.mode": "idle"},
		addends: map[string]any{"cpu.mode": map[string]any{"in": []any{"idle", "iowait"}}},
		Scale:   &minusOne, Offset: 1, GroupAggregate: "avg",
	}
	memory := RuleConfig{
		Name: "memory", Metric: "system.memory.utilization", Match: map[string]any{"system.memory.state": "used"},
	}
	blocks := func(state any) SelectorConfig {
		return SelectorConfig{Metric: "system.filesystem.usage", Match: map[string]any{"system.filesystem.state": state}}
	}
	// The values of one disk may come in two batches, and the first alone would make the disk full.
	delay := time.Second
	disk := RuleConfig{
		Name: "disk", NewSeriesDelay: &delay, Ratio: &RatioConfig{Numerator: blocks("used"), Denominator: blocks(map[string]any{"in": []any{"used", "free"}})},
		GroupBy: []string{"resource", "system.device", "system.filesystem.mountpoint", "system.filesystem.type"},
	}
	swap := RuleConfig{
		Name: "swap", Metric: "system.paging.utilization", Match: map[string]any{"system.paging.state": "used"},
		mayMatchNothing: true,
	}
	const host = `{{ with .Resource "host.name" }} on {{ . }}{{ end }}`
	is := func(adjective string) string {
		return host + `{{ with .ValueText }} is {{ . }} ` + adjective + ` ({{ $.Condition }}){{ else }} has no value{{ end }}`
	}
	cpuText, memoryText, swapText := `CPU`+is("busy"), `memory`+is("used"), `swap`+is("used")
	diskText := `disk{{ with .Attr "system.filesystem.mountpoint" }} {{ . }}{{ end }}` + is("full")
	return []RuleConfig{
		level(cpu, "warning", "80%", "70%", cpuText),
		level(cpu, "critical", "95%", "85%", cpuText),
		level(memory, "warning", "85%", "80%", memoryText),
		level(memory, "critical", "95%", "90%", memoryText),
		level(disk, "warning", "85%", "80%", diskText),
		level(disk, "critical", "95%", "90%", diskText),
		level(swap, "warning", "50%", "40%", swapText),
	}
}

package rules

import "time"

// servicePreset are the preset's rules about units of systemd and about control groups, which are services and containers.
func servicePreset() []RuleConfig {
	ofUnit := func(rc RuleConfig) RuleConfig {
		rc.GroupBy = []string{"resource", "resource.systemd.unit.name"}
		return rc
	}
	ofGroup := func(rc RuleConfig) RuleConfig {
		rc.GroupBy = []string{"resource", "resource.linux.cgroup.path"}
		return rc
	}
	degraded := newest("system_degraded", "systemd.system.state", map[string]any{"systemd.system.state": anyOf("degraded", "maintenance")})
	degraded.GroupBy = []string{"resource"}
	throttled := ofGroup(quotient("group_throttled", SelectorConfig{Metric: "container.cpu.throttling_data.throttled_periods"},
		SelectorConfig{Metric: "container.cpu.throttling_data.periods"}))
	throttled.Window, throttled.Aggregate = 10*time.Minute, "increase"
	const group = `{{ with .Resource "container.name" }}{{ . }}{{ else }}{{ with .Resource "systemd.unit.name" }}{{ . }}{{ else }}group{{ with .Resource "linux.cgroup.path" }} {{ . }}{{ end }}{{ end }}{{ end }}`
	return []RuleConfig{
		ladderOf(ofUnit(newest("unit_failed", "systemd.unit.state", map[string]any{"systemd.unit.active_state": "failed"})),
			stated("unit"+unitIs, "has failed", "is no longer failed"), above(0, nil, time.Minute), none),
		ladderOf(ofUnit(rising("unit_restarting", "systemd.service.restarts", 15*time.Minute, nil)), valued("service"+unitIs, "was restarted", several("time", "in 15 min")),
			above(3, 1, 0), above(30, 10, 0)),
		ladderOf(degraded, stated("systemd", "is degraded: units have failed", "is no longer degraded"), above(0, nil, 15*time.Minute), none),
		ladderOf(throttled, valued(group, "was held back by its CPU limit in", "of its periods"), above("25%", "15%", 30*time.Minute), above("75%", "50%", 30*time.Minute)),
		ladderOf(ofGroup(newest("group_memory", "container.memory.limit.utilization", nil)), is("memory of "+group, "used"),
			above("90%", "85%", 10*time.Minute), above("97%", "93%", 10*time.Minute)),
		ladderOf(ofGroup(rising("group_oom_kills", "container.memory.linux.events", 10*time.Minute, map[string]any{"linux.cgroup.memory.event": "oom_kill"})),
			valued(group, "has run into its memory limit: the kernel killed", "of its processes in 10 min"), above(0, nil, 0), above(5, 2, 0)),
	}
}

package rules

import "time"

// cpuPreset are the preset's rules about the CPUs. CPU is one minus the mean share of all CPUs that is idle, waiting for I/O or not, as top has it. It
// moves fast: it has to be high for a quarter of an hour, and its hysteresis is ten points.
func cpuPreset() []RuleConfig {
	minusOne, kilo := -1.0, 0.001
	cpu := RuleConfig{
		Name: "cpu", Metric: "system.cpu.utilization", Match: map[string]any{"cpu.mode": "idle"},
		addends: map[string]any{"cpu.mode": map[string]any{"in": []any{"idle", "iowait"}}},
		Scale:   &minusOne, Offset: 1, GroupAggregate: "avg",
	}
	inMode := func(name, mode string) RuleConfig {
		return RuleConfig{
			Name: name, Metric: "system.cpu.utilization", Match: map[string]any{"cpu.mode": mode}, GroupAggregate: "avg",
			Window: 10 * time.Minute, Aggregate: "avg", mayMatchNothing: true,
		}
	}
	cpus := func(n float64) map[string]any {
		return map[string]any{"metric": "system.cpu.logical.count", "scale": n}
	}
	load := newest("load", "system.cpu.load_average.15m", nil)
	load.GroupBy = []string{"resource"}
	switches := rateOver("context_switches", "system.cpu.context_switches", nil)
	switches.GroupBy, switches.Scale = []string{"resource"}, &kilo // Thousands: a scale that is no plain number compares rates with counts.
	throttled := rising("cpu_throttled", "system.cpu.linux.thermal_throttle.events", 10*time.Minute, nil)
	pressure := newest("cpu_pressure", "system.cpu.linux.pressure.5m", map[string]any{"system.linux.pressure.stall_type": "some"})
	return []RuleConfig{
		ladderOf(cpu, is("CPU", "busy"), above("80%", "70%", 15*time.Minute), above("95%", "85%", 15*time.Minute)),
		ladderOf(inMode("cpu_steal", "steal"), is("CPU", "stolen by the hypervisor"),
			above("10%", "5%", 10*time.Minute), above("30%", "20%", 10*time.Minute)),
		ladderOf(inMode("cpu_iowait", "iowait"), is("CPU", "waiting for I/O"), above("50%", "30%", 2*time.Hour), above("80%", "60%", 4*time.Hour)),
		ladderOf(load, valued("load", "is", "over 15 min"), above(cpus(4), cpus(3), 15*time.Minute), above(cpus(10), cpus(7), 15*time.Minute)),
		ladderOf(switches, `kernel`+onHost+`{{ with .ValueText }} makes {{ printf "%.0f" $.Value }} thousand context switches a second ({{ $.Condition }}){{ else }} has no value{{ end }}`, above(cpus(100), cpus(60), 15*time.Minute), none),
		ladderOf(throttled, valued("CPU clock", "was throttled for heat", several("time", "in 10 min")), above(100, 10, 5*time.Minute), above(10000, 2000, 10*time.Minute)),
		ladderOf(pressure, valued("CPU pressure", "is", "of the time"), above("90%", "75%", 30*time.Minute), none),
	}
}

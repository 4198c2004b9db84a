package rules

import "time"

// memoryPreset are the preset's rules about memory. It is one minus the share that is available, as free has it, where that is sent: free huge pages are
// not available, and not in the state used.
func memoryPreset() []RuleConfig {
	memory := RuleConfig{
		Name: "memory", Metric: "system.memory.utilization", Match: map[string]any{"system.memory.state": "used"},
		inUse: &availableConfig{SelectorConfig{Metric: "system.memory.linux.available"}, SelectorConfig{Metric: "system.memory.limit"}},
	}
	swap := newest("swap", "system.paging.utilization", map[string]any{"system.paging.state": "used"})
	swapping := rateOver("swapping", "system.paging.operations",
		map[string]any{"system.paging.direction": "in", "system.paging.fault.type": "major"})
	faults := rateOver("major_faults", "system.paging.faults", map[string]any{"system.paging.fault.type": "major"})
	pressure := newest("memory_pressure", "system.memory.linux.pressure.5m", map[string]any{"system.linux.pressure.stall_type": "full"})
	return []RuleConfig{
		ladderOf(memory, is("memory", "used"), above("85%", "80%", 5*time.Minute), above("95%", "90%", 5*time.Minute)),
		ladderOf(swap, is("swap", "used"), above("50%", "40%", 0), none),
		ladderOf(swapping, valued("kernel", "reads", "pages back from swap"), above(1000, 500, 10*time.Minute), above(10000, 5000, 10*time.Minute)),
		ladderOf(rising("oom_kills", "system.memory.linux.oom_kills", 10*time.Minute, nil),
			valued("kernel", "has killed", several("process", "in 10 min for lack of memory")), above(0, nil, 0), above(5, 2, 0)),
		ladderOf(faults, valued("processes", "wait", "times for pages of memory from disk"), above(1000, 500, 15*time.Minute), above(10000, 5000, 15*time.Minute)),
		ladderOf(pressure, valued("memory pressure", "is", "of the time"), above("10%", "5%", 5*time.Minute), above("30%", "20%", 5*time.Minute)),
		ladderOf(newest("memory_corrupted", "system.memory.linux.hardware_corrupted", nil), valued("memory", "has", "that the kernel has given up as broken"),
			above("0B", nil, 0), above("16MiB", "8MiB", 0)),
	}
}

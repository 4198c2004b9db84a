package rules

import "time"

// systemPreset are the preset's rules about the kernel's tables, processes, the clock and the state of the system.
func systemPreset() []RuleConfig {
	limit := func(metric string, share float64) map[string]any {
		return map[string]any{"metric": metric, "scale": share}
	}
	// A table is told of by how much of it is in use, at two shares.
	table := func(name, metric, of string) (RuleConfig, LevelConfig, LevelConfig) {
		rc := newest(name, metric, nil)
		return rc, above(limit(of, 0.8), limit(of, 0.7), 5*time.Minute), above(limit(of, 0.95), limit(of, 0.85), time.Minute)
	}
	files, filesWarning, filesCritical := table("file_handles", "system.linux.file_handle.count", "system.linux.file_handle.limit")
	descriptors, someFiles, mostFiles := table("process_files", "process.unix.file_descriptor.count", "process.unix.file_descriptor.limit")
	threads, someThreads, mostThreads := table("process_limit", "system.thread.count", "system.process.limit")
	offset := RuleConfig{Name: "clock_offset", Metric: "system.clock.offset", mayMatchNothing: true}
	outside := func(s float64, span time.Duration) LevelConfig {
		return LevelConfig{Outside: []any{-s, s}, Clear: []any{-s / 2, s / 2}, For: &span}
	}
	const process = `process{{ with .Resource "process.executable.name" }} {{ . }}{{ end }}{{ with .Resource "process.pid" }} (pid {{ . }}){{ end }}`
	return []RuleConfig{
		ladderOf(files, valued("kernel", "has", "files open"), filesWarning, filesCritical),
		ladderOf(descriptors, valued(process, "has", "files open"), someFiles, mostFiles),
		ladderOf(newest("zombies", "system.process.count", map[string]any{"process.state": "defunct"}), valued("kernel", "has", "zombies, processes that ended and nobody waited for"),
			above(50, 20, 15*time.Minute), above(1000, 500, 15*time.Minute)),
		ladderOf(threads, valued("kernel", "has", "threads"), someThreads, mostThreads),
		ladderOf(offset, valued("clock", "is off by", ""), outside(0.05, 10*time.Minute), outside(1, 5*time.Minute)),
		ladderOf(newest("clock_unsynchronized", "system.clock.synchronized", nil), stated("clock", "is not synchronised", "is synchronised again"),
			below(1, nil, 30*time.Minute), none),
		ladderOf(newest("entropy", "system.linux.entropy.available", nil), valued("entropy", "is", ""), below(100, 200, 10*time.Minute), none),
		ladderOf(rising("hung_tasks", "system.linux.task.hung", 15*time.Minute, nil), valued("kernel", "has found", several("hung task", "in 15 min")), above(0, nil, 0), above(10, 5, 0)),
		ladderOf(newest("reboot_required", "system.linux.reboot_required", nil), stated("system", "waits for a reboot since an upgrade", "has been rebooted"),
			above(0, nil, 24*time.Hour), none),
		ladderOf(newest("rebooted", "system.uptime", nil), valued("system", "was started", "ago"), below("5m", "6m", 0), none),
		ladderOf(newest("textfile_error", "system.textfile.error", nil), stated(`text file{{ with .Attr "file.path" }} {{ . }}{{ end }}`, "can't be read", "can be read again"),
			above(0, nil, 5*time.Minute), none),
	}
}

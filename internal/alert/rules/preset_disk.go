package rules

import "time"

// byMount are the attributes that distinguish filesystems, whether mounted read-only or not.
var byMount = []string{"system.device", "system.filesystem.mountpoint", "system.filesystem.type"}

// wholeDisk matches disks, and neither their partitions' loop devices, RAM disks, nor what is made of disks.
var wholeDisk = map[string]any{"system.device": map[string]any{"not_regex": `(loop|ram|zram|dm-|md|sr|fd|nbd)[0-9]*`}}

// diskPreset are the preset's rules about filesystems and I/O. The share of a disk is that of the blocks that are not reserved for root, as df has it: of all
// blocks it could not reach 95 % on an ext4 that is full.
func diskPreset() []RuleConfig {
	part := func(metric string, state any) SelectorConfig {
		return SelectorConfig{Metric: metric, Match: map[string]any{"system.filesystem.state": state}}
	}
	// The values of one disk may come in two batches, and the first alone would make the disk full.
	delay := time.Second
	disk := quotient("disk", part("system.filesystem.usage", "used"), part("system.filesystem.usage", anyOf("used", "free")), byMount...)
	disk.NewSeriesDelay, disk.mayMatchNothing = &delay, false
	inodes := quotient("inodes", part("system.filesystem.inodes.usage", "used"), part("system.filesystem.inodes.usage", anyOf("used", "free")), byMount...)
	inodes.NewSeriesDelay = &delay
	// What is left is forecast in bytes or inodes, which hostmetricsreceiver has, too: it does not send a free share.
	forecast := func(name, metric string) RuleConfig {
		rc := newest(name, metric, map[string]any{"system.filesystem.state": "free"})
		rc.GroupBy = append([]string{"resource"}, byMount...)
		rc.Forecast = &ForecastConfig{Window: time.Hour, Horizon: 8 * time.Hour}
		return rc
	}
	fills := forecast("disk_fills", "system.filesystem.usage")
	fills.OnlyIf = &ConditionConfig{Metric: "system.filesystem.utilization", Match: map[string]any{"system.filesystem.state": "used"}, Above: "70%"}
	inodesFill := forecast("inodes_fill", "system.filesystem.inodes.usage")
	inodesFill.OnlyIf = &ConditionConfig{
		Metric: "system.filesystem.inodes.usage", Match: map[string]any{"system.filesystem.state": "free"}, Below: 1e6,
	}
	soon := func(span, horizon time.Duration) LevelConfig {
		quiet := 30 * time.Minute
		return LevelConfig{Below: 0, For: &span, Horizon: horizon, KeepFiringFor: &quiet}
	}
	within := func(about, will, ended string) string {
		return about + mount + onHost + ` {{ if eq .State "resolved" }}` + ended + `{{ else }}` + will + ` within ` +
			`{{ if eq .Severity "critical" }}2h{{ else }}8h{{ end }} at the speed of the last hour{{ end }}`
	}
	broken := newest("filesystem_error", "system.filesystem.error",
		map[string]any{"system.filesystem.type": map[string]any{"not_regex": `fuse|fuse\..*|fuseblk`}})
	seconds := func(metric string) SelectorConfig { return SelectorConfig{Metric: metric, Match: wholeDisk} }
	latency := quotient("disk_latency", seconds("system.disk.operation_time"), seconds("system.disk.operations"), "system.device")
	latency.Window, latency.Aggregate = 10*time.Minute, "increase"
	pressure := newest("io_pressure", "system.io.linux.pressure.5m", map[string]any{"system.linux.pressure.stall_type": "full"})
	return []RuleConfig{
		ladderOf(disk, is("disk"+mount, "full"), above("85%", "80%", 0), above("95%", "90%", 0)),
		ladderOf(fills, within("disk", "will be full", "is no longer filling up"), soon(30*time.Minute, 8*time.Hour), soon(15*time.Minute, 2*time.Hour)),
		ladderOf(inodes, valued("inodes of disk"+mount, "are", "used"), above("85%", "80%", 0), above("95%", "90%", 0)),
		ladderOf(inodesFill, within("inodes of disk", "will be used up", "are no longer being used up"), soon(30*time.Minute, 8*time.Hour), soon(15*time.Minute, 2*time.Hour)),
		// It is about what has become read-only, and not what always was: see turned.
		ladderOf(turned("filesystem_read_only", "system.filesystem.read_only"), stated("disk"+mount, "has become read-only", "can be written again"),
			none, turnedLevel),
		ladderOf(broken, stated("filesystem"+mount, "does not answer", "answers again"), none, above(0, nil, 5*time.Minute)),
		ladderOf(newest("mount_stuck", "system.filesystem.stuck", nil), valued("kernel", "has", several("mount", "without an answer")), above(0, nil, 10*time.Minute), none),
		ladderOf(newest("ext4_errors", "system.filesystem.linux.ext4.errors", nil), valued("disk"+mount, "has had", several("filesystem error", "since its last check")),
			above(0, nil, 0), none),
		ladderOf(rateOver("disk_busy", "system.disk.io_time", wholeDisk), is("disk"+device, "busy"),
			above("98%", "90%", 3*time.Hour), none),
		ladderOf(latency, valued("disk"+device, "takes", "s a read or write"), above(0.3, 0.15, 30*time.Minute), above(1, 0.5, 30*time.Minute)),
		ladderOf(rateOver("disk_queue", "system.disk.weighted_io_time", wholeDisk), valued("disk"+device, "has", "reads and writes waiting"),
			above(30, 15, time.Hour), none),
		ladderOf(pressure, valued("I/O pressure", "is", "of the time"), above("80%", "60%", 2*time.Hour), none),
	}
}

// turned makes a rule that fires when a gauge of 0 and 1 turns from 0 to 1, and while it is 1 from then on. One that was always 1, as a disk that is meant
// to be read-only, is silent. Its value is the mean of five minutes, which comes by values between 0 and 1 when it turns, and stays at 1 then.
func turned(name, metric string) RuleConfig {
	rc := newest(name, metric, nil)
	rc.Window, rc.Aggregate = 5*time.Minute, "avg"
	return rc
}

// turnedLevel is the level of such a rule: after a quarter of the time in which the mean turns.
var turnedLevel = LevelConfig{Inside: []any{0.25, 0.99}, Clear: []any{0.05, 2}}

package rules

import "time"

// diskHealthPreset are the preset's rules about what disks and arrays of disks say of themselves.
func diskHealthPreset() []RuleConfig {
	state := func(name, of string, states ...any) RuleConfig {
		rc := newest(name, "hw.status", map[string]any{"hw.type": of, "hw.state": anyOf(states...)})
		rc.GroupBy = []string{"resource", "hw.id", "hw.name"}
		return rc
	}
	pool := func(name string, states ...any) RuleConfig {
		rc := newest(name, "system.zfs.pool.state", map[string]any{"system.zfs.pool.state": anyOf(states...)})
		rc.GroupBy = []string{"resource", "system.zfs.pool.name"}
		return rc
	}
	const zfs = `ZFS pool{{ with .Attr "system.zfs.pool.name" }} {{ . }}{{ end }}`
	const btrfs = `btrfs{{ with .Attr "system.btrfs.label" }} {{ . }}{{ else }}{{ with .Attr "system.btrfs.uuid" }} {{ . }}{{ end }}{{ end }}`
	metadata := func(state any) SelectorConfig {
		return SelectorConfig{
			Metric: "system.btrfs.allocation.usage",
			Match:  map[string]any{"system.btrfs.allocation.type": "metadata", "system.btrfs.allocation.state": state},
		}
	}
	full := quotient("btrfs_metadata", metadata("used"), metadata(anyOf("used", "free")), "system.btrfs.uuid", "system.btrfs.label")
	full.OnlyIf = &ConditionConfig{Metric: "system.btrfs.unallocated", Below: "2GiB"}
	wear := newest("disk_wear", "hw.physical_disk.endurance_utilization", map[string]any{"hw.physical_disk.state": "remaining"})
	return []RuleConfig{
		ladderOf(state("raid_degraded", "logical_disk", "degraded"), stated("RAID array"+sensor, "has lost a disk", "is whole again"), above(0, nil, time.Minute), none),
		ladderOf(state("raid_failed", "logical_disk", "failed"), stated("RAID array"+sensor, "has failed", "works again"), none, above(0, nil, 0)),
		ladderOf(pool("zfs_pool_degraded", "degraded"), stated(zfs, "is degraded", "is whole again"), above(0, nil, time.Minute), none),
		ladderOf(pool("zfs_pool_failed", "faulted", "suspended", "unavail", "offline", "removed"), stated(zfs, "has failed", "works again"), none, above(0, nil, 0)),
		ladderOf(rising("btrfs_errors", "system.btrfs.errors", 15*time.Minute, nil),
			valued(btrfs, "has had", several("error", `of the kind {{ $.Attr "error.type" }} in 15 min`)), above(0, nil, 0), above(100, 10, 0)),
		ladderOf(newest("btrfs_device_missing", "system.btrfs.device.missing", nil), valued(btrfs, "lacks", several("device", "")), none, above(0, nil, 0)),
		ladderOf(full, is(btrfs, "full of metadata, and no room is left to take"), above("90%", "85%", 10*time.Minute), above("98%", "95%", 10*time.Minute)),
		ladderOf(state("disk_failing", "physical_disk", "predicted_failure", "degraded"), stated("disk"+sensor, "says that it will fail", "no longer says that it will fail"),
			above(0, nil, 0), none),
		ladderOf(state("disk_failed", "physical_disk", "failed"), stated("disk"+sensor, "says that it has failed", "no longer says that it has failed"),
			none, above(0, nil, 0)),
		ladderOf(wear, valued("disk"+sensor, "has", "of its life left"), below("10%", "11%", 0), below("1%", "2%", 0)),
		ladderOf(rising("disk_media_errors", "hw.errors", 15*time.Minute, map[string]any{"hw.type": "physical_disk"}),
			valued("disk"+sensor, "has had", several("media error", "in 15 min")), above(0, nil, 0), above(100, 10, 0)),
	}
}

package main

import "fmt"

// system adds what a server with two disks, four filesystems and three interfaces has.
func (b *builder) system() {
	b.resource()
	b.cpu()
	b.memory()
	b.disks()
	b.network()
	b.one("system.process.created", "{process}", counter, true, 5)
	b.begin("system.process.count", "{process}", gauge)
	for _, state := range []string{"running", "sleeping", "stopped", "defunct"} {
		b.point(gauge, true, 40, "process.state", state)
	}
	b.one("system.thread.count", "{thread}", gauge, true, 900)
	b.one("system.linux.file_handle.count", "{file_handle}", gauge, true, 4000)
	b.one("system.uptime", "s", gauge, false, 1e6)
}

// one adds a metric of a single series.
func (b *builder) one(name, unit string, k kind, integer bool, quiet float64) {
	b.begin(name, unit, k)
	b.point(k, integer, quiet)
}

func (b *builder) cpu() {
	modes := map[string]float64{"user": 0.2, "nice": 0.01, "system": 0.1, "idle": 0.6, "iowait": 0.05, "irq": 0.02, "steal": 0.02}
	order := []string{"user", "nice", "system", "idle", "iowait", "irq", "steal"}
	b.begin("system.cpu.time", "s", counter)
	for _, mode := range order {
		b.point(counter, false, 8*modes[mode], "cpu.mode", mode)
	}
	b.begin("system.cpu.utilization", "1", gauge)
	for _, mode := range order {
		b.point(gauge, false, modes[mode], "cpu.mode", mode)
	}
	b.one("system.cpu.logical.count", "{cpu}", gauge, true, 8)
	b.one("system.cpu.load_average.1m", "{thread}", gauge, false, 3)
	b.one("system.cpu.load_average.5m", "{thread}", gauge, false, 3)
	b.one("system.cpu.load_average.15m", "{thread}", gauge, false, 3)
	b.one("system.cpu.context_switches", "{context_switch}", counter, true, 20000)
	b.one("system.cpu.interrupts", "{interrupt}", counter, true, 10000)
	for _, resource := range []string{"cpu", "memory", "io"} {
		stalls := []string{"some", "full"}
		for _, window := range []string{"10s", "1m", "5m"} {
			b.begin("system."+resource+".linux.pressure."+window, "1", gauge)
			for _, stall := range stalls {
				b.point(gauge, false, 0.02, "system.linux.pressure.stall_type", stall)
			}
		}
		b.begin("system."+resource+".linux.pressure.total", "s", counter)
		for _, stall := range stalls {
			b.point(counter, false, 0.02, "system.linux.pressure.stall_type", stall)
		}
	}
}

func (b *builder) memory() {
	const total = 64 << 30
	shares := map[string]float64{"used": 0.5, "free": 0.1, "cached": 0.35, "buffers": 0.05}
	order := []string{"used", "free", "cached", "buffers"}
	b.one("system.memory.limit", "By", gauge, true, total)
	b.begin("system.memory.usage", "By", gauge)
	for _, state := range order {
		b.point(gauge, true, total*shares[state], "system.memory.state", state)
	}
	b.begin("system.memory.utilization", "1", gauge)
	for _, state := range order {
		b.point(gauge, false, shares[state], "system.memory.state", state)
	}
	b.one("system.memory.linux.available", "By", gauge, true, total/2)
	b.one("system.memory.linux.dirty", "By", gauge, true, 1<<20)
	b.one("system.memory.linux.committed", "By", gauge, true, total)
	b.one("system.memory.linux.oom_kills", "{kill}", counter, true, 0)
	b.begin("system.paging.utilization", "1", gauge)
	b.point(gauge, false, 0.1, "system.paging.state", "used")
	b.point(gauge, false, 0.9, "system.paging.state", "free")
	b.begin("system.paging.faults", "{fault}", counter)
	b.point(counter, true, 10, "system.paging.fault.type", "major")
	b.point(counter, true, 3000, "system.paging.fault.type", "minor")
	b.begin("system.paging.operations", "{operation}", counter)
	b.point(counter, true, 5, "system.paging.direction", "in", "system.paging.fault.type", "major")
	b.point(counter, true, 5, "system.paging.direction", "out", "system.paging.fault.type", "major")
}

func (b *builder) disks() {
	disks, directions := []string{"sda", "sdb"}, []string{"read", "write"}
	for _, m := range [][2]string{{"system.disk.io", "By"}, {"system.disk.operations", "{operation}"}, {"system.disk.operation_time", "s"}} {
		name, unit := m[0], m[1]
		b.begin(name, unit, counter)
		for _, disk := range disks {
			for _, direction := range directions {
				b.point(counter, unit != "s", map[string]float64{"By": 1e6, "{operation}": 100, "s": 0.05}[unit], "system.device", disk, "disk.io.direction", direction)
			}
		}
	}
	b.begin("system.disk.io_time", "s", counter)
	for _, disk := range disks {
		b.point(counter, false, 0.1, "system.device", disk)
	}
	mounts := []string{"/", "/boot", "/var", "/data"}
	states := map[string]float64{"used": 0.4, "free": 0.55, "reserved": 0.05}
	order := []string{"used", "free", "reserved"}
	describe := func(i int, state string) []string {
		return []string{
			"system.device", fmt.Sprintf("/dev/sda%d", i+1), "system.filesystem.mode", "rw",
			"system.filesystem.mountpoint", mounts[i], "system.filesystem.type", "ext4", "system.filesystem.state", state,
		}
	}
	b.begin("system.filesystem.usage", "By", gauge)
	for i := range mounts {
		for _, state := range order {
			k := gauge
			if state == "free" {
				k = ramp
			}
			b.point(k, true, 1e11*states[state], describe(i, state)...)
		}
	}
	b.begin("system.filesystem.utilization", "1", gauge)
	for i := range mounts {
		for _, state := range order {
			b.point(gauge, false, states[state], describe(i, state)...)
		}
	}
}

func (b *builder) network() {
	interfaces, directions := []string{"lo", "eth0", "eth1"}, []string{"receive", "transmit"}
	for _, m := range []struct {
		name, unit, attribute string
		quiet                 float64
	}{
		{"system.network.io", "By", "network.interface.name", 1e6},
		{"system.network.packet.count", "{packet}", "system.device", 1000},
		{"system.network.packet.dropped", "{packet}", "network.interface.name", 0},
		{"system.network.errors", "{error}", "network.interface.name", 0},
	} {
		b.begin(m.name, m.unit, counter)
		for _, name := range interfaces {
			for _, direction := range directions {
				b.point(counter, true, m.quiet, m.attribute, name, "network.io.direction", direction)
			}
		}
	}
	b.begin("system.network.interface.up", "1", gauge)
	for _, name := range interfaces {
		b.point(gauge, true, 1, "network.interface.name", name)
	}
	b.one("system.network.conntrack.count", "{entry}", gauge, true, 5000)
}

// process adds what one process has.
func (b *builder) process(pid int) {
	b.resource("process.executable.name", fmt.Sprintf("worker-%d", pid), "process.command", fmt.Sprintf("/usr/bin/worker-%d", pid),
		"process.owner", "app", "process.creation.time", "2026-01-01T00:00:00Z", "process.pid", fmt.Sprint(pid))
	b.own = pid - 1000
	b.begin("process.cpu.time", "s", counter)
	b.point(counter, false, 0.1, "cpu.mode", "user")
	b.point(counter, false, 0.1, "cpu.mode", "system")
	b.begin("process.cpu.utilization", "1", gauge)
	b.point(gauge, false, 0.1, "cpu.mode", "user")
	b.point(gauge, false, 0.1, "cpu.mode", "system")
	b.one("process.memory.usage", "By", gauge, true, 1<<28)
	b.one("process.memory.virtual", "By", gauge, true, 1<<30)
	b.one("process.thread.count", "{thread}", gauge, true, 20)
	b.begin("process.disk.io", "By", counter)
	b.point(counter, true, 1e4, "disk.io.direction", "read")
	b.point(counter, true, 1e4, "disk.io.direction", "write")
}

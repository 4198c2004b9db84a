package fakehost

import (
	"fmt"
	"math"
)

const gib = 1 << 30

type valueFunc func(t int64) (float64, bool)

func always(f func(t int64) float64) valueFunc {
	return func(t int64) (float64, bool) { return f(t), true }
}

func constant(v float64) valueFunc { return always(func(int64) float64 { return v }) }

func one(name, unit, valueUnit, kind string, f valueFunc) metric {
	return metric{name: name, unit: unit, valueUnit: valueUnit, kind: kind, series: []series{{at: f}}}
}

func (s *Server) host() []metric {
	out := s.cpu()
	out = append(out, s.memory()...)
	out = append(out, pressure()...)
	out = append(out, s.disks()...)
	if s.options.Facts || s.options.Faults {
		out = append(out, s.facts()...)
	}
	return append(out, s.network()...)
}

// facts are what the kernel counts beside usage: nothing, or with Faults something of each kind.
func (s *Server) facts() []metric {
	v := 0.0
	if s.options.Faults {
		v = 1
	}
	states := metric{name: "system.zfs.pool.state", unit: "1", valueUnit: "1", kind: "gauge", attributes: []string{"system.zfs.pool.name", "system.zfs.pool.state"}, series: []series{
		{values: []any{s.name("tank", Markup), "online"}, at: constant(1 - v)}, {values: []any{s.name("tank", Markup), "degraded"}, at: constant(v)},
	}}
	readOnly := metric{name: "system.filesystem.read_only", unit: "1", valueUnit: "1", kind: "gauge", attributes: []string{"system.filesystem.mountpoint", "system.filesystem.type"}, series: []series{
		{values: []any{"/srv", "ext4"}, at: constant(v)}, {values: []any{"/snap/core", "squashfs"}, at: constant(1)},
	}}
	udp := metric{name: "system.network.udp.errors", unit: "{datagram}", valueUnit: "{datagram}/s", kind: "counter", attributes: []string{"error.type"}, series: []series{
		{values: []any{"receive_buffer"}, at: constant(2 * v)}, {values: []any{"no_port"}, at: constant(3)},
	}}
	return []metric{
		states, readOnly, udp,
		one("system.network.tcp.retransmits", "{segment}", "{segment}/s", "counter", constant(v)),
		one("system.clock.offset", "s", "s", "gauge", constant(0.002+v)),
		one("system.clock.synchronized", "1", "1", "gauge", constant(1)),
	}
}

// busy is the share of a CPU in use; the last half hour has a few seconds of full load, and the host a gap.
func (s *Server) busy(cpu int, t int64) (float64, bool) {
	if age := (t / 1000) % 1800; age >= 600 && age < 640 {
		return 0, false
	}
	if age := (t / 1000) % 1800; age >= 1200 && age < 1290 {
		return 0.99, true
	}
	return math.Min(1, 0.06+0.9*wave(cpu, t)), true
}

func (s *Server) cpu() []metric {
	modes := []struct {
		name  string
		share float64
	}{{"user", 0.66}, {"nice", 0.04}, {"system", 0.2}, {"iowait", 0.07}, {"interrupt", 0.02}, {"steal", 0.01}}
	u := metric{name: "system.cpu.utilization", unit: "1", valueUnit: "1", kind: "gauge", attributes: []string{"cpu.logical_number", "cpu.mode"}}
	for c := range s.options.CPUs {
		for _, m := range modes {
			u.series = append(u.series, series{values: []any{fmt.Sprint(c), m.name}, at: func(t int64) (float64, bool) {
				b, ok := s.busy(c, t)
				return b * m.share, ok
			}})
		}
		u.series = append(u.series, series{values: []any{fmt.Sprint(c), "idle"}, at: func(t int64) (float64, bool) {
			b, ok := s.busy(c, t)
			return 1 - b, ok
		}})
	}
	cpus := float64(s.options.CPUs)
	load := func(seed int) valueFunc { return always(func(t int64) float64 { return cpus * 1.2 * wave(seed, t) }) }
	return []metric{
		u,
		one("system.cpu.load_average.1m", "{thread}", "{thread}", "gauge", load(100)),
		one("system.cpu.load_average.5m", "{thread}", "{thread}", "gauge", load(101)),
		one("system.cpu.load_average.15m", "{thread}", "{thread}", "gauge", load(102)),
		one("system.cpu.context_switches", "{context_switch}", "{context_switch}/s", "counter", always(func(t int64) float64 { return 9000 * wave(103, t) })),
		one("system.cpu.interrupts", "{interrupt}", "{interrupt}/s", "counter", always(func(t int64) float64 { return 4000 * wave(104, t) })),
		one("system.uptime", "s", "s", "gauge", always(func(t int64) float64 { return float64(t/1000 - 1_766_000_000) })),
	}
}

func (s *Server) memory() []metric {
	used := func(t int64) float64 { return 16*gib*0.42 + 3*gib*wave(110, t) }
	usage := metric{name: "system.memory.usage", unit: "By", valueUnit: "By", kind: "gauge", attributes: []string{"system.memory.state"}}
	for name, f := range map[string]func(int64) float64{
		"used": used, "buffers": func(int64) float64 { return gib / 2 }, "cached": func(t int64) float64 { return 4*gib + gib*wave(111, t) },
	} {
		usage.series = append(usage.series, series{values: []any{name}, at: always(f)})
	}
	paging := metric{name: "system.paging.usage", unit: "By", valueUnit: "By", kind: "gauge", attributes: []string{"system.device", "system.paging.state"}, series: []series{
		{values: []any{"/dev/sda2", "used"}, at: always(func(t int64) float64 { return gib * 0.3 * wave(112, t) })},
		{values: []any{"/dev/sda2", "free"}, at: always(func(t int64) float64 { return 4*gib - gib*0.3*wave(112, t) })},
	}}
	return []metric{
		usage, paging,
		one("system.memory.limit", "By", "By", "gauge", constant(16*gib)),
		one("system.memory.linux.available", "By", "By", "gauge", always(func(t int64) float64 { return 16*gib - used(t) })),
	}
}

func pressure() []metric {
	var out []metric
	for i, r := range []string{"cpu", "memory", "io", "irq"} {
		m := metric{name: "system." + r + ".linux.pressure.total", unit: "s", valueUnit: "1", kind: "counter", attributes: []string{"system.linux.pressure.stall_type"}}
		some := always(func(t int64) float64 { return 0.4 * math.Pow(wave(120+i, t), 2) / float64(1+i) })
		full := always(func(t int64) float64 { return 0.15 * math.Pow(wave(120+i, t), 3) / float64(1+i) })
		m.series = []series{{values: []any{"some"}, at: some}, {values: []any{"full"}, at: full}}
		out = append(out, m)
	}
	return out
}

func (s *Server) disks() []metric {
	io := metric{name: "system.disk.io", unit: "By", valueUnit: "By/s", kind: "counter", attributes: []string{"system.device", "disk.io.direction"}}
	busy := metric{name: "system.disk.io_time", unit: "s", valueUnit: "1", kind: "counter", attributes: []string{"system.device"}}
	ops := metric{name: "system.disk.operations", unit: "{operation}", valueUnit: "{operation}/s", kind: "counter", attributes: io.attributes}
	spent := metric{name: "system.disk.operation_time", unit: "s", valueUnit: "1", kind: "counter", attributes: io.attributes}
	fs := metric{name: "system.filesystem.usage", unit: "By", valueUnit: "By", kind: "gauge", attributes: []string{"system.device", "system.filesystem.mountpoint", "system.filesystem.state", "system.filesystem.type"}}
	for d := range s.options.Disks {
		name := fmt.Sprintf("sd%c", 'a'+d%26)
		if d >= 26 {
			name = fmt.Sprintf("dm-%d", d)
		}
		for i, way := range []string{"read", "write"} {
			rate := func(t int64) float64 { return 40e6 * math.Pow(wave(200+2*d+i, t), 3) }
			io.series = append(io.series, series{values: []any{name, way}, at: always(rate)})
			ops.series = append(ops.series, series{values: []any{name, way}, at: always(func(t int64) float64 { return rate(t) / 32e3 })})
			spent.series = append(spent.series, series{values: []any{name, way}, at: always(func(t int64) float64 { return rate(t) / 32e3 * 0.0004 })})
		}
		busy.series = append(busy.series, series{values: []any{name}, at: always(func(t int64) float64 { return 0.7 * math.Pow(wave(200+2*d, t), 2) })})
		mount := s.mount(d)
		size := float64(int64(50+70*d) * gib)
		used := func(t int64) float64 { return size * (0.5 + 0.36*hash(d, 3) + 0.01*float64(t%86_400_000)/86_400_000) }
		fs.series = append(fs.series,
			series{values: []any{"/dev/" + name, mount, "used", "ext4"}, at: always(used)},
			series{values: []any{"/dev/" + name, mount, "free", "ext4"}, at: always(func(t int64) float64 { return size*0.95 - used(t) })},
			series{values: []any{"/dev/" + name, mount, "reserved", "ext4"}, at: constant(size * 0.05)})
	}
	return []metric{io, busy, ops, spent, fs}
}

func (s *Server) mount(d int) string {
	switch d {
	case 0:
		return "/"
	case 1:
		return s.name("/var", "/mnt/\"'"+Markup)
	default:
		return fmt.Sprintf("/srv/data%d", d)
	}
}

func (s *Server) network() []metric {
	attributes := []string{"network.interface.name", "network.io.direction"}
	io := metric{name: "system.network.io", unit: "By", valueUnit: "By/s", kind: "counter", attributes: attributes}
	errors := metric{name: "system.network.errors", unit: "{error}", valueUnit: "{error}/s", kind: "counter", attributes: attributes}
	for n, name := range []string{"eth0", "lo", "docker0", "eth1"} {
		for i, way := range []string{"receive", "transmit"} {
			at := always(func(t int64) float64 { return 4e6 * math.Pow(wave(300+2*n+i, t), 2) / float64(1+n) })
			if n > 1 {
				at = constant(0)
			}
			io.series = append(io.series, series{values: []any{name, way}, at: at})
			errors.series = append(errors.series, series{values: []any{name, way}, at: always(func(t int64) float64 {
				if n == 0 && i == 0 && hash(9, t/1000) > 0.99 {
					return 3
				}
				return 0
			})})
		}
	}
	return []metric{io, errors}
}

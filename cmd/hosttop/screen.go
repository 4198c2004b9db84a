package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Colours after Okabe and Ito.
const (
	muted   = "#8a96a3"
	blue    = "#56b4e9"
	orange  = "#e69f00"
	green   = "#009e73"
	purple  = "#cc79a7"
	alarm   = "#d55e00::b"
	strong  = "::b"
	columns = 100 // from this width on there are two columns
)

// top makes the lines above the process table, for a width.
func top(s *snapshot, width int) []line {
	lines := append([]line{title(s, width)}, firing(s, width)...)
	lines = append(append(lines, vitals(s, width)...), nil)
	if width < columns {
		lines = append(lines, cpus(s, width)...)
		lines = append(lines, memory(s, width)...)
		lines = append(lines, devices(s, width)...)
		return append(lines, filesystems(s, width)...)
	}
	half := (width - 3) / 2
	left := append(cpus(s, half), memory(s, half)...)
	right := append(devices(s, half), filesystems(s, half)...)
	for i := range max(len(left), len(right)) {
		var l line
		if i < len(left) {
			l = append(l, left[i]...)
		}
		l = append(l, span{text: strings.Repeat(" ", max(0, half+3-l.width()))})
		if i < len(right) {
			l = append(l, right[i]...)
		}
		lines = append(lines, l)
	}
	return lines
}

func title(s *snapshot, width int) line {
	host := func(key string) string { return text(s.meta.Host[key]) }
	about := []string{}
	if system := cmp.Or(host("os.description"), host("os.type")); system != "" {
		about = append(about, system)
	}
	if n := cpuCount(s); n > 0 {
		about = append(about, fmt.Sprintf("%.0f CPUs", n))
	}
	if up := s.sum("system.uptime"); !math.IsNaN(up) {
		about = append(about, "up "+lasting(up*1000))
	}
	l := line{{cmp.Or(host("host.name"), "host"), strong}, {"  " + strings.Join(about, " · "), muted}}
	clock := time.UnixMilli(s.time()).Format("15:04:05")
	return append(l, span{text: fit(clock, -max(9, width-l.width()))})
}

func (s *snapshot) time() int64 { return s.values.To }

func severe(severity string) bool {
	return slices.Contains([]string{"critical", "fatal", "error", "emergency"}, severity)
}

// ofProcess are the attributes of a resource that say which process or group it is. Others are of the host, which is one.
var ofProcess = []string{"process.group.name", "process.executable.name", "process.pid"}

// subject is the rule and what it is about.
func (a *alert) subject() string {
	subject := []string{clean(a.Rule)}
	for _, key := range ofProcess {
		if v, ok := a.Resource[key]; ok {
			subject = append(subject, clean(fmt.Sprint(v)))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(a.Attributes)) {
		subject = append(subject, clean(fmt.Sprint(a.Attributes[key])))
	}
	return strings.Join(subject, " ")
}

// firing are the alerts that fire, the most severe first; at most five lines.
func firing(s *snapshot, width int) []line {
	var lines []line
	for _, a := range s.alerts.firing() {
		style := orange
		if severe(a.Severity) {
			style = alarm
		}
		what := fmt.Sprintf("%s  %s", a.subject(), quantity(a.Value, a.Unit))
		if a.Threshold != nil {
			what += fmt.Sprintf(" %s %s", clean(a.Comparison), quantity(a.Threshold, a.Unit))
		}
		what += ", " + lasting(float64(s.time()-a.Started))
		if a.SilencedBy != "" {
			what += ", silenced by " + clean(a.SilencedBy)
		}
		if a.AcknowledgedBy != "" {
			what += ", " + clean(a.AcknowledgedBy) + " looks after it"
		}
		lines = append(lines, line{{fit("▲ "+clean(a.Severity), 12), style}, {text: fit(what, width-12)}})
	}
	if len(lines) > 5 {
		rest := len(lines) - 4
		lines = append(lines[:4], line{{fmt.Sprintf("and %d more alerts", rest), orange}})
	}
	if len(lines) == 0 {
		lines = append(lines, line{{"✓ no alert fires", green}})
	}
	return lines
}

// vitals are the vital signs, the same as on the page, in as many lines as they need.
func vitals(s *snapshot, width int) []line {
	var lines []line
	var l line
	add := func(name, value string, warn bool) {
		style := strong
		if warn {
			style = alarm
		}
		sign := line{{name + " ", muted}, {value, style}, {text: "  "}}
		if l.width()+sign.width() > width+2 {
			lines, l = append(lines, l), nil
		}
		l = append(l, sign...)
	}
	add("CPU", percent(busyShare(s)), false)
	n := cpuCount(s)
	if load := s.sum("system.cpu.load_average.1m"); !math.IsNaN(load) && n > 0 {
		add("load/CPU", digits(load/n), false)
	}
	add("mem", percent(memoryShare(s)), false)
	used, free := s.sum("system.paging.usage", "system.paging.state", "used"), s.sum("system.paging.usage", "system.paging.state", "free")
	if used+free > 0 {
		add("swap", percent(used/(used+free)), false)
	}
	if name, v := worst(s, "system.disk.io_time", "system.device"); name != "" {
		add("disk "+name, percent(v), v > 0.95)
	}
	if mount, share := fullest(s); mount != "" {
		add(fit(mount, min(len(mount), 20)), percent(share), share > 0.9)
	}
	add("net", rate(s.sum("system.network.io")-zero(s.sum("system.network.io", "network.interface.name", "lo"))), false)
	pressure := ""
	most := math.NaN()
	for _, r := range []string{"cpu", "memory", "io"} {
		if v := s.sum("system."+r+".linux.pressure.total", "system.linux.pressure.stall_type", "some"); !math.IsNaN(v) && !(v <= most) {
			pressure, most = r, v
		}
	}
	if pressure != "" {
		add("pressure "+pressure, percent(most), false)
	}
	return append(lines, l)
}

// cpuCount is the number of CPUs.
func cpuCount(s *snapshot) float64 {
	if n := s.sum("system.cpu.logical.count"); !math.IsNaN(n) {
		return n
	}
	return float64(len(s.names("system.cpu.utilization", "cpu.logical_number")))
}

func zero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// busyShare is the share of the CPUs that ran anything: all but idle and iowait. With where it is that of one CPU.
func busyShare(s *snapshot, where ...string) float64 {
	mode := func(m string) []string { return append([]string{"cpu.mode", m}, where...) }
	n := float64(len(s.find("system.cpu.utilization", mode("idle")...)))
	return 1 - (s.sum("system.cpu.utilization", mode("idle")...)+zero(s.sum("system.cpu.utilization", mode("iowait")...)))/n
}

func memoryShare(s *snapshot) float64 {
	limit, available := s.sum("system.memory.limit"), s.sum("system.memory.linux.available")
	if !math.IsNaN(available) {
		return 1 - available/limit
	}
	return s.sum("system.memory.usage", "system.memory.state", "used") / limit
}

func worst(s *snapshot, metric, key string) (string, float64) {
	name, most := "", math.NaN()
	for _, x := range s.find(metric) {
		if v := s.last(x.id); !math.IsNaN(v) && !(v <= most) {
			name, most = x.attributes[key], v
		}
	}
	return name, most
}

const mount = "system.filesystem.mountpoint"

func fullest(s *snapshot) (string, float64) {
	name, most := "", math.NaN()
	for _, m := range s.names("system.filesystem.usage", mount) {
		if _, share := space(s, m); !math.IsNaN(share) && !(share <= most) {
			name, most = m, share
		}
	}
	return name, most
}

// space is how much of a filesystem is free, and which share of what users can have is used.
func space(s *snapshot, m string) (free, share float64) {
	used := s.sum("system.filesystem.usage", mount, m, "system.filesystem.state", "used")
	free = s.sum("system.filesystem.usage", mount, m, "system.filesystem.state", "free")
	return free, used / (used + free)
}

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// maxRows are the lines that a section has at most.
const maxRows = 8

// cpus has a bar for each CPU and what it did in the last two minutes; of many CPUs the busiest.
func cpus(s *snapshot, width int) []line {
	const key = "cpu.logical_number"
	of := func(n, mode string) []string {
		if n == "" {
			return []string{"cpu.mode", mode}
		}
		return []string{"cpu.mode", mode, key, n}
	}
	busy := func(n string) float64 { return busyShare(s, of(n, "idle")[2:]...) }
	names := s.names("system.cpu.utilization", key)
	if len(names) == 0 && len(s.find("system.cpu.utilization")) > 0 {
		names = []string{""} // The receiver sends all CPUs together.
	}
	rest := len(names) - maxRows
	if rest > 0 {
		slices.SortStableFunc(names, func(a, b string) int { return largest(busy(a), busy(b)) })
		names = names[:maxRows]
	}
	var lines []line
	long := max(8, (width-16)/2)
	for _, n := range names {
		mode := func(m string) float64 { return s.sum("system.cpu.utilization", of(n, m)...) }
		l := line{{fit("cpu"+n, 8), muted}}
		l = append(l, bar(long, []float64{mode("user") + zero(mode("nice")), mode("system") + zero(mode("interrupt")), mode("iowait"), mode("steal")}, []string{blue, orange, purple, alarm})...)
		l = append(l, span{text: fit(percent(busy(n)), -7) + " "}, span{spark(busyCourse(s, of(n, "idle")[2:]...), max(4, width-16-long), 1), blue})
		lines = append(lines, l)
	}
	if rest > 0 {
		lines = append(lines, line{{fmt.Sprintf("%d CPUs that are less busy", rest), muted}})
	}
	return lines
}

// busyCourse is busyShare over time, of one CPU or of all together as the receiver sends them.
func busyCourse(s *snapshot, where ...string) []float64 {
	busy := s.course(true, "system.cpu.utilization", append([]string{"cpu.mode", "idle"}, where...)...)
	for i, waits := range s.course(false, "system.cpu.utilization", append([]string{"cpu.mode", "iowait"}, where...)...) {
		if i < len(busy) {
			busy[i] = max(busy[i]-zero(waits), 0)
		}
	}
	return busy
}

func memory(s *snapshot, width int) []line {
	limit := s.sum("system.memory.limit")
	state := func(name string) float64 { return s.sum("system.memory.usage", "system.memory.state", name) / limit }
	if math.IsNaN(limit) {
		return nil
	}
	long := max(8, (width-16)/2)
	l := line{{fit("memory", 8), muted}}
	l = append(l, bar(long, []float64{state("used"), state("buffers"), state("cached")}, []string{blue, purple, green})...)
	l = append(l, span{text: fit(percent(memoryShare(s)), -7)}, span{" of " + size(limit), muted})
	lines := []line{l}
	used, free := s.sum("system.paging.usage", "system.paging.state", "used"), s.sum("system.paging.usage", "system.paging.state", "free")
	if all := used + free; all > 0 {
		l := append(line{{fit("swap", 8), muted}}, bar(long, []float64{used / all}, []string{orange})...)
		lines = append(lines, append(l, span{text: fit(percent(used/all), -7)}, span{" of " + size(all), muted}))
	}
	return lines
}

// devices has a line for each disk and interface that did anything in the last two minutes.
func devices(s *snapshot, width int) []line {
	type pair struct{ name, metric, key, way, first, second string }
	var lines []line
	for _, d := range []pair{
		{"disk", "system.disk.io", "system.device", "disk.io.direction", "read", "write"},
		{"net", "system.network.io", "network.interface.name", "network.io.direction", "receive", "transmit"},
	} {
		idle := 0
		for _, n := range s.names(d.metric, d.key) {
			course := s.course(false, d.metric, d.key, n)
			if !slices.ContainsFunc(course, func(v float64) bool { return v > 0 }) {
				idle++
				continue
			}
			in, out := s.sum(d.metric, d.key, n, d.way, d.first), s.sum(d.metric, d.key, n, d.way, d.second)
			l := line{{fit(d.name+" "+n, 13) + " ", muted}, {text: fit(rate(in), -10)}, {" " + d.first[:1], muted}, {text: fit(rate(out), -11)}, {" " + d.second[:1] + " ", muted}}
			note := ""
			if d.name == "disk" {
				note = percent(s.sum("system.disk.io_time", d.key, n))
			} else if e := zero(s.sum("system.network.errors", d.key, n)) + zero(s.sum("system.network.packet.dropped", d.key, n)); e > 0 {
				note = "▲" + digits(e) + "/s"
			}
			style := ""
			if strings.HasPrefix(note, "▲") {
				style = alarm
			}
			l = append(l, span{fit(note, -7) + " ", style}, span{spark(course, max(0, min(points, width-50)), 0), blue})
			if len(lines) < 2*maxRows {
				lines = append(lines, l)
			}
		}
		if idle > 0 {
			lines = append(lines, line{{fmt.Sprintf("%s: %d more, idle", d.name, idle), muted}})
		}
	}
	return lines
}

// filesystems has a line for each, the fullest first.
func filesystems(s *snapshot, width int) []line {
	names := s.names("system.filesystem.usage", mount)
	slices.SortStableFunc(names, func(a, b string) int {
		_, x := space(s, a)
		_, y := space(s, b)
		return largest(x, y)
	})
	var lines []line
	for i, m := range names {
		if i == maxRows {
			lines = append(lines, line{{fmt.Sprintf("%d filesystems that are less full", len(names)-i), muted}})
			break
		}
		free, share := space(s, m)
		style := blue
		if share > 0.9 {
			style = alarm
		}
		l := line{{fit(m, 13) + " ", muted}}
		l = append(l, bar(max(6, width-14-22), []float64{share}, []string{style})...)
		lines = append(lines, append(l, span{text: fit(percent(share), -7)}, span{fit(size(free), -10) + " free", muted}))
	}
	return lines
}

package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// This file has the table of containers, services and other control groups, which stands in the place of the processes.

type groupTable struct {
	T       *int64   `json:"t"`
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	Omitted int      `json:"omitted"`
}

// group is a control group. What is not known, or not limited, is NaN.
type group struct {
	path, name, kind                                    string
	cpu, throttled, memory, memoryShare, in, out, kills float64
}

// read makes groups of the rows.
func (t *groupTable) read() []group {
	list := make([]group, 0, len(t.Rows))
	for _, row := range t.Rows {
		cell := func(name string) any {
			if i := slices.Index(t.Columns, name); i >= 0 && i < len(row) {
				return row[i]
			}
			return nil
		}
		g := group{
			path: text(cell("path")), name: text(cell("name")), kind: text(cell("kind")), cpu: number(cell("cpu")), throttled: number(cell("throttled")),
			memory: number(cell("memory")), memoryShare: math.NaN(), in: number(cell("read")), out: number(cell("write")), kills: number(cell("oom_kills")),
		}
		if limit := number(cell("memory_limit")); limit > 0 {
			g.memoryShare = g.memory / limit
		}
		list = append(list, g)
	}
	return list
}

// groupOrders are the ways to sort groups, by the names of those of processes; groups have no pid.
var groupOrders = map[string]func(a, b group) int{
	"cpu":  func(a, b group) int { return largest(a.cpu, b.cpu) },
	"mem":  func(a, b group) int { return largest(a.memory, b.memory) },
	"io":   func(a, b group) int { return largest(sum(a.in, a.out), sum(b.in, b.out)) },
	"pid":  func(a, b group) int { return strings.Compare(a.path, b.path) },
	"name": func(a, b group) int { return strings.Compare(a.name, b.name) },
}

// arrangeGroups sorts groups; what is not shown comes last.
func arrangeGroups(list []group, sort string) []group {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(x, y group) int {
		if rest := (x.kind == "other"); rest != (y.kind == "other") {
			if rest {
				return 1
			}
			return -1
		}
		return cmp.Or(groupOrders[sort](x, y), largest(x.cpu, y.cpu), largest(x.memory, y.memory), strings.Compare(x.path, y.path))
	})
	return out
}

// groupColumns is the width of the columns but the name, which takes what is left.
const groupColumns = 1 + 9 + 8 + 10 + 10 + 9 + 10 + 10 + 5

// groupLines is the table of groups; the one that is chosen is marked. chosen is -1 where none can be.
func groupLines(s *snapshot, rows []group, left, chosen, width int) []line {
	head := "containers and services: none at this time"
	if s.groups.T != nil {
		head = "containers and services at " + time.UnixMilli(*s.groups.T).Format("15:04:05")
	}
	name := max(12, width-groupColumns)
	lines := []line{{{head, strong}}, {{
		fit("name", name) + " " + fit("kind", 9) + fit("cpu", -8) + fit("throttled", -10) + fit("memory", -10) + fit("of limit", -9) + fit("read", -10) +
			fit("write", -10) + fit("OOM", -5), muted,
	}}}
	much := func(over bool) string {
		if over {
			return alarm
		}
		return ""
	}
	for i, g := range rows {
		style := ""
		if i == chosen {
			style = "::r"
		}
		lines = append(lines, line{
			{fit(g.name, name) + " ", style},
			{fit(g.kind, 9), muted},
			{text: fit(percent(g.cpu), -8)},
			{fit(known(g.throttled, percent), -10), much(g.throttled > 0.25)},
			{text: fit(size(g.memory), -10)},
			{fit(known(g.memoryShare, percent), -9), much(g.memoryShare > 0.9)},
			{text: known(g.in, quiet, 10) + known(g.out, quiet, 10)},
			{fit(known(g.kills, count), -5), much(g.kills > 0)},
		})
	}
	if left += s.groups.Omitted; left > 0 {
		lines = append(lines, line{{fmt.Sprintf("%d more groups", left), muted}})
	}
	return lines
}

// known is a value as text, or nothing, as wide as it is said, where there is none.
func known(v float64, text func(float64) string, width ...int) string {
	if math.IsNaN(v) {
		if len(width) > 0 {
			return strings.Repeat(" ", width[0])
		}
		return ""
	}
	return text(v)
}

// of tells whether a process is in the group of a path.
func (p *process) of(path string) bool {
	if p.group != "" {
		return p.group == path
	}
	return p.unit != "" && strings.Contains(path, p.unit)
}

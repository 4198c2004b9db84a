package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// widths of the columns but the name, which takes what is left.
const fixedColumns = 7 + 1 + 10 + 1 + 8 + 10 + 10 + 10 + 5

func heading(s *snapshot) string {
	if s.table.T == nil {
		return "processes: none at this time"
	}
	return "processes at " + time.UnixMilli(*s.table.T).Format("15:04:05")
}

// processLines is the table of processes with its sums.
func processLines(s *snapshot, rows []process, left, width int) []line {
	lines := []line{{{heading(s), strong}}, header(width)}
	for _, p := range rows {
		lines = append(lines, row(p, width))
	}
	return append(lines, footer(s, left, width)...)
}

func nameWidth(width int) int { return max(12, width-fixedColumns) }

func header(width int) line {
	return line{{fit("pid", -7) + " " + fit("name", nameWidth(width)) + " " + fit("user", 10) + fit("cpu", -8) + fit("memory", -10) + fit("read", -10) + fit("write", -10) + fit("thr", -5), muted}}
}

func row(p process, width int) line {
	style := ""
	if p.cpu >= 0.5 {
		style = orange
	}
	return line{
		{fit(fmt.Sprint(p.pid), -7) + " ", muted},
		{p.guide, muted},
		{text: fit(p.name, max(1, nameWidth(width)-len([]rune(p.guide)))) + " " + fit(p.user, 10)},
		{fit(percent(p.cpu), -8), style},
		{text: fit(size(p.memory), -10) + quiet(p.in) + quiet(p.out) + fit(count(p.threads), -5)},
	}
}

// quiet is a rate, or nothing for 0.
func quiet(v float64) string {
	if v == 0 {
		return fit("·", -10)
	}
	return fit(rate(v), -10)
}

func count(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprint(int(v))
}

// footer are the sums: groups of processes that are not rows, what no process accounts for, and all together.
func footer(s *snapshot, left, width int) []line {
	var lines []line
	add := func(name string, cpu float64, rest string) {
		lines = append(lines, line{{fit("", 8) + fit(name, nameWidth(width)+1+10) + fit(percent(cpu), -8) + rest, muted}})
	}
	if left > 0 {
		lines = append(lines, line{{fit("", 8) + fmt.Sprintf("%d more rows", left), muted}})
	}
	together, ended := 0.0, 0.0
	for _, p := range s.processes {
		together += zero(p.cpu)
		ended += zero(p.children)
	}
	for _, g := range s.table.Groups {
		cpu := number(g["cpu"])
		together += zero(cpu)
		ended += zero(number(g["children"]))
		add(fmt.Sprintf("%s (%s)", text(g["name"]), count(number(g["count"]))), cpu, fit(size(number(g["memory"])), -10))
	}
	together += ended
	if ended > 0 {
		add("children that have ended", ended, "")
	}
	if s.table.Missing != nil {
		together += *s.table.Missing
		add("unattributed", *s.table.Missing, "")
	}
	if t := s.table.Total; t != nil {
		add(fmt.Sprintf("together of %d %%", t.CPUs*100), together, "")
		lines[len(lines)-1] = append(lines[len(lines)-1], span{strings.Repeat(" ", 2) + "CPUs ran " + percent(t.CPU), muted})
	}
	return lines
}

package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

type processTable struct {
	T        *int64           `json:"t"`
	Previous *int64           `json:"previous"`
	Next     *int64           `json:"next"`
	Columns  []string         `json:"columns"`
	Rows     [][]any          `json:"rows"`
	Groups   []map[string]any `json:"groups"`
	Missing  *float64         `json:"unattributed"`
	Total    *struct {
		CPU  float64 `json:"cpu"`
		CPUs int     `json:"cpus"`
	} `json:"total"`
}

type process struct {
	pid, parent                    int
	created                        int64
	name, user, unit, group        string
	cpu, children, memory, in, out float64
	threads                        float64
	guide                          string // lines of the tree before the name
}

// read makes processes of the rows; a number that is not known is NaN.
func (t *processTable) read() []process {
	place := map[string]int{}
	for i, c := range t.Columns {
		place[c] = i
	}
	list := make([]process, 0, len(t.Rows))
	for _, row := range t.Rows {
		cell := func(name string) any {
			if i, ok := place[name]; ok && i < len(row) {
				return row[i]
			}
			return nil
		}
		p := process{
			pid: int(number(cell("pid"))), parent: int(number(cell("parent"))), created: int64(number(cell("created"))),
			name: text(cell("name")), user: text(cell("user")), unit: cmp.Or(text(cell("container")), text(cell("unit"))), group: text(cell("group")),
			cpu: number(cell("cpu")), children: number(cell("children")), memory: number(cell("memory")),
			in: number(cell("read")), out: number(cell("write")), threads: number(cell("threads")),
		}
		list = append(list, p)
	}
	return list
}

func number(v any) float64 {
	if f, ok := v.(float64); ok {
		return f
	}
	return math.NaN()
}

func text(v any) string {
	if s, ok := v.(string); ok {
		return clean(s)
	}
	return ""
}

type arrangement struct {
	sort, filter string
	tree         bool
}

// orders are the ways to sort; the largest comes first.
var orders = map[string]func(a, b process) int{
	"cpu":  func(a, b process) int { return largest(a.cpu, b.cpu) },
	"mem":  func(a, b process) int { return largest(a.memory, b.memory) },
	"io":   func(a, b process) int { return largest(sum(a.in, a.out), sum(b.in, b.out)) },
	"pid":  func(a, b process) int { return cmp.Compare(a.pid, b.pid) },
	"name": func(a, b process) int { return strings.Compare(a.name, b.name) },
}

var orderNames = []string{"cpu", "mem", "io", "pid", "name"}

// largest compares so that the larger comes first, and what is not known last.
func largest(a, b float64) int { return cmp.Compare(b, a) }

func sum(a, b float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	default:
		return a + b
	}
}

func arrange(list []process, a arrangement) []process {
	words := strings.Fields(strings.ToLower(a.filter))
	path, ofGroup := strings.CutPrefix(a.filter, "=")
	var found []process
	for _, p := range list {
		if ofGroup {
			if p.of(path) {
				found = append(found, p)
			}
			continue
		}
		all := strings.ToLower(fmt.Sprint(p.pid, " ", p.name, " ", p.user, " ", p.unit))
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) }) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(x, y process) int {
		return cmp.Or(orders[a.sort](x, y), largest(x.cpu, y.cpu), largest(x.memory, y.memory), cmp.Compare(x.pid, y.pid))
	})
	if a.tree {
		return tree(found)
	}
	return found
}

// tree puts processes under their parents, siblings in the order of the list. Those in a circle of parents stand at the end.
func tree(list []process) []process {
	known := map[int]bool{}
	for _, p := range list {
		known[p.pid] = true
	}
	below := map[int][]process{}
	const root = -1
	for _, p := range list {
		parent := p.parent
		if !known[parent] || parent == p.pid {
			parent = root
		}
		below[parent] = append(below[parent], p)
	}
	var out []process
	done := map[int]bool{}
	var walk func(pid int, guide string)
	walk = func(pid int, guide string) {
		children := below[pid]
		for i, p := range children {
			if done[p.pid] {
				continue
			}
			done[p.pid] = true
			branch, trunk := "├ ", "│ "
			if i == len(children)-1 {
				branch, trunk = "└ ", "  "
			}
			if pid == root {
				branch, trunk = "", ""
			}
			p.guide = guide + branch
			out = append(out, p)
			walk(p.pid, guide+trunk)
		}
	}
	walk(root, "")
	for _, p := range list {
		if !done[p.pid] {
			out = append(out, p)
		}
	}
	return out
}

// keep puts processes in the places that they had, new ones at the end.
func keep(list []process, places map[[2]int64]int) []process {
	place := func(p process) int {
		if i, ok := places[[2]int64{int64(p.pid), p.created}]; ok {
			return i
		}
		return math.MaxInt
	}
	slices.SortStableFunc(list, func(a, b process) int { return cmp.Compare(place(a), place(b)) })
	return list
}

package hostpageexporter

import (
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

type processesAnswer struct {
	Version      int           `json:"version"`
	Store        string        `json:"store"`
	At           millis        `json:"at"`
	Time         millis        `json:"t"`
	Previous     millis        `json:"previous"`
	Next         millis        `json:"next"`
	Tier         int           `json:"tier"`
	Columns      []string      `json:"columns"`
	Rows         [][]any       `json:"rows"`
	Groups       []groupAnswer `json:"groups"`
	Unattributed nullable      `json:"unattributed"`
	Total        *totalAnswer  `json:"total"`
	Omitted      int           `json:"omitted"`
}

type groupAnswer struct {
	Name     string   `json:"name"`
	Count    int64    `json:"count"`
	CPU      nullable `json:"cpu"`
	Children nullable `json:"children"`
	Memory   nullable `json:"memory"`
	Read     nullable `json:"read"`
	Write    nullable `json:"write"`
	Threads  nullable `json:"threads"`
}

type totalAnswer struct {
	CPU  nullable `json:"cpu"`
	CPUs int64    `json:"cpus"`
}

var processColumns = []string{
	"pid", "parent", "created", "name", "user", "cpu", "children", "memory", "read", "write", "threads", "unit", "container", "group",
}

// processes answers the process table of a moment.
func (p *page) processes(a *answering) error {
	now := p.now()
	at, err := timeOf(a.URL.Query(), "at", now.UnixMicro(), now)
	if err != nil {
		return err
	}
	// A time in milliseconds was rounded down: the table of that time may be up to one later.
	out := p.tableAnswer(a.store.Table(at + 999))
	out.Store, out.At = a.store.Name(), millis(at)
	return a.writeJSON(out)
}

func (p *page) tableAnswer(t history.Table) processesAnswer {
	out := processesAnswer{
		Version: apiVersion, Time: millis(t.Time), Previous: millis(t.Previous), Next: millis(t.Next), Tier: t.Tier, Columns: processColumns,
		Rows: make([][]any, 0, len(t.Rows)), Groups: make([]groupAnswer, 0, len(t.Groups)), Unattributed: nullable(t.Unattributed), Omitted: t.Omitted,
	}
	if p.cfg.CommandLines {
		out.Columns = append(slices.Clip(processColumns), "command_line")
	}
	for i := range t.Rows {
		out.Rows = append(out.Rows, p.row(&t.Rows[i]))
	}
	for _, g := range t.Groups {
		out.Groups = append(out.Groups, groupAnswer{
			g.Name, g.Count, nullable(g.CPU), nullable(g.Children), nullable(g.Memory), nullable(g.Read), nullable(g.Write), nullable(g.Threads),
		})
	}
	if !math.IsNaN(t.Unattributed) {
		out.Total = &totalAnswer{CPU: nullable(t.Busy() + t.Unattributed), CPUs: t.CPUs}
	}
	return out
}

func (p *page) row(r *history.Row) []any {
	row := []any{
		r.Pid, r.Parent, millis(r.Created * 1000), r.Name, textOrNull(r.User), nullable(r.CPU), nullable(r.Children), nullable(r.Memory),
		nullable(r.Read), nullable(r.Write), nullable(r.Threads), textOrNull(r.Unit), textOrNull(r.Container),
		textOrNull(r.ControlGroup),
	}
	if p.cfg.CommandLines {
		row = append(row, textOrNull(r.CommandLine))
	}
	return row
}

func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

package hostpageexporter

import (
	"path"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

type groupsAnswer struct {
	Version  int      `json:"version"`
	Store    string   `json:"store"`
	At       millis   `json:"at"`
	Time     millis   `json:"t"`
	Previous millis   `json:"previous"`
	Next     millis   `json:"next"`
	Tier     int      `json:"tier"`
	Columns  []string `json:"columns"`
	Rows     [][]any  `json:"rows"`
	Omitted  int      `json:"omitted"`
}

var groupColumns = []string{
	"path", "name", "kind", "cpu", "cpu_limit", "throttled", "memory", "memory_limit", "read", "write", "oom_kills", "unit", "container", "image",
	"runtime", "namespace", "pod",
}

// groups answers the table of control groups of a moment.
func (p *page) groups(a *answering) error {
	now := p.now()
	at, err := timeOf(a.URL.Query(), "at", now.UnixMicro(), now)
	if err != nil {
		return err
	}
	out := groupsOf(a.store.ControlGroups(at + 999)) // As for processes.
	out.Store, out.At = a.store.Name(), millis(at)
	return a.writeJSON(out)
}

func groupsOf(t history.GroupTable) groupsAnswer {
	out := groupsAnswer{
		Version: apiVersion, Time: millis(t.Time), Previous: millis(t.Previous), Next: millis(t.Next), Tier: t.Tier, Columns: groupColumns,
		Rows: make([][]any, 0, len(t.Rows)), Omitted: t.Omitted,
	}
	for i := range t.Rows {
		r := &t.Rows[i]
		name, kind := nameOfGroup(&r.ControlGroup)
		out.Rows = append(out.Rows, []any{
			r.Path, name, kind, nullable(r.CPU), nullable(r.CPULimit), nullable(r.Throttled), nullable(r.Memory), nullable(r.MemoryLimit),
			nullable(r.Read), nullable(r.Write), nullable(r.OOMKills), textOrNull(r.Unit), textOrNull(r.ContainerID), textOrNull(r.Image),
			textOrNull(r.Runtime), textOrNull(r.Namespace), textOrNull(r.Pod),
		})
	}
	return out
}

// shortID is how much of a container's identifier stands for its name.
const shortID = 12

// nameOfGroup is what people call a group, and what it is: container, service, scope, other (what is not shown) or group.
func nameOfGroup(g *history.ControlGroup) (name, kind string) {
	switch {
	case g.Pod != "" && g.PodContainer != "":
		return g.Pod + "/" + g.PodContainer, "container"
	case g.Container != "":
		return g.Container, "container"
	case g.ContainerID != "":
		return g.ContainerID[:min(len(g.ContainerID), shortID)], "container"
	case strings.HasSuffix(g.Unit, ".scope"):
		return g.Unit, "scope"
	case g.Unit != "":
		return g.Unit, "service"
	case g.Path == "other":
		return g.Path, "other"
	default:
		return path.Base(g.Path), "group"
	}
}

package notifyexporter

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// title is the message in one line: how bad, what, where.
func title(m *message) string {
	prefix := ""
	if m.Test {
		prefix = "TEST "
	}
	if len(m.items) == 1 {
		return prefix + headline(&m.items[0])
	}
	firing, resolved := 0, 0
	for i := range m.items {
		if m.items[i].last().Resolved {
			resolved++
		} else {
			firing++
		}
	}
	var counts []string
	if firing > 0 {
		counts = append(counts, fmt.Sprintf("%d firing", firing))
	}
	if resolved > 0 {
		counts = append(counts, fmt.Sprintf("%d resolved", resolved))
	}
	text := fmt.Sprintf("%d alerts: %s", len(m.items), strings.Join(counts, ", "))
	if resolved == 0 {
		text = fmt.Sprintf("%d alerts firing", firing)
	}
	if m.Status == "firing" {
		text = strings.ToUpper(m.Severity) + " " + text
	} else {
		text = fmt.Sprintf("RESOLVED %d alerts", len(m.items))
	}
	if m.Storm && firing > 0 {
		text += " (storm)"
	}
	hosts := map[string]struct{}{}
	for i := range m.items {
		hosts[m.items[i].entry.where()] = struct{}{}
	}
	if m.Acknowledged {
		text = fmt.Sprintf("ACKNOWLEDGED %d alerts", len(m.items))
	}
	names := slices.Sorted(maps.Keys(hosts))
	delete(hosts, "")
	switch {
	case len(names) == 1 && names[0] != "":
		text += " on " + names[0]
	case len(hosts) > 1 && len(hosts) <= 3:
		text += " on " + strings.Join(slices.Sorted(maps.Keys(hosts)), ", ")
	case len(hosts) > 3:
		text += fmt.Sprintf(" on %d hosts", len(hosts))
	}
	return prefix + text
}

// headline is one alert in one line.
func headline(it *item) string {
	n := it.last()
	state := strings.ToUpper(n.Severity)
	switch {
	case it.onlyAcknowledges():
		state = "ACKNOWLEDGED"
	case it.entry.Once:
		state = strings.ToUpper(cmp.Or(n.Severity, "notice"))
	case n.Resolved:
		state = "RESOLVED"
	case n.State == "no_data":
		state = "NO DATA"
	case n.State == "flapping":
		state = strings.ToUpper(n.Severity) + ", FLAPPING"
	}
	text := state + " " + it.entry.About.Rule
	if where := it.entry.where(); where != "" {
		text += " on " + where
	}
	if part := it.entry.part(); part != "" {
		text += ": " + part
	}
	switch {
	case it.why == whyEscalated:
		text += " (escalated)"
	case n.Transition == "repeat" && !n.Resolved:
		text += " (still firing)"
	}
	return text
}

// where is the host, or what else identifies the resource.
func (e *entry) where() string {
	for _, key := range []string{keyHostName, "k8s.pod.name", "service.name", "k8s.node.name", "host.id"} {
		if v := e.About.Resource[key]; v != "" {
			return v
		}
		if v := e.About.Group[key]; v != "" {
			return v
		}
	}
	return ""
}

// maxPart bounds what a headline says of where on a host it is, in characters.
const maxPart = 60

// part is where on the host it is: the values of the alert's group.
func (e *entry) part() string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(e.About.Group)) {
		if v := e.About.Group[key]; v != "" && v != e.where() && !slices.Contains(parts, v) {
			parts = append(parts, v)
		}
	}
	return cutTo(oneLine(strings.Join(parts, " ")), maxPart)
}

// summary is a line for each rule and state of the alerts.
func summary(items []item) []string {
	type kind struct{ rule, state string }
	counts, hosts := map[kind]int{}, map[kind]map[string]struct{}{}
	for i := range items {
		it := &items[i]
		k := kind{it.entry.About.Rule, it.last().Severity}
		if it.last().Resolved {
			k.state = "resolved"
		}
		counts[k]++
		if hosts[k] == nil {
			hosts[k] = map[string]struct{}{}
		}
		hosts[k][it.entry.where()] = struct{}{}
	}
	var lines []string
	for _, k := range slices.SortedFunc(maps.Keys(counts), func(a, b kind) int {
		return cmp.Or(-cmp.Compare(counts[a], counts[b]), cmp.Compare(a.rule, b.rule), cmp.Compare(a.state, b.state))
	}) {
		line := fmt.Sprintf("%d × %s %s", counts[k], k.state, k.rule)
		if names := slices.Sorted(maps.Keys(hosts[k])); len(names) > 3 {
			line += fmt.Sprintf(" on %d hosts: %s, …", len(names), strings.Join(names[:3], ", "))
		} else if strings.Join(names, "") != "" {
			line += " on " + strings.Join(names, ", ")
		}
		if len(lines) == maxStories {
			return append(lines, "…")
		}
		lines = append(lines, line)
	}
	return lines
}

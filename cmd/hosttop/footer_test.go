package main

import (
	"strings"
	"testing"
)

// What children used that have ended is a line of its own: without it the rows do not add up to what stands below them.
func TestFooterTellsOfChildrenThatHaveEnded(t *testing.T) {
	shown := &snapshot{processes: []process{{cpu: 0.5, children: 0.25}}}
	shown.table.Groups = []map[string]any{{"name": "other", "count": 3.0, "cpu": 0.125, "children": 0.125, "memory": 1024.0}}
	missing := 0.0
	shown.table.Missing = &missing
	if got := footerText(shown); !strings.Contains(got, "children that have ended") || !strings.Contains(got, "38 %") {
		t.Errorf("no line of children that have ended, 37.5 %% of a CPU:\n%s", got)
	}
	shown.processes[0].children, shown.table.Groups[0]["children"] = 0, 0.0
	if got := footerText(shown); strings.Contains(got, "children") {
		t.Errorf("a line of children where none ended:\n%s", got)
	}
}

func footerText(s *snapshot) string {
	var b strings.Builder
	for _, l := range footer(s, 0, 100) {
		b.WriteString(l.plain() + "\n")
	}
	return b.String()
}

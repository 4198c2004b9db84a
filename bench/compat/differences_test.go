package compat

import (
	"os"
	"strings"
	"testing"
)

// difference is a row of the table in docs/migrating.md of what differs, and may.
type difference struct {
	metric     string
	attributes []string // that the series have, as key=value; none means all series
	missing    bool     // they are not there at all, rather than with another value
}

// is tells whether the row is about a series.
func (d *difference) is(s *series, there bool) bool {
	if d.metric != s.metric || d.missing == there {
		return false
	}
	for _, a := range d.attributes {
		if !strings.Contains(","+s.attributes+",", ","+a+",") {
			return false
		}
	}
	return true
}

// readDifferences reads the table below the heading "Figures that differ".
func readDifferences(t *testing.T) []difference {
	t.Helper()
	text, err := os.ReadFile("../../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## Figures that differ\n")
	if !found {
		t.Fatal("docs/migrating.md has no heading `Figures that differ`")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var out []difference
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| `") || len(cells) != 4 {
			continue
		}
		d := difference{metric: strings.Trim(strings.TrimSpace(cells[0]), "`")}
		for a := range strings.FieldsSeq(strings.ReplaceAll(cells[1], "`", " ")) {
			if strings.Contains(a, "=") {
				d.attributes = append(d.attributes, a)
			}
		}
		switch strings.TrimSpace(cells[2]) {
		case "missing":
			d.missing = true
		case "other value":
		default:
			t.Fatalf("docs/migrating.md: %s: the third cell is %q: expected `missing` or `other value`", d.metric, cells[2])
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		t.Fatal("docs/migrating.md lists no difference")
	}
	return out
}

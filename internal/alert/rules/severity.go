package rules

import (
	"cmp"
	"slices"
)

// severityNumbers are the OTLP severity numbers of names that people use for alerts.
var severityNumbers = map[string]int{
	"trace": 1, "debug": 5, "info": 9, "notice": 10, "warning": 13, "warn": 13, "minor": 14, "error": 17, "major": 17,
	"critical": 18, "alert": 19, "emergency": 21, "fatal": 21,
}

// compileSeverities reads the ladder's order: a list of names, or a map from name to severity number.
func compileSeverities(v any, report func(string, ...any)) []Severity {
	var names []string
	switch x := v.(type) {
	case nil:
		names = []string{"info", "warning", "critical"}
	case []string:
		names = x
	case []any:
		for _, item := range x {
			name, ok := item.(string)
			if !ok {
				report("severities: expected names, got %v", item)
				continue
			}
			names = append(names, name)
		}
	case map[string]any:
		return severitiesFromMap(x, report)
	default:
		report("severities: expected a list of names or a map from name to severity number, got %v", v)
	}
	var out []Severity
	for _, name := range names {
		number, known := severityNumbers[name]
		if !known {
			report("severities: %q has no severity number of its own: write severities as a map from name to number", name)
		}
		if slices.ContainsFunc(out, func(s Severity) bool { return s.Name == name }) {
			report("severities: duplicate %q", name)
		}
		out = append(out, Severity{Name: name, Number: number})
	}
	return out
}

func severitiesFromMap(m map[string]any, report func(string, ...any)) []Severity {
	var out []Severity
	for _, name := range sortedKeys(m) {
		number, ok := m[name].(int)
		if !ok || number < 1 || number > 24 {
			report("severities: %s: expected a severity number from 1 to 24, got %v", name, m[name])
			continue
		}
		out = append(out, Severity{Name: name, Number: number})
	}
	slices.SortStableFunc(out, func(a, b Severity) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

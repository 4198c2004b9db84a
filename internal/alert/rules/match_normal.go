package rules

import (
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// A match has one meaning and many spellings: p, {in: [p]}, a glob or a pattern that only p matches. All of them become one form, which is
// what the engine tests, what selections and versions are made of, and what decides which attributes distinguish groups.

// normalize brings the tests into that form, and the selector's text with them.
func (s *Selector) normalize() {
	s.point, s.resource, s.scope = normalTests(s.point), normalTests(s.resource), normalTests(s.scope)
	top := testsMap(s.point)
	for key, tests := range map[string][]matcher{"resource": s.resource, "scope": s.scope} {
		if of := testsMap(tests); of != nil {
			if top == nil {
				top = map[string]any{}
			}
			top[key] = of
		}
	}
	s.canonical = matchText(top)
}

// normalTests returns tests that pass what the given ones do, in the form that all spellings have in common: those of each key together.
func normalTests(tests []matcher) []matcher {
	var out []matcher
	for len(tests) > 0 {
		n := 1
		for n < len(tests) && tests[n].key == tests[0].key {
			n++
		}
		out = append(out, normalTestsOfKey(tests[:n])...)
		tests = tests[n:]
	}
	return out
}

func normalTestsOfKey(written []matcher) []matcher {
	tests := make([]matcher, len(written))
	spelled := make([]string, len(written))
	for i := range written {
		tests[i], spelled[i] = written[i].normal(), written[i].written()
	}
	has := func(op matchOp) bool {
		return slices.ContainsFunc(tests, func(m matcher) bool { return m.op == op })
	}
	switch {
	case has(opMissing): // What is missing passes not_regex, and nothing else.
		tests = slices.DeleteFunc(tests, func(m matcher) bool { return m.op == opNotRegex })
	case has(opExact) || has(opIn):
		tests = []matcher{valuesOfAll(tests)}
	case has(opRegex):
		tests = slices.DeleteFunc(tests, func(m matcher) bool { return m.op == opExists })
	}
	slices.SortFunc(tests, func(a, b matcher) int {
		if a.op != b.op {
			return int(a.op) - int(b.op)
		}
		return strings.Compare(a.pattern, b.pattern)
	})
	tests = slices.CompactFunc(tests, func(a, b matcher) bool { return a.op == b.op && a.pattern == b.pattern })
	if len(tests) == 1 {
		tests[0].spelled = strings.Join(spelled, " and ")
	}
	return tests
}

// valuesOfAll is the one test for tests of which one at least has its values listed.
func valuesOfAll(tests []matcher) matcher {
	i := slices.IndexFunc(tests, func(m matcher) bool { return m.op == opExact || m.op == opIn })
	m := tests[i]
	values, _ := m.values()
	values = slices.DeleteFunc(slices.Clone(values), func(text string) bool {
		return slices.ContainsFunc(tests, func(of matcher) bool { return !of.matchesValue(attr.StringValue(text), true) })
	})
	return m.ofValues(values)
}

// ofValues is the test for these values.
func (m *matcher) ofValues(values []string) matcher {
	slices.Sort(values)
	out := matcher{key: m.key, op: opIn, in: slices.Compact(values)}
	if len(out.in) == 1 {
		out = matcher{key: m.key, op: opExact, text: out.in[0]}
	}
	return out
}

// normal is one test in the form that its spellings have in common.
func (m *matcher) normal() matcher {
	switch m.op {
	case opIn:
		return m.ofValues(slices.Clone(m.in))
	case opRegex, opNotRegex:
		pattern := m.pattern
		if m.glob {
			pattern = globPattern(pattern)
		}
		n := normalPatternOf(pattern)
		out := matcher{key: m.key, op: m.op, re: m.re, pattern: n.text, spelled: m.written()}
		switch {
		case n.everything && m.op == opRegex:
			return matcher{key: m.key, op: opExists}
		case n.everything:
			return matcher{key: m.key, op: opMissing}
		case len(n.values) > 0 && m.op == opRegex:
			return m.ofValues(n.values)
		}
		return out
	}
	return *m
}

// testsMap writes tests in their one form as a match, nil for none. Several patterns of one key are a list there.
func testsMap(tests []matcher) map[string]any {
	out := map[string]any{}
	for i := range tests {
		m := &tests[i]
		if m.op == opExact {
			out[m.key] = m.text
			continue
		}
		ops, _ := out[m.key].(map[string]any)
		if ops == nil {
			ops = map[string]any{}
			out[m.key] = ops
		}
		switch m.op {
		case opIn:
			list := make([]any, len(m.in))
			for k, text := range m.in {
				list[k] = text
			}
			ops["in"] = list
		case opExists:
			ops["exists"] = "true"
		case opMissing:
			ops["exists"] = "false"
		case opRegex:
			addPattern(ops, "regex", m.pattern)
		case opNotRegex:
			addPattern(ops, "not_regex", m.pattern)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func addPattern(ops map[string]any, op, pattern string) {
	switch before := ops[op].(type) {
	case nil:
		ops[op] = pattern
	case string:
		ops[op] = []any{before, pattern}
	case []any:
		ops[op] = append(before, pattern)
	}
}

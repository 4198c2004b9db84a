package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// anchored compiles a pattern that has to match a whole value, as Prometheus' patterns do.
func anchored(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err // Without what is put around it.
	}
	return regexp.Compile("^(?s:" + pattern + ")$")
}

// partialHint is what to write for a pattern that was probably meant to match a part of the value, "" for others: it is anchored at one end
// alone, or has nothing in it that only a pattern has.
func partialHint(pattern string) string {
	begins, ends := strings.HasPrefix(pattern, "^"), strings.HasSuffix(pattern, "$") && !strings.HasSuffix(pattern, `\$`)
	switch {
	case strings.Contains(strings.Trim(pattern, "^$"), "|"):
		return "" // An anchor may be of one alternative.
	case begins && !ends && !strings.HasSuffix(pattern, ".*") && !strings.HasSuffix(pattern, ".+"):
		return strings.TrimPrefix(pattern, "^") + ".*"
	case ends && !begins && !strings.HasPrefix(pattern, ".*") && !strings.HasPrefix(pattern, ".+"):
		return ".*" + strings.TrimSuffix(pattern, "$")
	case !begins && !ends && pattern != "" && regexp.QuoteMeta(pattern) == strings.ReplaceAll(pattern, ".", `\.`):
		return ".*" + pattern + ".*"
	default:
		return ""
	}
}

// doubtfulMatch warns about tests that are probably not meant as they are written: patterns that matched parts of values in earlier builds and
// were probably made for that, and none at all.
func doubtfulMatch(match map[string]any, prefix string, warn func(string, ...any)) {
	for _, key := range sortedKeys(match) {
		ops, ok := match[key].(map[string]any)
		if !ok {
			continue
		}
		if prefix == "match." && (key == "resource" || key == "scope") {
			doubtfulMatch(ops, prefix+key+".", warn)
			continue
		}
		if len(ops) == 0 {
			warn("%s%s: {} tests nothing: write a value, or an operator of %s", prefix, key, strings.Join(matchOps, ", "))
		}
		for _, op := range []string{"regex", "not_regex"} {
			pattern, _ := ops[op].(string)
			if hint := partialHint(pattern); hint != "" {
				warn("%s%s: %s %q has to match the whole value, as in Prometheus: for a part of it write %q", prefix, key, op, pattern, hint)
			}
		}
	}
}

// contradiction says why no value of an attribute passes all its tests, nil when one may.
func contradiction(tests []matcher) error {
	words := make([]string, len(tests))
	for i := range tests {
		words[i] = tests[i].written()
		if tests[i].op == opIn && len(tests[i].in) == 0 {
			return errors.New("in: [] matches nothing: name at least one value")
		}
	}
	if len(tests) < 2 {
		return nil
	}
	together := fmt.Errorf("nothing is %s at once", strings.Join(words, " and "))
	for i := range tests {
		for _, of := range tests {
			if tests[i].op == opRegex && of.op == opNotRegex && tests[i].re.String() == of.re.String() ||
				tests[i].op == opExists && of.op == opNotRegex && matchesAnything(of.re) ||
				tests[i].op == opMissing && of.op != opMissing && of.op != opNotRegex {
				return together
			}
		}
		values, finite := tests[i].values()
		if finite && !slices.ContainsFunc(values, func(v string) bool {
			return !slices.ContainsFunc(tests, func(m matcher) bool { return !m.matchesValue(attr.StringValue(v), true) })
		}) {
			return together
		}
	}
	return nil
}

// values are all texts that pass the test, where these are few.
func (m *matcher) values() ([]string, bool) {
	switch m.op {
	case opExact:
		return []string{m.text}, true
	case opIn:
		return m.in, true
	case opRegex:
		// A whole pattern without anything variable is one text.
		if inner, err := regexp.Compile(m.pattern); err == nil && !m.glob {
			if text, whole := inner.LiteralPrefix(); whole {
				return []string{text}, true
			}
		}
		if m.glob && !strings.ContainsAny(m.pattern, "*?[") {
			return []string{m.pattern}, true
		}
	}
	return nil, false
}

// matchesAnything tells whether a pattern matches every value, as far as is easily seen.
func matchesAnything(re *regexp.Regexp) bool {
	return slices.Contains([]string{"^(?s:.*)$", "^(?s:.*?)$", "^(?s:(.*))$", "^(?s:^.*$)$", "^(?s:[\\s\\S]*)$"}, re.String())
}

// written is the test as it is written.
func (m *matcher) written() string {
	if m.spelled != "" {
		return m.spelled
	}
	switch m.op {
	case opExact:
		return m.text
	case opIn:
		return "in [" + strings.Join(m.in, ", ") + "]"
	case opExists:
		return "exists: true"
	case opMissing:
		return "exists: false"
	case opNotRegex:
		return "not_regex " + m.pattern
	default:
		if m.glob {
			return "glob " + m.pattern
		}
		return "regex " + m.pattern
	}
}

// example is a text of which to find the most similar one that would pass.
func (m *matcher) example() string {
	switch m.op {
	case opExact:
		return m.text
	case opIn:
		return strings.Join(m.in, " ")
	default:
		return m.pattern
	}
}

package rules

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// matchOp is one test on one attribute.
type matchOp uint8

const (
	opExact matchOp = iota
	opRegex
	opNotRegex
	opIn
	opExists
	opMissing
)

var matchOps = []string{"regex", "not_regex", "glob", "in", "exists"}

// matcher is one compiled test on the attribute Key. A missing attribute passes only not_regex and exists: false.
type matcher struct {
	key  string
	op   matchOp
	text string
	in   []string
	re   *regexp.Regexp
	// pattern is that of re as it is written, a glob where that is set.
	pattern string
	glob    bool
	// old is asked of points that lack the attribute, because they may have it in the form of hostmetricsreceiver; nil where that form is not taken.
	old *matcher
	// spelled is how the operator wrote it, where the test itself is in the one form of all spellings.
	spelled string
}

func (m *matcher) matches(attrs []attr.Attr) bool {
	for i := range attrs {
		if a := &attrs[i]; len(a.Key) == len(m.key) && a.Key == m.key {
			if m.op == opExact { // What nearly every point is asked, without copying the value.
				if equal, isText := a.Value.EqualsString(m.text); isText {
					return equal
				}
			}
			return m.matchesValue(a.Value, true)
		}
	}
	if m.old != nil {
		return m.old.matches(attrs)
	}
	return m.matchesValue(attr.Value{}, false)
}

// matchesSource is matches for attributes that are looked up where they lie.
func (m *matcher) matchesSource(attrs attr.Source) bool {
	v, ok := attrs.Attribute(m.key)
	if !ok && m.old != nil {
		return m.old.matchesSource(attrs)
	}
	return m.matchesValue(v, ok)
}

func (m *matcher) matchesValue(v attr.Value, ok bool) bool {
	switch m.op {
	case opExists:
		return ok
	case opMissing:
		return !ok
	case opNotRegex:
		return !ok || !m.re.MatchString(v.AsString())
	}
	if !ok {
		return false
	}
	switch m.op {
	case opExact:
		return v.EqualsText(m.text)
	case opRegex:
		return m.re.MatchString(v.AsString())
	default:
		return slices.ContainsFunc(m.in, v.EqualsText)
	}
}

// Selector is the compiled Match of a rule.
type Selector struct {
	point, resource, scope []matcher
	// canonical is the selector as text, the same however it is spelled: what rule versions are made of.
	canonical string
	// match is it as it was written, of which builds before have stored the text.
	match map[string]any
}

func (s *Selector) pins(key string) bool {
	return slices.ContainsFunc(s.point, func(m matcher) bool { return m.key == key && m.op == opExact })
}

// pinsTo tells whether the selector selects the one value that the attribute of a data point has. Then it is no part of the group for the points of
// other metrics either, which may have it or not.
func (s *Selector) pinsTo(a attr.Attr) bool {
	return slices.ContainsFunc(s.point, func(m matcher) bool { return m.key == a.Key && m.op == opExact && a.Value.EqualsText(m.text) })
}

// PointKeys are the attributes that a data point must have to match.
func (s *Selector) PointKeys() []string {
	var keys []string
	for i := range s.point {
		if m := &s.point[i]; m.op != opMissing && m.op != opNotRegex {
			keys = append(keys, m.key)
		}
	}
	return keys
}

// MatchesOrigin tells whether the resource and the scope are those of the selector.
func (s *Selector) MatchesOrigin(o *attr.Origin) bool {
	return allMatch(s.resource, o.Resource) && allMatch(s.scope, o.Scope)
}

// MatchesPoint tells whether the attributes of a data point are those of the selector.
func (s *Selector) MatchesPoint(attrs []attr.Attr) bool { return allMatch(s.point, attrs) }

func allMatch(ms []matcher, attrs []attr.Attr) bool {
	for i := range ms {
		if !ms[i].matches(attrs) {
			return false
		}
	}
	return true
}

// MatchesSource is MatchesPoint for attributes that are looked up where they lie.
func (s *Selector) MatchesSource(attrs attr.Source) bool {
	for i := range s.point {
		if !s.point[i].matchesSource(attrs) {
			return false
		}
	}
	return true
}

// compileSelector turns a rule's match map into matchers; what is wrong goes to report. prefix is where the map stands.
func compileSelector(match map[string]any, prefix string, report func(string, ...any)) Selector {
	var s Selector
	point := make(map[string]any, len(match))
	for key, v := range match {
		sub, isMap := v.(map[string]any)
		switch {
		case key == "resource" && isMap:
			s.resource = compileMatchers(sub, prefix+"resource.", report)
		case key == "scope" && isMap:
			s.scope = compileMatchers(sub, prefix+"scope.", report)
		case key == "resource" || key == "scope":
			report("%s%s: %v: expected a block of attributes of the %[2]s", prefix, key, v)
		default:
			if of, name, dotted := strings.Cut(key, "."); dotted && (of == "resource" || of == "scope") {
				report("%s%s: an attribute of the %[3]s is written {%[3]s: {%s: …}}", prefix, key, of, name)
				continue
			}
			point[key] = v
		}
	}
	s.point = compileMatchers(point, prefix, report)
	s.normalize()
	s.match = match
	return s
}

// MayMatch tells whether what is known of a series is what the selector asks for; what is not known may be.
func (s *Selector) MayMatch(known []attr.Located) bool {
	for location, ms := range [...][]matcher{attr.InPoint: s.point, attr.InResource: s.resource, attr.InScope: s.scope} {
		for i := range ms {
			for _, a := range known {
				if a.Location == attr.Location(location) && a.Key == ms[i].key && !ms[i].matchesValue(a.Value, true) {
					return false
				}
			}
		}
	}
	return true
}

func compileMatchers(match map[string]any, prefix string, report func(string, ...any)) []matcher {
	var out []matcher
	for _, key := range sortedKeys(match) {
		if list, isList := match[key].([]any); isList {
			values := make([]string, len(list))
			for i, v := range list {
				values[i] = fmt.Sprint(v)
			}
			report("%s%s: several values are written {in: [%s]}", prefix, key, strings.Join(values, ", "))
			continue
		}
		ops, ok := match[key].(map[string]any)
		if !ok {
			text, err := scalarText(match[key])
			if err != nil {
				report("%s%s: %w", prefix, key, err)
				continue
			}
			out = append(out, matcher{key: key, text: text})
			continue
		}
		first := len(out)
		for _, op := range sortedKeys(ops) {
			m, err := compileMatcher(key, op, ops[op])
			if err != nil {
				report("%s%s: %w", prefix, key, err)
				continue
			}
			out = append(out, m)
		}
		if err := contradiction(out[first:]); err != nil {
			report("%s%s: %w", prefix, key, err)
		}
	}
	return out
}

func compileMatcher(key, op string, arg any) (matcher, error) {
	m := matcher{key: key}
	switch op {
	case "regex", "not_regex":
		text, ok := arg.(string)
		if !ok {
			return m, fmt.Errorf("%s expects text, got %v", op, arg)
		}
		re, err := anchored(text)
		if err != nil {
			return m, fmt.Errorf("invalid regex %q: %w", text, err)
		}
		m.re, m.op, m.pattern = re, opRegex, text
		if op == "not_regex" {
			m.op = opNotRegex
		}
	case "glob":
		text, ok := arg.(string)
		if !ok {
			return m, fmt.Errorf("glob expects text, got %v", arg)
		}
		re, err := regexp.Compile(globPattern(text))
		if err != nil {
			return m, fmt.Errorf("invalid glob %q", text)
		}
		m.op, m.re, m.pattern, m.glob = opRegex, re, text, true
	case "in":
		list, ok := arg.([]any)
		if !ok {
			return m, fmt.Errorf("in expects a list, got %v", arg)
		}
		m.op = opIn
		for _, item := range list {
			text, err := scalarText(item)
			if err != nil {
				return m, err
			}
			m.in = append(m.in, text)
		}
	case "exists":
		want, ok := arg.(bool)
		if !ok {
			return m, fmt.Errorf("exists expects true or false, got %v", arg)
		}
		m.op = opExists
		if !want {
			m.op = opMissing
		}
	default:
		return m, fmt.Errorf("unknown operator %q %s", op, suggest.DidYouMean(op, matchOps))
	}
	return m, nil
}

// scalarText returns the text that an attribute equal to v has.
func scalarText(v any) (string, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case bool:
		return strconv.FormatBool(x), nil
	case int:
		return strconv.Itoa(x), nil
	case int64:
		return strconv.FormatInt(x, 10), nil
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return strconv.FormatInt(int64(x), 10), nil
		}
		return strconv.FormatFloat(x, 'g', -1, 64), nil
	default:
		return "", fmt.Errorf("expected text, a number, true or false, got %v", v)
	}
}

// globPattern turns a glob into a regular expression: * is any text (slashes too), ? one character, [abc] and
// [!abc] classes.
func globPattern(glob string) string {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	inClass := false
	for i, r := range glob {
		switch {
		case inClass:
			switch {
			case r == ']':
				inClass = false
				b.WriteRune(r)
			case r == '!' && glob[i-1] == '[':
				b.WriteByte('^')
			case r == '-':
				b.WriteRune(r)
			default:
				b.WriteString(regexp.QuoteMeta(string(r)))
			}
		case r == '*':
			b.WriteString(`.*`)
		case r == '?':
			b.WriteByte('.')
		case r == '[':
			inClass = true
			b.WriteByte('[')
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	b.WriteByte('$')
	return b.String()
}

// sortedKeys returns the keys of m in order, so that everything made of a map is the same every time.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

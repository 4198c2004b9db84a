package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// silenceMatch is the compiled match of a silence. Its keys are those of a rule's match, and some of the record: alert.rule.name,
// alert.severity and alert.label.<name>.
type silenceMatch struct {
	// record are the tests on what the record says of rule, severity and labels.
	record []matcher
	// data are those on attributes: at the top of the group, or else of the resource.
	data Selector
}

// recordWords are words that somebody may have written for a key of the record.
var recordWords = map[string]string{
	"rule": alertschema.KeyRuleName, "rule.name": alertschema.KeyRuleName, "rule_name": alertschema.KeyRuleName,
	"name": alertschema.KeyRuleName, "alertname": alertschema.KeyRuleName, "alert.name": alertschema.KeyRuleName,
	"alert.rule": alertschema.KeyRuleName, "alert_rule": alertschema.KeyRuleName, "alert": alertschema.KeyRuleName,
	"severity": alertschema.KeySeverity, "level": alertschema.KeySeverity, "alert.level": alertschema.KeySeverity, "alert_severity": alertschema.KeySeverity,
	"label": alertschema.PrefixLabel + "<name>", "labels": alertschema.PrefixLabel + "<name>", "alert.labels": alertschema.PrefixLabel + "<name>",
}

// isRecordKey tells whether a key of a silence's match is one of the record.
func isRecordKey(key string) bool {
	return key == alertschema.KeyRuleName || key == alertschema.KeySeverity || strings.HasPrefix(key, alertschema.PrefixLabel)
}

// compileSilenceMatch turns the match of a silence into tests. set are the rules that there are, nil while not all of them are known.
func compileSilenceMatch(sc SilenceConfig, set []*Rule, report func(string, ...any)) silenceMatch {
	switch {
	case sc.All && len(sc.Match) > 0:
		report(`"all" and "match" exclude each other: leave one of them out`)
	case !sc.All && len(sc.Match) == 0:
		report(`match is required: it says which alerts are silenced; write "all: true" to silence all`)
	}
	var m silenceMatch
	for _, key := range sortedKeys(sc.Match) {
		checkRecordKey(key, sc.Match[key], set, report)
	}
	m.data = compileSelector(sc.Match, "match.", report)
	attributes := m.data.point[:0:0]
	for _, test := range m.data.point {
		if isRecordKey(test.key) {
			m.record = append(m.record, test)
		} else {
			attributes = append(attributes, test)
		}
	}
	m.data.point = attributes
	if set != nil {
		before := len(m.data.point) + len(m.data.resource)
		if m.check(set, report) && before > 0 {
			m.checkData(set, report)
		}
	}
	return m
}

// checkRecordKey reports a key that means something of the record and is none of its keys. What a rule names as an attribute is one.
func checkRecordKey(key string, value any, set []*Rule, report func(string, ...any)) {
	if isRecordKey(key) {
		return
	}
	meant, isWord := recordWords[key]
	if !isWord {
		if name, ok := strings.CutPrefix(key, "label."); ok {
			meant, isWord = alertschema.PrefixLabel+name, true
		} else if name, ok := strings.CutPrefix(key, "labels."); ok {
			meant, isWord = alertschema.PrefixLabel+name, true
		}
	}
	switch {
	case isWord && (strings.HasPrefix(key, "alert.") || set != nil && !namesAttribute(set, key)):
		report("match.%s: %v: there is no such key (did you mean %q?)", key, value, meant)
	case strings.HasPrefix(key, "alert."):
		report("match.%s: there is no such key %s", key, suggest.DidYouMean(key, []string{alertschema.KeyRuleName, alertschema.KeySeverity, alertschema.PrefixLabel + "<name>"}))
	}
}

// namesAttribute tells whether a rule names the attribute: such a one may be part of an alert.
func namesAttribute(set []*Rule, key string) bool {
	return slices.ContainsFunc(set, func(r *Rule) bool {
		s := &r.Value.Selector
		named := func(m matcher) bool { return m.key == key }
		return slices.ContainsFunc(r.GroupBy, func(f GroupField) bool { return f.Key == key }) ||
			slices.ContainsFunc(s.point, named) || slices.ContainsFunc(s.resource, named) || slices.ContainsFunc(s.scope, named)
	})
}

// check reports tests on the record that no level of any rule can pass: each for itself, or all of them together. It is true when there is none.
func (m *silenceMatch) check(set []*Rule, report func(string, ...any)) bool {
	alone := true
	for i := range m.record {
		test := &m.record[i]
		if !passedByAny(set, m.record[i:i+1]) {
			alone = false
			report("match.%s: %w", test.key, nothingHas(test, set))
		}
	}
	if alone && len(m.record) > 1 && !passedByAny(set, m.record) {
		keys := make([]string, len(m.record))
		for i := range m.record {
			keys[i] = m.record[i].key
		}
		report("match: no rule has what %s ask for together", strings.Join(slices.Compact(keys), " and "))
		return false
	}
	return alone
}

// checkData reports tests on attributes that no alert can pass of the rules that the silence may be about, because these select other values.
func (m *silenceMatch) checkData(set []*Rule, report func(string, ...any)) {
	why := ""
	for _, r := range set {
		if !passedByAny([]*Rule{r}, m.record) {
			continue
		}
		reason := m.data.excludedBy(r)
		if reason == "" {
			return
		}
		if why == "" {
			why = reason
		}
	}
	if why != "" {
		report("match can't be met: %s", why)
	}
}

// excludedBy says which test no alert of a rule can pass for what its match selects, "" when all may hold. At the top a test of a silence is on an
// attribute of the group or else of the resource.
func (s *Selector) excludedBy(r *Rule) string {
	of := &r.Value.Selector
	said := func(tests []matcher, prefix string, by ...matcher) string {
		for i := range tests {
			test := &tests[i]
			if slices.ContainsFunc(by, func(m matcher) bool { return m.key == test.key && disjoint(test, &m) }) {
				return fmt.Sprintf("rule %q selects other values of %s%s than %s", r.Name, prefix, test.key, test.written())
			}
		}
		return ""
	}
	return cmp.Or(said(s.resource, "resource.", of.resource...), said(s.point, "", slices.Concat(of.point, of.resource)...))
}

// disjoint tells whether nothing passes both tests, as far as their values are known.
func disjoint(a, b *matcher) bool {
	for _, pair := range [...][2]*matcher{{a, b}, {b, a}} {
		if pair[0].op == opMissing && pair[1].op != opMissing && pair[1].op != opNotRegex {
			return true
		}
		values, known := pair[0].values()
		if known && !slices.ContainsFunc(values, func(v string) bool { return pair[1].matchesValue(attr.StringValue(v), true) }) {
			return true
		}
	}
	return false
}

// passedByAny tells whether there is a level of a rule of which all tests may hold.
func passedByAny(set []*Rule, tests []matcher) bool {
	for _, r := range set {
		for i := range r.Levels {
			if !slices.ContainsFunc(tests, func(m matcher) bool { return !m.mayHold(r, r.Levels[i].Name) }) {
				return true
			}
		}
	}
	return false
}

// mayHold tells whether the test may hold of alerts of the rule at a severity. What a label's template makes is not known before.
func (m *matcher) mayHold(r *Rule, severity string) bool {
	switch m.key {
	case alertschema.KeyRuleName:
		return m.matchesValue(attr.StringValue(r.Name), true)
	case alertschema.KeySeverity:
		return m.matchesValue(attr.StringValue(severity), true)
	}
	name := strings.TrimPrefix(m.key, alertschema.PrefixLabel)
	for _, l := range r.Labels {
		if l.Name == name {
			return l.Template.tmpl != nil && m.op != opMissing || l.Template.tmpl == nil && m.matchesValue(attr.StringValue(l.Template.plain), true)
		}
	}
	return m.matchesValue(attr.Value{}, false)
}

// nothingHas says of what there is nothing that passes the test, and what there is.
func nothingHas(test *matcher, set []*Rule) error {
	var known []string
	what := "rule"
	switch test.key {
	case alertschema.KeyRuleName:
		for _, r := range set {
			known = append(known, r.Name)
		}
	case alertschema.KeySeverity:
		what = "severity of a rule"
		for _, r := range set {
			for i := range r.Levels {
				known = append(known, r.Levels[i].Name)
			}
		}
	default:
		name := strings.TrimPrefix(test.key, alertschema.PrefixLabel)
		var names []string
		for _, r := range set {
			for _, l := range r.Labels {
				names = append(names, l.Name)
				if l.Name == name {
					known = append(known, l.Template.plain)
				}
			}
		}
		if len(known) == 0 {
			return fmt.Errorf("no rule has a label %q %s", name, hint(name, names))
		}
		what = fmt.Sprintf("label %q of a rule", name)
	}
	word := test.written()
	return fmt.Errorf("%s matches no %s %s", word, what, hint(test.example(), known))
}

// hint says what may have been meant by a word, or that there is nothing at all.
func hint(word string, known []string) string {
	slices.Sort(known)
	if known = slices.Compact(known); len(known) == 0 {
		return "(there is none)"
	}
	return suggest.DidYouMean(word, known)
}

// holds tells whether every test of the silence holds for an alert. attrs are the attributes of its group, of its resource, and those of the scope
// that its group key has.
func (m *silenceMatch) holds(rule, severity string, labels []attr.Label, attrs [][]attr.Attr) bool {
	for i := range m.record {
		if v, ok := recordValue(m.record[i].key, rule, severity, labels); !m.record[i].matchesValue(v, ok) {
			return false
		}
	}
	for i := range m.data.point {
		test := &m.data.point[i]
		var v attr.Value
		found := false
		for _, set := range attrs {
			if v, found = attr.Lookup(set, test.key); found {
				break
			}
		}
		if !test.matchesValue(v, found) {
			return false
		}
	}
	of := func(i int) []attr.Attr {
		if i < len(attrs) {
			return attrs[i]
		}
		return nil
	}
	return allMatch(m.data.resource, of(1)) && allMatch(m.data.scope, of(2))
}

// recordValue is what the record of an alert has under a key of a silence.
func recordValue(key, rule, severity string, labels []attr.Label) (attr.Value, bool) {
	switch key {
	case alertschema.KeyRuleName:
		return attr.StringValue(rule), true
	case alertschema.KeySeverity:
		return attr.StringValue(severity), true
	}
	name := strings.TrimPrefix(key, alertschema.PrefixLabel)
	for _, l := range labels {
		if l.Key == name {
			return attr.StringValue(l.Text), true
		}
	}
	return attr.Value{}, false
}

package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// The version and the selection of a rule stand in records and in stored alerts, so both are made of named fields, written as they
// always were: what a rule does not use must leave no trace in them, or every stored alert would be closed as one of a changed rule.

// ruleVersion returns the 8-hex version of a rule and the text of its selection.
func ruleVersion(r *rule) (version, selection string) {
	selection = selectionText(r)
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%d {%d %s}|%s %s", selection, r.window, r.agg.kind, floatText(r.agg.q), floatText(r.scale), floatText(r.offset))
	if f := r.forecast; f != nil {
		fmt.Fprintf(&b, "|forecast {%d %s}", f.window, floatText(f.minCoverage))
	}
	if a := r.absent; a != nil {
		fmt.Fprintf(&b, "|absent {%d %d %t}", a.after, a.grace, a.expect)
	}
	writePoints(&b, r)
	if r.onlyIf != nil {
		q := r.onlyIf.bound
		fmt.Fprintf(&b, "|only_if %q %s %s %s %s", r.onlyIf.metric, r.onlyIf.sel.canonical, q.cmp, q.raise[0].text, q.raise[1].text)
	}
	for i := range r.levels {
		l := &r.levels[i]
		fmt.Fprintf(&b, "|%s %s %s %s", l.name, l.cmp, l.raise[0].text, l.raise[1].text)
		fmt.Fprintf(&b, " %t %s %s %s %d %d %d", l.hasClear, l.clear[0].text, l.clear[1].text, floatText(l.hysteresis), l.forDuration, l.keepFiringFor, l.horizon)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:4]), selection
}

// selectionText writes what decides which groups a rule has.
func selectionText(r *rule) string {
	groupBy := make([]string, len(r.groupBy))
	for i, f := range r.groupBy {
		groupBy[i] = fmt.Sprintf("{%d %s}", f.source, f.key)
	}
	text := fmt.Sprintf("%q %s %t [%s] %d", r.metric, r.value.sel.canonical, r.groupGiven, strings.Join(groupBy, " "), r.groupAgg)
	if r.byResource {
		text += " by resource"
	}
	if r.divisor != nil {
		text += " to " + r.divisor.sel.canonical
	}
	return text
}

// writePoints writes which value of histogram and summary points the rule's selectors take. The names are those that the keys had
// when versions were first stored.
func writePoints(b *strings.Builder, r *rule) {
	value := "point"
	if r.divisor != nil {
		value = "ratio.of.point"
	}
	write := func(key string, t *target) {
		if t.figure.kind != figureNone {
			fmt.Fprintf(b, "|%s %s", key, t.figure)
		}
	}
	write(value, &r.value)
	if r.divisor != nil {
		write("ratio.to.point", r.divisor)
	}
	if r.onlyIf != nil {
		write("only_if.point", &r.onlyIf.target)
	}
}

func floatText(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// matchText writes a match map as Go would, with keys in order: stored selections have it in that form.
func matchText(match map[string]any) string {
	var b strings.Builder
	writeMatch(&b, match)
	return b.String()
}

func writeMatch(b *strings.Builder, v any) {
	switch x := v.(type) {
	case map[string]any:
		b.WriteString("map[string]interface {}")
		if x == nil {
			b.WriteString("(nil)")
			return
		}
		b.WriteByte('{')
		for i, key := range sortedKeys(x) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(key) + ":")
			writeMatch(b, x[key])
		}
		b.WriteByte('}')
	case []any:
		b.WriteString("[]interface {}{")
		for i, item := range x {
			if i > 0 {
				b.WriteString(", ")
			}
			writeMatch(b, item)
		}
		b.WriteByte('}')
	case string:
		b.WriteString(strconv.Quote(x))
	case float64:
		b.WriteString(floatText(x))
	default: // Integers and truth values; compileMatchers has refused all else.
		fmt.Fprint(b, x)
	}
}

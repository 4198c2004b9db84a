package rules

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// A pattern can be written in many ways. Here it is brought into one that most of them have in common: alternatives in order, each a row of
// letters, classes and repetitions. It is for patterns that have to match a whole value.
//
// Two ways of writing one pattern keep two forms in these cases, and a reload from one to the other closes an alert:
//   - An alternative is a part of another only if a repetition in it is moved past its own letter: bb* (which is b*b) beside b*. is left where it stands,
//     and gone in the pattern without it. About 1 pair in 2,000 of random ones that repeat a letter beside a dot.
//   - One of the two has more than maxAlternatives alternatives only because some of them stand there twice in other words: its small classes stay classes,
//     and those of the other become alternatives.
//
// The form is stored with alerts, so that a better one would close those of an upgrade.

// normalPattern is a pattern in that form.
type normalPattern struct {
	// text is the pattern, to be matched as anchored does.
	text string
	// values are all texts that match, in order; nil where these are many.
	values []string
	// everything tells that every value matches.
	everything bool
}

// maxAlternatives bounds the alternatives, and the atoms of each.
const maxAlternatives = 64

// normalPatternOf brings a pattern into the one form. What has too many alternatives stays as it is written, but for what Go's parser makes equal.
func normalPatternOf(pattern string) normalPattern {
	re, err := syntax.Parse(pattern, syntax.Perl|syntax.DotNL)
	if err != nil {
		return normalPattern{text: pattern} // It is refused.
	}
	re = withoutCaptures(re)
	if again, err := syntax.Parse(re.String(), syntax.Perl|syntax.DotNL); err == nil {
		re = again // Now the parser has seen what stood in captures side by side.
	}
	// All values, if these are few; else with small classes as alternatives, so that [ab]c.* is ac.*|bc.*; else with classes as they are.
	for _, maxClass := range []int{maxAlternatives, 8, 1} {
		x := expander{maxClass: maxClass}
		rows, ok := x.rows(re)
		if !ok {
			continue
		}
		n := normalRows(rows)
		if maxClass < maxAlternatives || n.values != nil {
			return n
		}
	}
	return normalPattern{text: re.Simplify().String()}
}

// withoutCaptures returns a tree without captures.
func withoutCaptures(re *syntax.Regexp) *syntax.Regexp {
	if re.Op == syntax.OpCapture {
		return withoutCaptures(re.Sub[0])
	}
	for i, sub := range re.Sub {
		re.Sub[i] = withoutCaptures(sub)
	}
	return re
}

// patternAtom is a part of a row.
type patternAtom struct {
	kind atomKind
	text string          // As in a pattern; a letter as it is.
	of   [][]patternAtom // Of a repetition: its alternatives.
}

type atomKind uint8

const (
	atomLetter atomKind = iota
	atomClass
	atomStar
	atomBegin
	atomEnd
	atomOther
)

func (a patternAtom) pattern() string {
	if a.kind == atomLetter {
		return regexp.QuoteMeta(a.text)
	}
	return a.text
}

func rowText(row []patternAtom) string {
	var b strings.Builder
	for _, a := range row {
		b.WriteString(a.pattern())
	}
	return b.String()
}

func equalRows(a, b []patternAtom) bool {
	return slices.EqualFunc(a, b, func(x, y patternAtom) bool { return x.kind == y.kind && x.text == y.text })
}

func joinedRows(rows [][]patternAtom) string {
	texts := make([]string, len(rows))
	for i, row := range rows {
		texts[i] = rowText(row)
	}
	return strings.Join(texts, "|")
}

// orderedRows puts rows in order, each once.
func orderedRows(rows [][]patternAtom) [][]patternAtom {
	slices.SortFunc(rows, func(a, b []patternAtom) int { return strings.Compare(rowText(a), rowText(b)) })
	return slices.CompactFunc(rows, equalRows)
}

// normalRows makes the pattern of rows that have to match from the beginning to the end.
func normalRows(rows [][]patternAtom) normalPattern {
	var out [][]patternAtom
	for _, row := range rows {
		if row, may := withoutAnchors(row); may {
			out = append(out, orderedStars(row))
		}
	}
	out = withoutContained(orderedRows(out))
	n := normalPattern{text: joinedRows(out)}
	if len(out) == 0 {
		n.text = `[^\x00-\x{10FFFF}]`
		return n
	}
	n.everything = slices.ContainsFunc(out, func(row []patternAtom) bool { return rowText(row) == ".*" })
	for _, row := range out {
		var b strings.Builder
		for _, a := range row {
			if a.kind != atomLetter {
				n.values = nil
				return n
			}
			b.WriteString(a.text)
		}
		n.values = append(n.values, b.String())
	}
	slices.Sort(n.values)
	return n
}

// withoutAnchors takes the anchors out that say what holds anyway. It is false for a row that can't match.
func withoutAnchors(row []patternAtom) (out []patternAtom, may bool) {
	empty := func(a patternAtom) bool { return a.kind == atomStar }
	for i, a := range row {
		if a.kind == atomBegin {
			for _, before := range out {
				if !empty(before) {
					return nil, false
				}
			}
			out = nil
			continue
		}
		if a.kind == atomEnd {
			for _, after := range row[i+1:] {
				switch {
				case after.kind == atomBegin && !slices.ContainsFunc(out, func(a patternAtom) bool { return !empty(a) }):
					out = nil
				case !empty(after) && after.kind != atomEnd:
					return nil, false
				}
			}
			return out, true
		}
		out = append(out, a)
	}
	return out, true
}

// orderedStars writes xx* for x*x, and x* for x*x*.
func orderedStars(row []patternAtom) []patternAtom {
	row = slices.Clone(row)
	for changed := true; changed; {
		changed = false
		for i := 0; i+1 < len(row); i++ {
			a, b := row[i], row[i+1]
			switch {
			case a.kind != atomStar:
			case b.kind == atomStar && a.text == b.text:
				row = slices.Delete(row, i, i+1)
				changed = true
			case len(a.of) == 1 && equalRows(a.of[0], []patternAtom{b}):
				row[i], row[i+1] = b, a
				changed = true
			}
		}
	}
	return row
}

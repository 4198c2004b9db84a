package rules

import (
	"regexp/syntax"
	"slices"
	"unicode"
)

// expander turns the tree of a pattern into rows.
type expander struct {
	maxClass int // Classes of up to so many letters become alternatives.
}

// rows returns the alternatives, false where there are too many.
func (x *expander) rows(re *syntax.Regexp) (rows [][]patternAtom, ok bool) {
	switch re.Op {
	case syntax.OpNoMatch:
		return nil, true
	case syntax.OpEmptyMatch:
		return [][]patternAtom{nil}, true
	case syntax.OpLiteral:
		rows = [][]patternAtom{nil}
		for _, r := range re.Rune {
			ranges := []rune{r, r}
			if re.Flags&syntax.FoldCase != 0 {
				ranges = foldedRanges(r)
			}
			if rows, ok = product(rows, x.class(ranges)); !ok {
				return nil, false
			}
		}
		return rows, true
	case syntax.OpCharClass:
		return x.class(re.Rune), true
	case syntax.OpAnyChar:
		return [][]patternAtom{{{kind: atomClass, text: "."}}}, true
	case syntax.OpAnyCharNotNL:
		return [][]patternAtom{{{kind: atomClass, text: `[^\n]`}}}, true
	case syntax.OpBeginText:
		return [][]patternAtom{{{kind: atomBegin, text: `\A`}}}, true
	case syntax.OpEndText:
		return [][]patternAtom{{{kind: atomEnd, text: `\z`}}}, true
	case syntax.OpCapture:
		return x.rows(re.Sub[0])
	case syntax.OpStar:
		return x.star(re.Sub[0])
	case syntax.OpPlus:
		return x.repeat(re.Sub[0], 1, -1)
	case syntax.OpQuest:
		return x.repeat(re.Sub[0], 0, 1)
	case syntax.OpRepeat:
		return x.repeat(re.Sub[0], re.Min, re.Max)
	case syntax.OpConcat:
		rows = [][]patternAtom{nil}
		for _, sub := range re.Sub {
			next, ok := x.rows(sub)
			if !ok {
				return nil, false
			}
			if rows, ok = product(rows, next); !ok {
				return nil, false
			}
		}
		return rows, true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			next, ok := x.rows(sub)
			if rows = append(rows, next...); !ok || len(rows) > maxAlternatives {
				return nil, false
			}
		}
		return rows, true
	default:
		return [][]patternAtom{{{kind: atomOther, text: re.String()}}}, true
	}
}

// product puts each row of one set before each of the other.
func product(a, b [][]patternAtom) (rows [][]patternAtom, ok bool) {
	if len(a)*len(b) > maxAlternatives {
		return nil, false
	}
	for _, x := range a {
		for _, y := range b {
			if len(x)+len(y) > 16*maxAlternatives {
				return nil, false
			}
			rows = append(rows, slices.Concat(x, y))
		}
	}
	return rows, true
}

// foldedRanges are the letters that differ from r in case alone.
func foldedRanges(r rune) []rune {
	letters := []rune{r}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		letters = append(letters, f)
	}
	slices.Sort(letters)
	var ranges []rune
	for _, l := range letters {
		ranges = append(ranges, l, l)
	}
	return ranges
}

// class returns a class as alternatives if it is small. The letter that stands for bytes that are none stays in a class: it is not only itself.
func (x *expander) class(ranges []rune) [][]patternAtom {
	n := 0
	for i := 0; i+1 < len(ranges); i += 2 {
		n += int(ranges[i+1]-ranges[i]) + 1
		if ranges[i] <= unicode.ReplacementChar && unicode.ReplacementChar <= ranges[i+1] {
			n = maxAlternatives + 1
		}
	}
	if n > max(x.maxClass, 1) {
		re := syntax.Regexp{Op: syntax.OpCharClass, Rune: ranges}
		text := re.String()
		if slices.Equal(ranges, []rune{0, unicode.MaxRune}) {
			text = "."
		}
		return [][]patternAtom{{{kind: atomClass, text: text}}}
	}
	var rows [][]patternAtom
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			rows = append(rows, []patternAtom{{kind: atomLetter, text: string(r)}})
		}
	}
	return rows
}

// star repeats what its alternatives are. Classes in it stay together, and what is repeated itself or nothing is left out.
func (x *expander) star(sub *syntax.Regexp) (rows [][]patternAtom, ok bool) {
	inner, ok := (&expander{maxClass: 1}).rows(sub)
	if !ok {
		return nil, false
	}
	var flat [][]patternAtom
	for _, row := range inner {
		switch {
		case len(row) == 0:
		case len(row) == 1 && row[0].kind == atomStar:
			flat = append(flat, row[0].of...)
		default:
			flat = append(flat, row)
		}
	}
	flat = withoutContained(oneClass(flat))
	switch {
	case len(flat) == 0:
		return [][]patternAtom{nil}, true
	case len(flat) == 1 && len(flat[0]) == 1:
		return [][]patternAtom{{{kind: atomStar, text: flat[0][0].pattern() + "*", of: flat}}}, true
	}
	return [][]patternAtom{{{kind: atomStar, text: "(?:" + joinedRows(flat) + ")*", of: flat}}}, true
}

// oneClass makes one class of the rows that are one letter.
func oneClass(rows [][]patternAtom) [][]patternAtom {
	var letters, rest [][]patternAtom
	for _, row := range rows {
		if len(row) == 1 && (row[0].kind == atomLetter || row[0].kind == atomClass) {
			letters = append(letters, row)
		} else {
			rest = append(rest, row)
		}
	}
	if len(letters) < 2 {
		return rows
	}
	re, err := syntax.Parse(joinedRows(letters), syntax.Perl|syntax.DotNL)
	if err != nil {
		return rows
	}
	class, ok := (&expander{maxClass: 1}).rows(re)
	if !ok || len(class) != 1 {
		return rows
	}
	return append(rest, class...)
}

// repeat writes what is repeated so often as it has to be, and then what may follow. most is -1 for no end.
func (x *expander) repeat(sub *syntax.Regexp, least, most int) (rows [][]patternAtom, ok bool) {
	once, ok := x.rows(sub)
	if !ok || most > maxAlternatives || least > maxAlternatives {
		return nil, false
	}
	sofar := [][]patternAtom{nil}
	for range least {
		if sofar, ok = product(sofar, once); !ok {
			return nil, false
		}
	}
	if most < 0 {
		after, ok := x.star(sub)
		if !ok {
			return nil, false
		}
		return product(sofar, after)
	}
	rows = sofar
	for range most - least {
		if sofar, ok = product(sofar, once); !ok || len(rows)+len(sofar) > maxAlternatives {
			return nil, false
		}
		rows = append(rows, sofar...)
	}
	return rows, true
}

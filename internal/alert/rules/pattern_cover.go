package rules

import "slices"

// withoutContained leaves out rows that another contains, and writes x* for nothing and xx*.
func withoutContained(rows [][]patternAtom) [][]patternAtom {
	for joined := true; joined; {
		rows = orderedRows(rows)
		all := rows
		rows = slices.DeleteFunc(slices.Clone(rows), func(row []patternAtom) bool {
			return slices.ContainsFunc(all, func(other []patternAtom) bool {
				return !equalRows(other, row) && covers(other, row) && !covers(row, other)
			})
		})
		joined = joinRepetition(rows)
	}
	return rows
}

// joinRepetition writes x* for one pair of rows of which one has nothing where the other has xx*.
func joinRepetition(rows [][]patternAtom) bool {
	for k, row := range rows {
		for i, a := range row {
			if a.kind != atomStar || len(a.of) != 1 {
				continue
			}
			n := len(a.of[0])
			if i < n || !equalRows(row[i-n:i], a.of[0]) {
				continue
			}
			without := slices.Concat(row[:i-n], row[i+1:])
			if slices.ContainsFunc(rows, func(other []patternAtom) bool { return equalRows(other, without) }) {
				rows[k] = slices.Concat(row[:i-n], row[i:])
				return true
			}
		}
	}
	return false
}

// covers tells whether all that row a matches is seen to be matched by row b, too.
func covers(b, a []patternAtom) bool {
	// reach[i] tells that the atoms of b so far match the first i of a.
	reach := make([]bool, len(a)+1)
	reach[0] = true
	open, least := openEnd(b)
	for at, of := range b {
		if at == open {
			return slices.Contains(reach[:len(a)+1-lastFewer(a, least)], true)
		}
		next := make([]bool, len(a)+1)
		for i := range reach {
			switch {
			case of.kind == atomStar:
				next[i] = next[i] || reach[i]
				if next[i] {
					of.repeatOver(a, i, next)
				}
			case reach[i] && i < len(a) && of.includes(a[i]):
				next[i+1] = true
			}
		}
		reach = next
	}
	return reach[len(a)]
}

// openEnd tells where a row begins to take anything, and how many letters it takes there at least; the length of the row for nowhere.
func openEnd(row []patternAtom) (at, least int) {
	at = len(row)
	if at == 0 || row[at-1].text != ".*" {
		return at, 0
	}
	for at--; at > 0 && row[at-1].kind == atomClass && row[at-1].text == "."; at-- {
		least++
	}
	return at, least
}

// lastFewer is how many atoms at the end of a row are too few for so many letters to be in them.
func lastFewer(row []patternAtom, least int) int {
	n := 0
	for i := len(row) - 1; i >= 0 && least > 0; i-- {
		if n++; row[i].kind == atomLetter || row[i].kind == atomClass {
			least--
		}
	}
	if least > 0 {
		return len(row) + 1
	}
	return n
}

// repeatOver notes where a repetition may come to from place i of a row by one of its alternatives.
func (x patternAtom) repeatOver(a []patternAtom, i int, next []bool) {
	if i < len(a) && a[i].kind == atomStar && (a[i].text == x.text || !slices.ContainsFunc(a[i].of, func(row []patternAtom) bool { return !covers([]patternAtom{x}, row) })) {
		next[i+1] = true
	}
	for _, row := range x.of {
		if end := i + len(row); end <= len(a) && slices.EqualFunc(row, a[i:end], patternAtom.includes) {
			next[end] = true
		}
	}
}

// includes tells whether an atom that is no repetition matches all that another does, which is none either.
func (x patternAtom) includes(of patternAtom) bool {
	switch {
	case x.kind == of.kind && x.text == of.text:
		return true
	case x.kind != atomClass || of.kind != atomClass && of.kind != atomLetter:
		return false
	case x.text == ".":
		return true
	case of.kind == atomClass:
		return false
	}
	re, err := anchored(x.text)
	return err == nil && re.MatchString(of.text)
}

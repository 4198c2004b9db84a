package rules

import (
	"regexp"
	"strconv"
	"strings"
)

// storedPattern is a pattern in the text of a selection, as matchText writes it.
var storedPattern = regexp.MustCompile(`("(?:not_)?regex":)("(?:[^"\\]|\\.)*")`)

// SelectedAs tells whether a stored selection is that of the rule, in the form of today or in that of builds that stored it as it was written.
// Builds before patterns had to match whole values stored "^sd" for what is "sd.*" today: who writes it so has changed nothing, and keeps the alerts.
func (r *Rule) SelectedAs(stored string) bool {
	return stored == r.Selection || stored == r.WrittenSelection || respelled(stored, wholePattern) == respelled(r.WrittenSelection, plainPattern)
}

// respelled is the text of a selection with other patterns.
func respelled(selection string, spell func(string) string) string {
	return storedPattern.ReplaceAllStringFunc(selection, func(found string) string {
		parts := storedPattern.FindStringSubmatch(found)
		pattern, err := strconv.Unquote(parts[2])
		if err != nil {
			return found
		}
		return parts[1] + strconv.Quote(spell(pattern))
	})
}

// wholePattern is the pattern for whole values that matches what a pattern for parts of them does.
func wholePattern(pattern string) string {
	if strings.Contains(pattern, "|") {
		pattern = "(?:" + pattern + ")"
	}
	if rest, anchoredThere := strings.CutPrefix(pattern, "^"); anchoredThere {
		pattern = rest
	} else {
		pattern = ".*" + pattern
	}
	if rest, anchoredThere := strings.CutSuffix(pattern, "$"); anchoredThere && !strings.HasSuffix(rest, `\`) {
		pattern = rest
	} else {
		pattern += ".*"
	}
	return plainPattern(pattern)
}

// plainPattern is a pattern for whole values without what says nothing in it.
func plainPattern(pattern string) string {
	pattern = strings.TrimPrefix(pattern, "^")
	if rest, anchoredThere := strings.CutSuffix(pattern, "$"); anchoredThere && !strings.HasSuffix(rest, `\`) {
		pattern = rest
	}
	for strings.HasPrefix(pattern, ".*.*") {
		pattern = strings.TrimPrefix(pattern, ".*")
	}
	for strings.HasSuffix(pattern, ".*.*") {
		pattern = strings.TrimSuffix(pattern, ".*")
	}
	return pattern
}

// Package suggest says what somebody may have meant who wrote a word that is not known, or not allowed where it stands.
package suggest

import (
	"fmt"
	"slices"
	"strings"
)

// longList is how many words may be listed whole; of more, only the most similar are.
const longList = 20

// DidYouMean returns the hint for a word that is not known, in parentheses: its name of today if it was renamed, the known word nearest to
// it, or what is known when none is near.
func DidYouMean(word string, known []string) string {
	if hint := now(word, known); hint != "" {
		return "(" + hint + ")"
	}
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("(did you mean %q?)", near)
	}
	if len(known) <= longList {
		return "(known: " + strings.Join(known, ", ") + ")"
	}
	return fmt.Sprintf("(the most similar of the %d known: %s)", len(known), strings.Join(alike(word, known), ", "))
}

// Instead says which words are allowed in place of one that is not: its name of today if it was renamed, else all, or of many the most
// similar.
func Instead(word string, allowed []string) string {
	if hint := now(word, allowed); hint != "" {
		return hint
	}
	if len(allowed) <= longList {
		return "allowed are " + strings.Join(allowed, ", ")
	}
	return fmt.Sprintf("the most similar of the %d that are allowed are %s", len(allowed), strings.Join(alike(word, allowed), ", "))
}

// shortest is how long the beginning of a word must be to stand for it.
const shortest = 3

// Near returns the known word that a mistyped one differs from in at most so many places, or its name of today; "" when there is none. It is for
// words of which many are fine without being known.
func Near(word string, known []string, places int) string {
	if name, ok := renamed[word]; ok && slices.Contains(known, name) {
		return name
	}
	best, bestDistance := "", places+1
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// nearest returns the known word that differs least from a mistyped one, or, when all differ in more than a third of it, the only one that begins
// with it, or "".
func nearest(word string, known []string) string {
	best, bestDistance := "", len(word)/3+2
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	if best == "" && len(word) >= shortest {
		begun := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !strings.HasPrefix(k, strings.ToLower(word)) })
		if len(begun) == 1 {
			return begun[0]
		}
	}
	return best
}

// alike returns the three words most similar to a word.
func alike(word string, words []string) []string {
	const shown = 3
	words = slices.Clone(words)
	slices.SortStableFunc(words, func(a, b string) int { return editDistance(word, a) - editDistance(word, b) })
	return words[:min(shown, len(words))]
}

// editDistance counts the insertions, deletions, substitutions and neighbour swaps between two words.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

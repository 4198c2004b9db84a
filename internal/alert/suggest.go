package alert

import "strings"

// suggest returns the known word nearest to a mistyped one, or "" when none is near.
func suggest(word string, known []string) string {
	best, bestDistance := "", len(word)/3+2
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// DidYouMean returns the hint for an unknown word: the nearest known one, or all of them.
func DidYouMean(word string, known []string) string {
	if s := suggest(word, known); s != "" {
		return `(did you mean "` + s + `"?)`
	}
	return "(known: " + strings.Join(known, ", ") + ")"
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

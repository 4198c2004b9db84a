package readtest

import (
	"fmt"
	"slices"
	"strings"
)

// A Report is what came of the rounds of a bracket.
type Report struct {
	Rounds, Scrapes uint64            // Scrapes: processes compared, each once a round
	Compared        map[string]uint64 // by what was compared
	// Unsettled counts levels of processes that ran, and that were not within what /proc said before and after: a level may rise and fall between.
	Unsettled map[string]uint64
	// SplitBeyond is by how much, in µs, user or system time was most below what /proc said before, or above what it said later, beyond its tick.
	SplitBeyond uint64
	faults      map[string]uint64
	examples    []string
}

// NewReport returns an empty one.
func NewReport() Report {
	return Report{Compared: make(map[string]uint64), Unsettled: make(map[string]uint64), faults: make(map[string]uint64)}
}

// examplesOfEach fault are kept.
const examplesOfEach = 3

func (r *Report) wrong(what, format string, args ...any) {
	if r.faults[what]++; r.faults[what] <= examplesOfEach {
		r.examples = append(r.examples, what+": "+fmt.Sprintf(format, args...))
	}
}

// Faults says what does not hold, the count of each, and some examples.
func (r *Report) Faults() []string {
	if len(r.faults) == 0 {
		return nil
	}
	var all []string
	for what, count := range r.faults {
		all = append(all, fmt.Sprintf("%s: %d of %d", what, count, r.Compared[what]))
	}
	slices.Sort(all)
	return append(all, r.examples...)
}

// String gives the counts.
func (r *Report) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d rounds, %d processes compared, split beyond /proc's at most %d µs", r.Rounds, r.Scrapes, r.SplitBeyond)
	for _, what := range sortedKeys(r.Compared) {
		fmt.Fprintf(&text, "\n  %-28s %9d", what, r.Compared[what])
		if name, busy := strings.CutSuffix(what, ", busy"); busy {
			fmt.Fprintf(&text, ", of them %d elsewhere", r.Unsettled[name])
		}
	}
	return text.String()
}

func sortedKeys(m map[string]uint64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

package vmtest

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// knownFault is one that the tests find and that is not mended yet.
type knownFault struct {
	kind string // letter of the kind of fault
	seen string // what was seen, and where
	// sometimes marks a fault that takes chance, so that a run without it says nothing.
	sometimes bool
}

// knownFaults are by the name that a test gives to what it checks. A test that finds a fault of this list passes. When no test finds
// it any more, the run fails until the row is removed.
var knownFaults = map[string]knownFault{}

var found = struct {
	sync.Mutex
	checked, faulty map[string]bool
}{checked: make(map[string]bool), faulty: make(map[string]bool)}

// noFault fails the test for each problem, unless it is a fault that is known by this name.
func noFault(t *testing.T, name string, wrong []string) {
	t.Helper()
	found.Lock()
	defer found.Unlock()
	found.checked[name] = true
	if len(wrong) == 0 {
		return
	}
	found.faulty[name] = true
	known, ok := knownFaults[name]
	if !ok {
		none(t, name, wrong)
		return
	}
	t.Logf("known fault %s (%s: %s), %d times, first: %s", name, known.kind, known.seen, len(wrong), wrong[0])
}

// faultsThatAreGone are the rows of knownFaults that tests of this run looked for in vain.
func faultsThatAreGone() []string {
	found.Lock()
	defer found.Unlock()
	var gone []string
	for name, known := range knownFaults {
		if !known.sometimes && found.checked[name] && !found.faulty[name] {
			gone = append(gone, fmt.Sprintf("FAIL: %q is in knownFaults and was not seen: remove the row if it is mended", name))
		}
	}
	slices.Sort(gone)
	return gone
}

func itoa(n int) string { return strconv.Itoa(n) }

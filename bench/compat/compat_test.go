// Package compat holds the receiver's `compat: hostmetrics` against hostmetricsreceiver itself: both run side by side on this host with one
// configuration, and every series of the one has to be in the other, with the same values.
package compat

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	// few is how many scrapes are compared at first, of one a second. Then what was found wrong is looked at again after as many more, for a host
	// that is busy may delay what one of the two reads, and a mount or a socket may come and go.
	few = 10
	// many is after how many scrapes what is still wrong is a difference.
	many = 60
)

// TestSideBySide is the proof that whoever changes from hostmetricsreceiver loses nothing but what docs/migrating.md lists.
func TestSideBySide(t *testing.T) {
	known := readDifferences(t)
	busy := keepBusy(t)
	both := startBoth(t)
	var c *comparison
	for scrapes := few; scrapes <= many; scrapes += few {
		old, ours := both.after(t, scrapes)
		c = &comparison{
			old: old, ours: ours, known: known, used: map[int]bool{}, failures: map[string][]string{},
			// Others may run another program between two readings. The process of the test itself is one of those whose values are not compared: it grows.
			steady: append([]string{"1"}, busy...),
			stays:  append([]string{"1", strconv.Itoa(os.Getpid())}, busy...),
		}
		c.all()
		if len(c.failures) == 0 {
			break
		}
		t.Logf("after %d scrapes %d kinds of series differ", scrapes, len(c.failures))
	}
	t.Logf("%d series compared, the values of %d, %d of the listed differences seen", c.forms, c.values, len(c.used))
	if len(c.old.series) < 100 {
		t.Errorf("hostmetricsreceiver gave %d series only", len(c.old.series))
	}
	for _, kind := range slices.Sorted(maps.Keys(c.failures)) {
		t.Errorf("%s (%d of this kind)", c.failures[kind][0], len(c.failures[kind]))
	}
}

// comparison is of what both emitted until some time.
type comparison struct {
	old, ours     *output
	known         []difference
	steady        []string // processes whose values are compared
	stays         []string // processes of which every series has to be there, and their attributes
	forms, values int      // how many series were compared
	used          map[int]bool
	failures      map[string][]string // by metric and attributes: many processes have the same
}

// all compares everything. Of a process that is not sure to run all the time it is the form alone of what both have, and that each kind of series is
// there for any.
func (c *comparison) all() {
	kinds := map[string]bool{}
	for _, is := range c.ours.series {
		kinds[is.kind()] = true
	}
	for _, key := range slices.Sorted(maps.Keys(c.old.series)) {
		was := c.old.series[key]
		is, there := c.ours.series[key]
		switch {
		case was.process == "" && 2*len(was.points) < len(c.old.scrapes()):
			continue // A mount, an interface or a disk that came or went meanwhile.
		case was.process != "" && !there && kinds[was.kind()] && !slices.Contains(c.stays, was.process):
			continue
		}
		c.forms++
		if why := c.differs(was, is); why != "" {
			if i := slices.IndexFunc(c.known, func(d difference) bool { return d.is(was, there) }); i >= 0 {
				c.used[i] = true
				continue
			}
			c.failures[was.kind()] = append(c.failures[was.kind()], was.String()+" "+why)
		}
	}
	for _, pid := range c.stays {
		c.resource(pid)
	}
}

// differs tells in what a series is not as it was; "" if in nothing.
func (c *comparison) differs(was, is *series) string {
	switch {
	case is == nil:
		return "is missing"
	case is.shape != was.shape:
		return fmt.Sprintf("is %s, and was %s", is.shape, was.shape)
	case scraperOf(is.scope) != scraperOf(was.scope):
		return fmt.Sprintf("is of %s, and was of %s", is.scope, was.scope)
	case was.process == "" || slices.Contains(c.steady, was.process):
		c.values++
		return compare(was, is)
	}
	return ""
}

// scraperOf is the end of the name of a scope, by which backends know it.
func scraperOf(scope string) string {
	_, scraper, _ := strings.Cut(scope, "/receiver/hostmetricsreceiver/internal/scraper/")
	return scraper
}

// resource compares the attributes of the resource of a process. One without a value is empty in the old.
func (c *comparison) resource(pid string) {
	was, is := c.old.resources[pid], c.ours.resources[pid]
	if was == nil || is == nil {
		c.failures[pid] = []string{fmt.Sprintf("process %s is missing", pid)}
		return
	}
	for key, value := range was {
		if value == "" && is[key] == nil || is[key] == value {
			continue
		}
		of := &series{metric: key, attributes: "resource"}
		if i := slices.IndexFunc(c.known, func(d difference) bool { return d.is(of, true) }); i >= 0 {
			c.used[i] = true
			continue
		}
		c.failures[key] = append(c.failures[key], fmt.Sprintf("process %s: %s is %q, and was %q", pid, key, is[key], value))
	}
}

package process

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// A RankKey is what processes, or groups, are ranked by.
type RankKey string

// The keys. All rank by what was used since the previous scrape, except memory, which ranks by its current value.
const (
	RankCPU    RankKey = "cpu"     // CPU time, with that of exited children
	RankMemory RankKey = "memory"  // resident set
	RankDiskIO RankKey = "disk_io" // bytes read from and written to storage; where only logical bytes are known, these
)

// Top chooses the processes, or groups, that are shown: the first N by each key. One that is shown stays as long as its rank by the key that
// selected it is within N * Hysteresis, so that two that change places at the border do not begin and end series in every scrape.
type Top struct {
	N          int // 0 shows all
	By         []RankKey
	Hysteresis float64 // at least 1
}

func (t *Top) validate() error {
	if t.N < 0 {
		return fmt.Errorf("top::n is %d: must not be negative", t.N)
	}
	if t.N == 0 {
		return nil
	}
	if len(t.By) == 0 {
		return fmt.Errorf("top::by is empty: must name %s, %s or %s", RankCPU, RankMemory, RankDiskIO)
	}
	for i, key := range t.By {
		if key != RankCPU && key != RankMemory && key != RankDiskIO {
			return fmt.Errorf("top::by has %q: must be %s, %s or %s", key, RankCPU, RankMemory, RankDiskIO)
		}
		if slices.Contains(t.By[:i], key) {
			return fmt.Errorf("top::by has %q twice", key)
		}
	}
	if t.Hysteresis < 1 || math.IsNaN(t.Hysteresis) {
		return fmt.Errorf("top::hysteresis is %v: must be at least 1", t.Hysteresis)
	}
	return nil
}

// needs returns the fields that ranking must know of every process.
func (t *Top) needs() read.Fields {
	var f read.Fields
	if t.N == 0 {
		return f
	}
	for _, key := range t.By {
		switch key {
		case RankCPU:
			f |= read.FieldCPU
		case RankMemory:
			f |= read.FieldMemory
		case RankDiskIO:
			f |= read.FieldDiskIO | read.FieldLogicalIO
		}
	}
	return f
}

// rankValue returns the value that a key compares, and what decides between equals: the total, which is all there is at the first scrape.
func rankValue(key RankKey, delta *Deltas, total *read.Totals, levels *read.Levels, have read.Fields) (value, size uint64) {
	of := func(c *[read.NumCounters]uint64) uint64 {
		return c[read.CPUUser] + c[read.CPUSystem] + c[read.ReapedUser] + c[read.ReapedSystem]
	}
	switch {
	case key == RankMemory:
		return levels[read.Resident], levels[read.Virtual]
	case key == RankDiskIO && have&read.FieldDiskIO != 0:
		of = func(c *[read.NumCounters]uint64) uint64 { return c[read.DiskReadBytes] + c[read.DiskWriteBytes] }
	case key == RankDiskIO:
		of = func(c *[read.NumCounters]uint64) uint64 { return c[read.LogicalReadBytes] + c[read.LogicalWriteBytes] }
	}
	return of((*[read.NumCounters]uint64)(delta)), of((*[read.NumCounters]uint64)(total))
}

// candidate is a process or group in the ranking by one key.
type candidate struct {
	index        int // in the order of the scan, which decides last between equals
	value, total uint64
	member       bool // the key has selected the candidate before
}

func (a candidate) compare(b candidate) int {
	if c := cmp.Compare(b.value, a.value); c != 0 {
		return c
	}
	if a.member != b.member {
		if a.member {
			return -1
		}
		return 1
	}
	if c := cmp.Compare(b.total, a.total); c != 0 {
		return c
	}
	return cmp.Compare(a.index, b.index)
}

// ranking finds the leading candidates by one key. Only as many as could matter are kept, in order: a candidate that is not among them costs
// one comparison.
type ranking struct {
	n, limit int
	best     []candidate
	indexes  []int
}

// reset begins the ranking by another key.
func (r *ranking) reset(top *Top) {
	r.n = top.N
	r.limit = max(top.N, int(min(float64(top.N)*top.Hysteresis, 1<<30)))
	r.best = r.best[:0]
}

// consider enters a candidate. One whose value and total are 0 is not ranked by the key.
func (r *ranking) consider(c candidate) {
	if c.value == 0 && c.total == 0 {
		return
	}
	if len(r.best) == r.limit {
		if c.compare(r.best[len(r.best)-1]) >= 0 {
			return
		}
		r.best = r.best[:len(r.best)-1]
	}
	at, _ := slices.BinarySearchFunc(r.best, c, candidate.compare)
	r.best = slices.Insert(r.best, at, c)
}

// selected returns the indexes of all candidates that the key selects, or has selected before and keeps, by rank. The slice is valid until the next call.
func (r *ranking) selected() []int {
	r.indexes = r.indexes[:0]
	for rank, c := range r.best {
		if rank < r.n || c.member {
			r.indexes = append(r.indexes, c.index)
		}
	}
	return r.indexes
}

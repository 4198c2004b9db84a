//go:build amd64 || arm64

package bpf

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

func endOf(pid, parent uint32, name string, faults uint64) *programsEnded {
	e := &programsEnded{Pid: pid, Parent: parent, MinorFaults: faults}
	for i := range min(len(name), len(e.Comm)) {
		e.Comm[i] = int8(name[i])
	}
	return e
}

// allOf returns what there is, by ancestor and name.
func (e *ends) allOf() map[string]uint64 {
	all := map[string]uint64{}
	for _, x := range e.seen {
		all[fmt.Sprintf("%d %s %d", x.Ancestor, x.Comm, x.PID)] += x.Totals[read.MinorFaults]
	}
	for _, x := range e.unseen {
		all[fmt.Sprintf("%d %s", x.Ancestor, x.Comm)] += x.Totals[read.MinorFaults]
	}
	return all
}

// TestAncestorOfAChain is the nearest ancestor that lives, of each process that has ended.
func TestAncestorOfAChain(t *testing.T) {
	e := newEnds()
	e.add(endOf(30, 20, "cc", 1), nil)
	e.add(endOf(31, 20, "cc", 2), nil)
	e.add(endOf(40, 20, "as", 4), &process{})
	assert.Equal(t, map[string]uint64{"20 cc": 3, "20 as 40": 4}, e.allOf())
	e.add(endOf(32, 10, "cc", 8), nil)
	e.add(endOf(20, 10, "sh", 16), nil)
	assert.Equal(t, map[string]uint64{"10 cc": 11, "10 as 40": 4, "10 sh": 16}, e.allOf())
	e.add(endOf(10, 1, "make", 32), &process{})
	assert.Equal(t, map[string]uint64{"1 cc": 11, "1 as 40": 4, "1 sh": 16, "1 make 10": 32}, e.allOf())
	// The pid 20 is used again.
	e.add(endOf(50, 20, "cc", 64), nil)
	assert.Equal(t, uint64(64), e.allOf()["20 cc"])
}

// TestEndsAreBounded, and those that do not fit are lost, or have no name.
func TestEndsAreBounded(t *testing.T) {
	e := newEnds()
	random := rand.New(rand.NewPCG(1, 2))
	var sum, seen, lost uint64
	for i := range uint32(5 * maxEnds) {
		faults := random.Uint64N(100)
		sum += faults
		var p *process
		if random.IntN(2) == 0 {
			p = &process{}
			if seen++; seen > maxEnds {
				lost++
				sum -= faults
			}
		}
		e.add(endOf(100+i, 1+random.Uint32N(100+i), fmt.Sprint("n", i), faults), p)
	}
	require.LessOrEqual(t, len(e.seen), maxEnds)
	require.LessOrEqual(t, len(e.unseen), maxEnds+1)
	var all, processes uint64
	for _, x := range e.seen {
		all += x.Totals[read.MinorFaults]
		processes += x.Processes
	}
	for _, x := range e.unseen {
		all += x.Totals[read.MinorFaults]
		processes += x.Processes
	}
	assert.Equal(t, sum, all)
	assert.Equal(t, lost, e.lost)
	assert.Equal(t, uint64(5*maxEnds)-lost, processes)
}

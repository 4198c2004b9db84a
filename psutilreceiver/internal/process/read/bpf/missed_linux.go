//go:build amd64 || arm64

package bpf

import (
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// A kernel may not run a program where it should: kernels of sandboxes run none in place of a thread of process 1, and the release of a process comes in
// whatever thread there is just then. What its last thread left behind says nearly as much.

const (
	// missedEvery is how often it is looked for ends that were not told.
	missedEvery = 5 * time.Second
	// missedAfter is long after the release of a process. The kernel tells of it within some ten milliseconds.
	missedAfter = 3 * time.Second
	// maxRunOnStep is by how much the time that processes run on is taken to be longer after one of them, in ns.
	maxRunOnStep = 20_000
	// missedKept is for how many looks it is kept which ends were found: the kernel may tell of them later all the same.
	missedKept = 100
)

// missed has what is needed to find ends that the kernel did not tell of.
type missed struct {
	looked time.Duration // when it was looked for them, since boot
	looks  uint64
	found  map[programsName]uint64 // the look that found it
	// runOn has for each CPU how much longer processes ran than their last thread's end, plus the difference of the scheduler's clock and the monotonic one, in ns.
	runOn map[uint64]int64
}

func newMissed() missed {
	return missed{found: make(map[programsName]uint64), runOn: make(map[uint64]int64)}
}

// learn takes from an end that was told what is to be added to one that is not.
func (m *missed) learn(e *programsEnded) {
	if e.Lag.At == 0 || e.Times.Ran < e.Lag.Ran {
		return
	}
	runOn := int64(e.Lag.Since + (e.Times.Ran - e.Lag.Ran) - e.Lag.At)
	if known, ok := m.runOn[e.Lag.Cpu]; ok {
		// One that was interrupted for long says nothing of the next one. A clock that leaves out interrupts falls behind, and does not catch up.
		runOn = min(runOn, known+maxRunOnStep)
	}
	m.runOn[e.Lag.Cpu] = runOn
}

// complete makes of what the last thread of a process left behind the account that its release would have given.
func (m *missed) complete(ending *programsEnding) *programsEnded {
	e := ending.Last
	if runOn, known := m.runOn[e.Lag.Cpu]; known {
		e.Times.Ran += uint64(max(int64(e.Lag.At)+runOn-int64(e.Lag.Since), 0))
	}
	e.Voluntary++ // The last one, off the CPU.
	for i := range e.Io {
		e.Io[i] = ending.Io[i] + ending.LeaderIo[i]
	}
	e.Lag.At = 0
	return &e
}

// findMissed accounts for ends that were not told. It comes after a scan, before ends are told of that came since.
func (r *Reader) findMissed(now uint64) error {
	m := &r.missed
	if at := time.Duration(now); at-m.looked < missedEvery {
		return nil
	}
	m.looked = time.Duration(now)
	m.looks++
	for name, look := range m.found {
		if m.looks-look > missedKept {
			delete(m.found, name)
		}
	}
	var clock unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &clock); err != nil {
		return fmt.Errorf("reading the monotonic clock: %w", err)
	}
	endings := r.programs.collection.Maps[programsMapEndings]
	var name programsName
	var ending programsEnding
	var gone []programsEnding
	var names []programsName
	for entries := endings.Iterate(); entries.Next(&name, &ending); {
		p := r.processes[int32(name.Pid)]
		alive := p != nil && p.start == name.Start && p.scan == r.scan
		if ending.Last.Pid != 0 && !alive && ending.Last.Lag.At+uint64(missedAfter) < uint64(clock.Nano()) {
			gone, names = append(gone, ending), append(names, name)
		}
	}
	for i := range gone {
		if err := endings.Delete(&names[i]); errors.Is(err, ebpf.ErrKeyNotExist) {
			continue // It was told of meanwhile.
		}
		r.account(m.complete(&gone[i]))
		m.found[names[i]] = m.looks
	}
	return nil
}

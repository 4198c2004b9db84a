package read

import (
	"bytes"
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// This file reads the values of a text in which one is not what it can be: the others one by one, each by its column. It is not for the many
// texts that are right.

// The nice values that there are: sched(7).
const lowestNice, highestNice = -20, 19

// noParent is the parent of a process whose parent could not be read.
const noParent = -1

// parseOddStat is parseStat of what follows the comm. It reports false if the process can't be told from others: its state or start can't be.
func parseOddStat(text []byte, pageSize uint64, s *Sample) bool {
	const first, last = 3, 24 // state and rss
	line, _ := proctext.Line(text)
	columns := bytes.SplitN(bytes.TrimPrefix(line, []byte{' '}), []byte{' '}, last-first+2)
	if len(columns) <= last-first || len(columns[0]) != 1 {
		return false
	}
	number := func(field int, unit uint64) (uint64, bool) {
		v, ok := proctext.Int(columns[field-first])
		return uint64(v) * unit, ok && uint64(v) <= math.MaxInt64/unit
	}
	start, ok := number(22, 1)
	if !ok {
		return false
	}
	s.State, s.Start, s.Have = columns[0][0], start, FieldScheduling
	s.PPID = noParent
	if ppid, ok := number(4, 1); ok && ppid <= maxPID {
		s.PPID = int32(ppid)
	}
	flags, _ := number(9, 1)
	s.KernelThread = flags&pfKThread != 0
	nice := scanner{text: columns[19-first]}
	if v := nice.signed(); !nice.bad && v >= lowestNice && v <= highestNice {
		s.Nice = int32(v)
		s.Have |= FieldNice
	}
	have := func(fields Fields, value func() bool) {
		if value() {
			s.Have |= fields
		}
	}
	take := func(dst *uint64, field int, unit uint64) func() bool {
		return func() (ok bool) {
			var v uint64
			if v, ok = number(field, unit); ok {
				*dst = v
			}
			return ok
		}
	}
	have(FieldCPUUser, take(&s.Totals[CPUUser], 14, microsecondsPerTick))
	have(FieldCPUSystem, take(&s.Totals[CPUSystem], 15, microsecondsPerTick))
	have(FieldMinorFaults, take(&s.Totals[MinorFaults], 10, 1))
	have(FieldMajorFaults, take(&s.Totals[MajorFaults], 12, 1))
	have(FieldChildrenUser, take(&s.Children.User, 16, microsecondsPerTick))
	have(FieldChildrenSystem, take(&s.Children.System, 17, microsecondsPerTick))
	have(FieldChildrenFaults, take(&s.Children.Faults, 11, 1))
	have(FieldThreads, take(&s.Levels[Threads], 20, 1))
	have(FieldVirtual, take(&s.Levels[Virtual], 23, 1))
	have(FieldMemory, take(&s.Levels[Resident], 24, pageSize))
	return true
}

// parseOddStatm is parseStatm.
func parseOddStatm(text []byte, pageSize uint64, s *Sample) {
	line, _ := proctext.Line(text)
	columns := bytes.Split(line, []byte{' '})
	if len(columns) != 7 { // All kernels print seven: which one is missing can't be told.
		return
	}
	for i, level := range [...]Level{Virtual, Resident, Shared} {
		if v, ok := proctext.Int(columns[i]); ok && uint64(v) <= math.MaxInt64/pageSize {
			s.Levels[level] = uint64(v) * pageSize
			s.Have |= level.Field()
		}
	}
}

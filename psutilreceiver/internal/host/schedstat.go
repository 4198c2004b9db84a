package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const schedstatFile = "proc/schedstat"

// RunQueue is what the scheduler counted since boot, over all CPUs that were ever online. A value is Odd where it can't be.
type RunQueue struct {
	Run, Wait  float64 // seconds: that tasks ran, and that they waited although they were ready
	Timeslices int64
}

// RunQueues reads /proc/schedstat.
type RunQueues struct {
	host *Host
	cpus map[int64]runQueueTotals // bounded by the CPUs that the host can have; one that is offline has no line, and its totals remain
}

// runQueueTotals are the times in nanoseconds that tasks ran and waited on one CPU, and the number of timeslices.
type runQueueTotals [3]int64

// NewRunQueues returns a reader.
func NewRunQueues(h *Host) *RunQueues {
	return &RunQueues{host: h, cpus: make(map[int64]runQueueTotals)}
}

// Read gives the sum over the CPUs. ErrUnsupported where the kernel was built without CONFIG_SCHEDSTATS, or writes an older form than version 15, of
// Linux 2.6.39; and on other systems.
func (q *RunQueues) Read() (RunQueue, error) {
	text, err := q.host.read(schedstatFile)
	if err != nil {
		return RunQueue{}, optional(err)
	}
	return q.parse(text)
}

func (q *RunQueues) parse(text []byte) (RunQueue, error) {
	line, rest := proctext.Line(text)
	word, number := proctext.Field(line)
	number, _ = proctext.Field(number)
	version, ok := proctext.Int(number)
	odd := oddValues{file: schedstatFile}
	switch {
	case !bytes.Equal(word, []byte("version")):
		return RunQueue{}, malformed(schedstatFile, text)
	case !ok:
		odd.add(line)
	case version < 15:
		return RunQueue{}, ErrUnsupported
	}
	var lost runQueueTotals
	found := false
	for len(rest) > 0 {
		line, rest = proctext.Line(rest)
		name, values, _ := proctext.Column(line)
		digits, isCPU := bytes.CutPrefix(name, []byte("cpu"))
		if !isCPU {
			continue // The time, and domains.
		}
		cpu, known := proctext.Int(digits)
		if !known || cpu >= maxCPUs {
			return RunQueue{}, malformed(schedstatFile, line)
		}
		found = true
		if q.add(cpu, values, &lost) {
			odd.add(line)
		}
	}
	if !found {
		return RunQueue{}, malformed(schedstatFile, text)
	}
	return q.sum(&lost), odd.err
}

// add takes the last three of the nine numbers of a CPU.
func (q *RunQueues) add(cpu int64, values []byte, lost *runQueueTotals) (anyOdd bool) {
	const others = 6
	for range others {
		_, values, _ = proctext.Column(values)
	}
	totals := q.cpus[cpu]
	for i := range totals {
		var number []byte
		number, values, _ = proctext.Column(values)
		if v, ok := proctext.Int(number); ok {
			totals[i] = v
		} else {
			lost[i], anyOdd = Odd, true
		}
	}
	q.cpus[cpu] = totals
	return anyOdd
}

func (q *RunQueues) sum(lost *runQueueTotals) RunQueue {
	var sum runQueueTotals
	for _, totals := range q.cpus {
		for i, v := range totals {
			sum[i] = sumOf(sum[i], v)
		}
	}
	for i, v := range lost {
		if v == Odd {
			sum[i] = Odd
		}
	}
	return RunQueue{Run: secondsOf(sum[0]), Wait: secondsOf(sum[1]), Timeslices: sum[2]}
}

// secondsOf gives seconds for nanoseconds, Odd for those.
func secondsOf(nanos int64) float64 {
	const second = 1e9
	if nanos < 0 {
		return Odd
	}
	return float64(nanos) / second
}

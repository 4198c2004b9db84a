package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const softnetFile = "net/softnet_stat"

// SoftnetCounters is what the network stack did in soft interrupts: totals since boot, as far as they were seen to wrap. A value is -1 where the
// kernel does not report it, Odd where it can't be.
type SoftnetCounters struct {
	Processed   int64 // packets
	Dropped     int64 // packets, because the backlog was full
	Squeezed    int64 // times that work was left, because budget or time was used up
	ReceivedRPS int64 // times that another CPU woke this one for packets; since 2.6.35
	FlowLimited int64 // packets of a flow that had too many in the backlog; since 3.11
}

// SoftnetCPU is the counters of one CPU.
type SoftnetCPU struct {
	Number int // logical; the number of the line where the kernel does not tell it: before 5.10
	SoftnetCounters
}

// Columns of /proc/net/softnet_stat: net/core/net-procfs.c.
const (
	softnetProcessed   = 0
	softnetDropped     = 1
	softnetSqueezed    = 2
	softnetReceivedRPS = 9
	softnetFlowLimited = 10
	softnetCPU         = 12
	softnetColumns     = 13
)

// softnetCounted are the columns of the counters, in the order of a softnetValues.
var softnetCounted = [...]int{softnetProcessed, softnetDropped, softnetSqueezed, softnetReceivedRPS, softnetFlowLimited}

type softnetValues [len(softnetCounted)]int64

func (v *softnetValues) counters() SoftnetCounters {
	return SoftnetCounters{Processed: v[0], Dropped: v[1], Squeezed: v[2], ReceivedRPS: v[3], FlowLimited: v[4]}
}

// Softnet reads /proc/net/softnet_stat, whose numbers the kernel keeps in 32 bits for each CPU: on a busy host one wraps within an hour.
type Softnet struct {
	host    *Host
	cpus    map[int]*softnetMemory // bounded by the CPUs that the host can have
	current []SoftnetCPU
	lines   int // of the last read that had no numbers of CPUs
}

// softnetMemory is what is known of one CPU. One that is offline has no line, and its total remains.
type softnetMemory struct {
	counters [len(softnetCounted)]wrapping
	values   softnetValues // the last of each that could be read
}

// NewSoftnet returns a reader.
func NewSoftnet(h *Host) *Softnet { return &Softnet{host: h, cpus: make(map[int]*softnetMemory)} }

// Read gives the sum over all CPUs that were ever online, and the CPUs that are; these are valid until the next Read. ErrUnsupported on other
// systems than Linux.
func (s *Softnet) Read() (SoftnetCounters, []SoftnetCPU, error) {
	text, file, err := s.host.readHeldOfNetwork(softnetFile)
	if err != nil {
		return SoftnetCounters{}, nil, optional(err)
	}
	return s.parse(file, text)
}

func (s *Softnet) parse(file string, text []byte) (SoftnetCounters, []SoftnetCPU, error) {
	s.current = s.current[:0]
	odd := oddValues{file: file}
	var lost softnetValues // Odd for a column of which a number can't be
	numbered := false
	line := 0
	for rest := text; len(rest) > 0; line++ {
		var l []byte
		l, rest = proctext.Line(rest)
		columns, n := softnetLine(l)
		if n <= softnetSqueezed {
			return SoftnetCounters{}, nil, malformed(file, l)
		}
		if line == 0 {
			if numbered = n > softnetCPU; !numbered {
				s.forgetOthers(bytes.Count(text, []byte{'\n'}))
			}
		}
		number := int64(line)
		if numbered {
			number = columns[softnetCPU]
		}
		if numbered && n <= softnetCPU || number < 0 || number >= maxCPUs {
			odd.add(l)
			lost = softnetValues{Odd, Odd, Odd, Odd, Odd}
			continue
		}
		if s.add(int(number), &columns, n, &lost) {
			odd.add(l)
		}
	}
	if line == 0 {
		return SoftnetCounters{}, nil, malformed(file, text)
	}
	total := s.total(&lost)
	return total.counters(), s.current, odd.err
}

// maxCPUs is more than the kernel can have.
const maxCPUs = 1 << 16

// add takes the numbers of a CPU, and tells whether one of them can't be.
func (s *Softnet) add(number int, columns *[softnetColumns]int64, n int, lost *softnetValues) (anyOdd bool) {
	m, ok := s.cpus[number]
	if !ok {
		m = &softnetMemory{values: softnetValues{absent, absent, absent, absent, absent}}
		s.cpus[number] = m
	}
	var shown softnetValues
	for i, column := range softnetCounted {
		switch {
		case column >= n:
			shown[i] = absent
		case columns[column] < 0:
			shown[i], lost[i], anyOdd = Odd, Odd, true
		default:
			m.values[i] = m.counters[i].next(columns[column], wrapAt/2)
			shown[i] = m.values[i]
		}
	}
	s.current = append(s.current, SoftnetCPU{number, shown.counters()})
	return anyOdd
}

// forgetOthers is for a table without numbers of CPUs. When it has more lines or fewer, which line is whose can't be told.
func (s *Softnet) forgetOthers(lines int) {
	if s.lines != lines {
		s.lines = lines
		clear(s.cpus)
	}
}

func (s *Softnet) total(lost *softnetValues) softnetValues {
	total := softnetValues{absent, absent, absent, absent, absent}
	for _, m := range s.cpus {
		for i, v := range m.values {
			total[i] = sumOf(total[i], v)
		}
	}
	for i, v := range lost {
		if v == Odd {
			total[i] = Odd
		}
	}
	return total
}

// softnetLine reads hexadecimal columns, one blank between two, and gives how many there are. One that can't be is Odd.
func softnetLine(l []byte) (columns [softnetColumns]int64, n int) {
	for n < len(columns) {
		f, rest, there := proctext.Column(l)
		if !there {
			break
		}
		l = rest
		columns[n] = hexWord(f)
		n++
	}
	return columns, n
}

// hexWord reads a number of up to 32 bits.
func hexWord(text []byte) int64 {
	const digits = 8
	if len(text) == 0 || len(text) > digits {
		return Odd
	}
	v := int64(0)
	for _, c := range text {
		d, ok := hexDigit(c)
		if !ok {
			return Odd
		}
		v = v<<4 | int64(d)
	}
	return v
}

func hexDigit(c byte) (uint8, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

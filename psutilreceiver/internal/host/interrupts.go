package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const interruptsFile = "proc/interrupts"

// SoftInterruptKinds is how many kinds of soft interrupts the kernel has: HI, TIMER, NET_TX, NET_RX, BLOCK, IRQ_POLL (once BLOCK_IOPOLL), TASKLET,
// SCHED, HRTIMER and RCU, in this order.
const SoftInterruptKinds = 10

// SoftInterrupts gives the totals of soft interrupts by kind since boot, from the line softirq of /proc/stat, which has the sum over all CPUs. A value
// is -1 where the kernel has no such kind, Odd where it can't be.
func (h *Host) SoftInterrupts() (kinds [SoftInterruptKinds]int64, err error) {
	text, err := h.readHeld(statFile)
	if err != nil {
		return kinds, err
	}
	return parseSoftInterrupts(text)
}

// parseSoftInterrupts looks from the end of the text: the long line of hard interrupts is before it.
func parseSoftInterrupts(text []byte) (kinds [SoftInterruptKinds]int64, err error) {
	for i := range kinds {
		kinds[i] = absent
	}
	at := bytes.LastIndex(text, []byte("\nsoftirq "))
	if at < 0 {
		return kinds, ErrUnsupported // Before 2.6.31.
	}
	line, _ := proctext.Line(text[at+1:])
	odd := oddValues{file: statFile}
	_, values, _ := proctext.Column(line)
	_, values, _ = proctext.Column(values) // The sum of all kinds.
	for i := range kinds {
		number, rest, there := proctext.Column(values)
		if !there {
			break
		}
		values = rest
		var ok bool
		if kinds[i], ok = proctext.Int(number); !ok {
			kinds[i] = Odd
			odd.add(line)
		}
	}
	return kinds, odd.err
}

// Interrupt is one line of /proc/interrupts.
type Interrupt struct {
	Name        string // number, or a short name as LOC
	Description string
	Count       int64 // since boot, on all CPUs that are online; Odd where it can't be
}

// Interrupts reads /proc/interrupts.
type Interrupts struct {
	host    *Host
	list    []Interrupt
	seen    map[string]uint64 // by name the last read with it
	reads   uint64
	scratch []byte
}

// NewInterrupts returns a reader.
func NewInterrupts(h *Host) *Interrupts { return &Interrupts{host: h, seen: make(map[string]uint64)} }

// Read gives the interrupts by number and name, valid until the next Read. ErrUnsupported on other systems than Linux.
func (i *Interrupts) Read() ([]Interrupt, error) {
	text, err := i.host.read(interruptsFile)
	if err != nil {
		return nil, optional(err)
	}
	return i.parse(text)
}

func (i *Interrupts) parse(text []byte) ([]Interrupt, error) {
	i.list = i.list[:0]
	if i.reads++; len(i.seen) > maxNames {
		clear(i.seen)
	}
	heading, rest := proctext.Line(text)
	cpus := 0
	for {
		var name []byte
		if name, heading = proctext.Field(heading); len(name) == 0 {
			break
		}
		if !bytes.HasPrefix(name, []byte("CPU")) {
			return nil, malformed(interruptsFile, name)
		}
		cpus++
	}
	if cpus == 0 {
		return nil, malformed(interruptsFile, text)
	}
	odd := oddValues{file: interruptsFile}
	for len(rest) > 0 {
		var l []byte
		l, rest = proctext.Line(rest)
		if !i.add(l, cpus) {
			odd.add(l)
		}
	}
	return i.list, odd.err
}

// add adds a line: a name, a colon, a number for each CPU and a description. Some have one number for all CPUs, and no description.
func (i *Interrupts) add(l []byte, cpus int) (whole bool) {
	name, values, found := bytes.Cut(l, []byte{':'})
	name = bytes.TrimSpace(name)
	if !found || len(name) == 0 {
		return len(bytes.TrimSpace(l)) == 0
	}
	key := i.host.names.of(name)
	if i.seen[key] == i.reads {
		return false // A second line of the name.
	}
	i.seen[key] = i.reads
	sum, numbers := int64(0), 0
	for numbers < cpus {
		field, after := proctext.Field(values)
		v, ok := proctext.Int(field)
		if !ok {
			break
		}
		values, numbers = after, numbers+1
		sum = sumOf(sum, v)
	}
	description := i.description(values)
	forAll := numbers == 1 && description == "" && (name[0] < '0' || name[0] > '9') // As ERR and MIS.
	if numbers != cpus && !forAll || sum < 0 {
		sum = Odd
	}
	i.list = append(i.list, Interrupt{Name: key, Description: description, Count: sum})
	return sum >= 0
}

// description puts one blank between the words.
func (i *Interrupts) description(text []byte) string {
	i.scratch = i.scratch[:0]
	for {
		var word []byte
		if word, text = proctext.Field(text); len(word) == 0 {
			return i.host.names.of(i.scratch)
		}
		if len(i.scratch) > 0 {
			i.scratch = append(i.scratch, ' ')
		}
		i.scratch = append(i.scratch, word...)
	}
}

package host

import (
	"bytes"
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// Resource is one that tasks can be stalled for, in pressure stall information (PSI).
type Resource int

// The resources that Linux tracks.
const (
	ResourceCPU    Resource = iota
	ResourceMemory          // stalled by reclaim, refaults and swapping
	ResourceIO
	ResourceIRQ // CPU time lost to interrupts, since Linux 6.1 with CONFIG_IRQ_TIME_ACCOUNTING
)

// String is the resource's name, which is also that of its file in /proc/pressure.
func (r Resource) String() string {
	return [...]string{ResourceCPU: "cpu", ResourceMemory: "memory", ResourceIO: "io", ResourceIRQ: "irq"}[r]
}

// Stall is the time that tasks lost for lack of a resource.
type Stall struct {
	Reported             bool    // false when the kernel has no such line; the values are then zero. One that can't be is Odd
	Avg10, Avg60, Avg300 float64 // share of the last 10, 60 and 300 seconds, 0 to 1
	Total                float64 // since boot, in seconds
}

// Pressure is the stall information of one resource.
type Pressure struct {
	Some Stall // at least one task was stalled; IRQ has none
	// Full: all tasks that were not idle were stalled at once. For CPU the kernel has it since 5.13, and always zero, as it is
	// not defined for a whole host: some task is always running when others wait for a CPU.
	Full Stall
}

// pressureFiles are the files of the resources, in /proc/pressure.
var pressureFiles = [...]string{
	ResourceCPU: "proc/pressure/cpu", ResourceMemory: "proc/pressure/memory", ResourceIO: "proc/pressure/io", ResourceIRQ: "proc/pressure/irq",
}

// Pressure gives the stall information of r, from /proc/pressure. ErrUnsupported where the kernel has none: before 4.20, or
// 6.1 for IRQ, or built without it, or booted with psi=0; and on other systems.
func (h *Host) Pressure(r Resource) (Pressure, error) {
	file := pressureFiles[r]
	text, err := h.readHeld(file)
	if err != nil {
		return Pressure{}, optional(err)
	}
	return parsePressure(file, text)
}

// parsePressure reads lines such as: some avg10=1.52 avg60=1.10 avg300=0.83 total=48120331. A value that can't be is left out.
func parsePressure(file string, text []byte) (Pressure, error) {
	var p Pressure
	odd := oddValues{file: file}
	for rest := text; len(rest) > 0; {
		var l []byte
		l, rest = proctext.Line(rest)
		kind, values := proctext.Field(l)
		var dst *Stall
		switch string(kind) {
		case "some":
			dst = &p.Some
		case "full":
			dst = &p.Full
		default:
			continue
		}
		if !parseStall(values, dst) {
			odd.add(l)
		}
	}
	if !p.Some.Reported && !p.Full.Reported {
		return Pressure{}, malformed(file, text)
	}
	return p, odd.err
}

// parseStall turns percent into a ratio and microseconds into seconds. It reports false if one of the four values is not there, as in a line that
// is cut off, or can't be: then that is Odd.
func parseStall(values []byte, s *Stall) (whole bool) {
	*s = Stall{Reported: true, Avg10: Odd, Avg60: Odd, Avg300: Odd, Total: Odd}
	for {
		var f []byte
		if f, values = proctext.Field(values); len(f) == 0 {
			return s.Avg10 >= 0 && s.Avg60 >= 0 && s.Avg300 >= 0 && s.Total >= 0
		}
		key, number, _ := bytes.Cut(f, []byte{'='})
		v, ok := proctext.Decimal(number)
		// A share may be above all by a rounding.
		const all, most = 100, 101
		switch string(key) {
		case "avg10":
			s.Avg10 = ratioOf(v, ok && v < most, all)
		case "avg60":
			s.Avg60 = ratioOf(v, ok && v < most, all)
		case "avg300":
			s.Avg300 = ratioOf(v, ok && v < most, all)
		case "total":
			s.Total = Odd
			if ok && v < math.MaxInt64 {
				s.Total = v / 1e6
			}
		}
	}
}

func ratioOf(v float64, ok bool, all float64) float64 {
	if !ok {
		return Odd
	}
	return min(v, all) / all
}

package host

import (
	"math"
	"os"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	swapsFile  = "proc/swaps"
	vmstatFile = "proc/vmstat"
)

// Swaps gives the swap areas in use, from /proc/swaps. None is no error.
func (h *Host) Swaps() ([]Swap, error) {
	text, err := h.readHeld(swapsFile)
	if err != nil {
		return nil, optional(err)
	}
	return h.parseSwaps(text)
}

// parseSwaps reads lines of: filename, type, size and used in KiB, priority. The kernel writes blanks within a name as \040. A line that can't
// be is left out, and so is a second one of a name.
func (h *Host) parseSwaps(text []byte) ([]Swap, error) {
	_, text = proctext.Line(text) // The heading.
	var swaps []Swap
	odd := oddValues{file: swapsFile}
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		if len(l) == 0 {
			continue
		}
		name, rest := proctext.Field(l)
		_, rest = proctext.Field(rest)
		sizeText, rest := proctext.Field(rest)
		usedText, rest := proctext.Field(rest)
		priority, _ := proctext.Field(rest)
		size, ok1 := proctext.Int(sizeText)
		used, ok2 := proctext.Int(usedText)
		if !ok1 || !ok2 || size > 1<<52 || used > size || len(priority) == 0 {
			odd.add(l)
			continue
		}
		device := h.names.of(proctext.Unescape(name))
		if slices.ContainsFunc(swaps, func(s Swap) bool { return s.Device == device }) {
			continue
		}
		swaps = append(swaps, Swap{Device: device, Size: size * 1024, Used: used * 1024})
	}
	return swaps, odd.err
}

// VM gives the totals of the virtual memory system, from /proc/vmstat.
func (h *Host) VM() (VMSample, error) {
	text, err := h.readHeld(vmstatFile)
	if err != nil {
		return VMSample{}, optional(err) // WSL 1 and gVisor have none.
	}
	return parseVmstat(text)
}

func parseVmstat(text []byte) (VMSample, error) {
	v := noVM
	v.PageSize = int64(os.Getpagesize())
	odd := oddValues{file: vmstatFile}
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		key, rest := proctext.Field(l)
		var dst *int64
		switch string(key) {
		case "pgfault":
			dst = &v.Faults
		case "pgmajfault":
			dst = &v.MajorFaults
		case "pswpin":
			dst = &v.SwappedIn
		case "pswpout":
			dst = &v.SwappedOut
		case "zswpin":
			dst = &v.ZswapIn
		case "zswpout":
			dst = &v.ZswapOut
		case "oom_kill":
			dst = &v.OOMKills
		default:
			continue
		}
		number, _ := proctext.Field(rest)
		n, ok := proctext.Int(number)
		if !ok || n > math.MaxInt64/v.PageSize {
			odd.add(l)
			n = Odd
		}
		*dst = n
	}
	if v.Faults >= 0 && v.MajorFaults > v.Faults { // Those of all kinds can't be fewer than those of one.
		odd.addFact("pgmajfault above pgfault")
		v.Faults = Odd
	}
	return v, odd.err
}

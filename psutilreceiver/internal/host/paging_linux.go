package host

import (
	"os"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const (
	swapsFile  = "proc/swaps"
	vmstatFile = "proc/vmstat"
)

// Swaps gives the swap areas in use, from /proc/swaps. None is no error.
func (h *Host) Swaps() ([]Swap, error) {
	text, err := h.read(swapsFile)
	if err != nil {
		return nil, optional(err)
	}
	return h.parseSwaps(text)
}

// parseSwaps reads lines of: filename, type, size and used in KiB, priority. The kernel writes blanks within a name as \040.
func (h *Host) parseSwaps(text []byte) ([]Swap, error) {
	_, text = proctext.Line(text) // The heading.
	var swaps []Swap
	for len(text) > 0 {
		var l []byte
		l, text = proctext.Line(text)
		if len(l) == 0 {
			continue
		}
		name, rest := proctext.Field(l)
		_, rest = proctext.Field(rest)
		sizeText, rest := proctext.Field(rest)
		usedText, _ := proctext.Field(rest)
		size, ok1 := proctext.Int(sizeText)
		used, ok2 := proctext.Int(usedText)
		if !ok1 || !ok2 || size > 1<<52 || used > size {
			return nil, malformed(swapsFile, l)
		}
		swaps = append(swaps, Swap{Device: h.names.of(proctext.Unescape(name)), Size: size * 1024, Used: used * 1024})
	}
	return swaps, nil
}

// VM gives the totals of the virtual memory system, from /proc/vmstat.
func (h *Host) VM() (VMSample, error) {
	text, err := h.read(vmstatFile)
	if err != nil {
		return VMSample{}, err
	}
	return parseVmstat(text)
}

func parseVmstat(text []byte) (VMSample, error) {
	v := noVM
	v.PageSize = int64(os.Getpagesize())
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
		case "oom_kill":
			dst = &v.OOMKills
		default:
			continue
		}
		number, _ := proctext.Field(rest)
		n, ok := proctext.Int(number)
		if !ok {
			return VMSample{}, malformed(vmstatFile, l)
		}
		*dst = n
	}
	return v, nil
}

package host

import "os"

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
	_, text = line(text) // The heading.
	var swaps []Swap
	for len(text) > 0 {
		var l []byte
		l, text = line(text)
		if len(l) == 0 {
			continue
		}
		name, rest := field(l)
		_, rest = field(rest)
		sizeText, rest := field(rest)
		usedText, _ := field(rest)
		size, ok1 := intOf(sizeText)
		used, ok2 := intOf(usedText)
		if !ok1 || !ok2 || size > 1<<52 || used > size {
			return nil, malformed(swapsFile, l)
		}
		swaps = append(swaps, Swap{Device: h.names.of(unescape(name)), Size: size * 1024, Used: used * 1024})
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
		l, text = line(text)
		key, rest := field(l)
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
		number, _ := field(rest)
		n, ok := intOf(number)
		if !ok {
			return VMSample{}, malformed(vmstatFile, l)
		}
		*dst = n
	}
	return v, nil
}

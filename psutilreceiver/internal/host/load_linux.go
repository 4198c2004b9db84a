package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const loadavgFile = "proc/loadavg"

// Load gives the load averages and the number of tasks, from /proc/loadavg.
func (h *Host) Load() (Load, error) {
	text, err := h.readHeld(loadavgFile)
	if err != nil {
		return Load{}, err
	}
	return parseLoadavg(text)
}

// maxLoad is more than the load can be: the kernel allows for 2^22 tasks.
const maxLoad = 1 << 32

// parseLoadavg reads the three averages and the second of the numbers that follow, runnable/existing tasks. A value that can't be is left out,
// but an average and what comes after it need the blank between them.
func parseLoadavg(text []byte) (Load, error) {
	l := Load{Tasks: Odd}
	odd := oddValues{file: loadavgFile}
	known := false
	rest, _ := proctext.Line(text)
	for _, dst := range []*float64{&l.Avg1, &l.Avg5, &l.Avg15} {
		f, after, _ := proctext.Column(rest)
		rest = after
		v, ok := proctext.Decimal(f)
		if !ok || v > maxLoad || len(after) == 0 { // The last of a text that is cut off may be, too.
			odd.add(text)
			v = Odd
		}
		known = known || ok
		*dst = v
	}
	f, _, _ := proctext.Column(rest)
	_, tasks, _ := bytes.Cut(f, []byte{'/'})
	n, ok := proctext.Int(tasks)
	if ok && n <= maxTasks {
		l.Tasks = n
	} else {
		odd.add(text)
	}
	if !known && !ok {
		return Load{}, malformed(loadavgFile, text)
	}
	return l, odd.err
}

package host

import (
	"bytes"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

const loadavgFile = "proc/loadavg"

// Load gives the load averages and the number of tasks, from /proc/loadavg.
func (h *Host) Load() (Load, error) {
	text, err := h.read(loadavgFile)
	if err != nil {
		return Load{}, err
	}
	return parseLoadavg(text)
}

// parseLoadavg reads the three averages and the second of the numbers that follow, runnable/existing tasks.
func parseLoadavg(text []byte) (Load, error) {
	l := Load{Tasks: absent}
	rest := text
	for _, dst := range []*float64{&l.Avg1, &l.Avg5, &l.Avg15} {
		var f []byte
		f, rest = proctext.Field(rest)
		v, ok := proctext.Decimal(f)
		if !ok {
			return Load{}, malformed(loadavgFile, text)
		}
		*dst = v
	}
	f, _ := proctext.Field(rest)
	runnable, tasks, _ := bytes.Cut(f, []byte{'/'})
	_, ok1 := proctext.Uint(runnable)
	n, ok2 := proctext.Int(tasks)
	if !ok1 || !ok2 {
		return Load{}, malformed(loadavgFile, text)
	}
	l.Tasks = n
	return l, nil
}

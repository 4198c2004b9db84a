package hostpageexporter

import (
	"bufio"
	"errors"
	"strconv"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// rangeOf answers values over time. They are written series by series: an answer may be large.
func (p *page) rangeOf(a *answering) error {
	q := a.URL.Query()
	selection, err := selectionOf(q)
	if err != nil {
		return err
	}
	if len(selection.IDs)+len(selection.Names) == 0 {
		return badRequest("series is required: numbers, or names of metrics, from /api/meta")
	}
	from, to, err := timesOf(q, time.Hour, p.now())
	if err != nil {
		return err
	}
	width, err := widthOf(q)
	if err != nil {
		return err
	}
	w := &rangeWriter{w: bufio.NewWriterSize(a.w, 32<<10)}
	err = a.store.Range(history.Query{Selection: selection, From: from, To: to, Width: width}, w)
	var cells history.CellsError
	if errors.As(err, &cells) {
		return badRequest(cells.Error())
	}
	return w.close()
}

// rangeWriter writes an answer as it is read.
type rangeWriter struct {
	w              *bufio.Writer
	b              []byte
	tier           int
	groups, series int
}

func (w *rangeWriter) flush() {
	_, _ = w.w.Write(w.b) // The last flush gives the error.
	w.b = w.b[:0]
}

// Plan writes the head.
func (w *rangeWriter) Plan(p history.Plan) {
	w.tier = p.Tier
	b := append(w.b, `{"version":1,"store":"`...)
	b = append(b, p.Store...)
	b = append(b, `","from":`...)
	b = strconv.AppendInt(b, floorMillis(p.From), 10)
	b = append(b, `,"to":`...)
	b = strconv.AppendInt(b, floorMillis(p.To), 10)
	b = append(b, `,"tier":`...)
	b = strconv.AppendInt(b, int64(p.Tier), 10)
	b = append(b, `,"step":`...)
	b = strconv.AppendInt(b, p.Step/1000, 10)
	w.b = append(b, `,"groups":[`...)
	w.flush()
}

// Group begins a group.
func (w *rangeWriter) Group(axis int, times []int64) {
	b := w.b
	if w.groups > 0 {
		b = append(b, `]},`...)
	}
	w.groups++
	w.series = 0
	b = append(b, `{"axis":`...)
	b = strconv.AppendInt(b, int64(axis), 10)
	b = append(b, `,"times":[`...)
	for i, t := range times {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, floorMillis(t), 10)
	}
	w.b = append(b, `],"series":[`...)
	w.flush()
}

// Series writes the values of one series.
func (w *rangeWriter) Series(v *history.Values) {
	b := w.b
	if w.series > 0 {
		b = append(b, ',')
	}
	w.series++
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, uint64(v.ID), 10)
	middle := "avg"
	if v.Kind == history.Distribution {
		middle = "p95"
	}
	digits := digitsOf(v.Kind, w.tier)
	b = appendColumn(b, middle, v.Avg, digits)
	if v.Min != nil {
		b = appendColumn(b, "min", v.Min, digits)
		b = appendColumn(b, "max", v.Max, digits)
	}
	w.b = append(b, '}')
	w.flush()
}

func appendColumn(b []byte, name string, values []float64, digits int) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":[`...)
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNumber(b, v, digits)
	}
	return append(b, ']')
}

func (w *rangeWriter) close() error {
	if w.groups > 0 {
		w.b = append(w.b, `]}`...)
	}
	w.b = append(w.b, "]}\n"...)
	w.flush()
	return w.w.Flush()
}

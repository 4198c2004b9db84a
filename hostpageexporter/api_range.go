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
	if cells, ok := errors.AsType[history.CellsError](err); ok {
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
	w.b = append(w.b, `{"version":1,"store":"`...)
	w.b = append(w.b, p.Store...)
	w.integer(`","from":`, floorMillis(p.From))
	w.integer(`,"to":`, floorMillis(p.To))
	w.integer(`,"tier":`, int64(p.Tier))
	w.integer(`,"step":`, p.Step/1000)
	w.b = append(w.b, `,"groups":[`...)
	w.flush()
}

// integer writes a number after some text.
func (w *rangeWriter) integer(text string, v int64) {
	w.b = append(w.b, text...)
	w.b = strconv.AppendInt(w.b, v, 10)
}

// Group begins a group.
func (w *rangeWriter) Group(axis int, times []int64) {
	if w.groups > 0 {
		w.b = append(w.b, `]},`...)
	}
	w.groups++
	w.series = 0
	w.integer(`{"axis":`, int64(axis))
	w.b = append(w.b, `,"times":[`...)
	for i, t := range times {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = strconv.AppendInt(w.b, floorMillis(t), 10)
	}
	w.b = append(w.b, `],"series":[`...)
	w.flush()
}

// Series writes the values of one series.
func (w *rangeWriter) Series(v *history.Values) {
	if w.series > 0 {
		w.b = append(w.b, ',')
	}
	w.series++
	w.integer(`{"id":`, int64(v.ID))
	middle := "avg"
	if v.Kind == history.Distribution {
		middle = "p95"
	}
	digits := digitsOf(v.Kind, w.tier)
	w.b = appendColumn(w.b, middle, v.Avg, digits)
	if v.Min != nil {
		w.b = appendColumn(w.b, "min", v.Min, digits)
		w.b = appendColumn(w.b, "max", v.Max, digits)
	}
	w.b = append(w.b, '}')
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

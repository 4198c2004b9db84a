package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/boundedfile"
)

// maxPause bounds the time between two batches: a longer one is a clock that was wrong, and would be replayed tick by tick.
const maxPause = 90 * 24 * time.Hour

// replay plays recorded metrics to the rules. The newest time in a batch is the time at which it came.
type replay struct {
	engine   *alert.Engine
	rules    *rules.Set
	interval time.Duration
	now      time.Time
	out      io.Writer
	batches  int
	records  int
}

// explain replays files of OTLP JSON lines, as the Collector's file exporter writes them, and prints what the rules said.
func explain(rulesFile, component string, files []string, stdin io.Reader, stdout io.Writer) error {
	config, err := pickSource(rulesFile, component)
	if err != nil {
		return err
	}
	rules, err := config.Compile()
	if err != nil {
		return fmt.Errorf("%s: %w", rulesFile, err)
	}
	r := &replay{rules: rules, interval: config.EvaluationInterval, out: stdout}
	for _, file := range files {
		if err := r.file(file, stdin); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return r.summary()
}

func (r *replay) file(name string, stdin io.Reader) error {
	if name == "-" {
		return r.lines(stdin)
	}
	f, err := boundedfile.Open(name)
	if errors.Is(err, boundedfile.ErrNotRegular) {
		return fmt.Errorf("opening: %w: to replay what a program writes, give - and pipe it to standard input", boundedfile.ErrNotRegular)
	}
	if err != nil {
		return fmt.Errorf("opening: %w", errors.Unwrap(err))
	}
	defer func() { _ = f.Close() }() // It was only read.
	return r.lines(f)
}

// maxLine bounds a line in bytes: a batch of a large host takes megabytes.
const maxLine = 64 << 20

var errLongLine = fmt.Errorf("longer than %d bytes: write a batch a line, as the file exporter does", maxLine)

// readLine reads a line with its end.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := reader.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, errLongLine
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// lines replays one batch a line.
func (r *replay) lines(in io.Reader) error {
	reader := bufio.NewReaderSize(in, 1<<20)
	for n := 1; ; n++ {
		line, err := readLine(reader)
		if line = bytes.TrimSpace(line); len(line) > 0 {
			md, problem := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
			if problem == nil {
				problem = r.batch(md)
			}
			if problem != nil {
				return fmt.Errorf("line %d: %w", n, problem)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLongLine):
			return fmt.Errorf("line %d: %w", n, err)
		case err != nil:
			return fmt.Errorf("reading: %w", err)
		}
	}
}

func (r *replay) batch(md pmetric.Metrics) error {
	newest := newestTime(md)
	if newest.IsZero() {
		return nil // Nothing with a time, so nothing for rules.
	}
	switch {
	case r.engine == nil:
		r.engine, r.now = alert.New(r.rules, newest), newest
	case newest.Sub(r.now) > maxPause:
		return fmt.Errorf("time leaps from %s to %s", r.now.Format(time.RFC3339), newest.Format(time.RFC3339))
	case newest.After(r.now):
		for next := r.now.Truncate(r.interval).Add(r.interval); next.Before(newest); next = next.Add(r.interval) {
			r.engine.Evaluate(next)
			r.print()
		}
		r.now = newest
	}
	r.batches++
	r.engine.Begin(r.now)
	alertpipe.Feed(r.engine, md)
	r.engine.Flush(r.now)
	r.print()
	if r.now.Equal(r.now.Truncate(r.interval)) {
		r.engine.Evaluate(r.now)
		r.print()
	}
	return nil
}

// newestTime is the newest time of a data point, zero when there is none.
func newestTime(md pmetric.Metrics) time.Time {
	var newest int64
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				newest = max(newest, newestPoint(m))
			}
		}
	}
	if newest == 0 {
		return time.Time{}
	}
	return time.Unix(0, newest).UTC()
}

// newestPoint is the newest time of the metric's points in nanoseconds since the epoch.
func newestPoint(m pmetric.Metric) int64 {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return newestOf(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		return newestOf(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		return newestOf(m.Histogram().DataPoints())
	case pmetric.MetricTypeExponentialHistogram:
		return newestOf(m.ExponentialHistogram().DataPoints())
	case pmetric.MetricTypeSummary:
		return newestOf(m.Summary().DataPoints())
	default:
		return 0
	}
}

func newestOf[P interface{ Timestamp() pcommon.Timestamp }, S interface {
	Len() int
	At(i int) P
}](points S) int64 {
	var newest int64
	for i := range points.Len() {
		newest = max(newest, int64(points.At(i).Timestamp()))
	}
	return newest
}

// print prints the records that wait, and the engine's warnings.
func (r *replay) print() {
	for _, notice := range r.engine.TakeNotices() {
		fmt.Fprintf(r.out, "%s  note: %s\n", r.now.Format(time.RFC3339), notice)
	}
	for _, ev := range r.engine.Peek(nil, r.engine.Pending()) {
		r.records++
		fmt.Fprintln(r.out, r.recordLine(&ev))
		r.engine.Ack(ev.Seq)
	}
}

// recordLine is a record in one line: when, which alert, what, and why.
func (r *replay) recordLine(ev *event.Event) string {
	at := time.Unix(0, ev.Time).UTC().Format(time.RFC3339)
	if ev.Kind != alertschema.KindStateChange {
		return fmt.Sprintf("%s  %s: %s", at, ev.Name(), ev.Body)
	}
	parts := []string{at, ev.Rule + attributeText(attributesOf(ev.Identity)), fmt.Sprintf("%-10s %-8s", ev.Transition, ev.Severity)}
	if ev.Value.Valid {
		compared := number(ev.Value.Float64)
		if ev.Threshold.Valid {
			compared += fmt.Sprintf(" (threshold %s %s)", ev.Comparison, number(ev.Threshold.Float64))
		}
		parts = append(parts, compared)
	}
	return strings.Join(append(parts, "reason "+ev.Reason.String(), strconv.Quote(ev.Body)), "  ")
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// summary says how it ended: what still fires, what was ignored, and which rules never saw anything.
func (r *replay) summary() error {
	if r.engine == nil {
		return errors.New("no metrics in the input")
	}
	fmt.Fprintf(r.out, "%s  end: %s, %s\n", r.now.Format(time.RFC3339), count(r.batches, "line"), count(r.records, "record"))
	for _, a := range r.engine.Active() {
		fmt.Fprintf(r.out, "  still firing: %s%s %s since %s\n", a.Rule, attributeText(attributesOf(a.Identity)), a.Severity, a.Since.Format(time.RFC3339))
	}
	stats := r.engine.Stats(r.now)
	for _, reason := range slices.Sorted(maps.Keys(stats.SamplesIgnored)) {
		if n := stats.SamplesIgnored[reason]; n > 0 {
			fmt.Fprintf(r.out, "  %s ignored: %s\n", count(int(n), "sample"), reason)
		}
	}
	for _, rule := range stats.Rules {
		if !rule.Matched {
			fmt.Fprintf(r.out, "  rule %q matched no data point\n", rule.Name)
		}
	}
	return nil
}

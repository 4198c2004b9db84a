package psutilreceiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// warnPeriod is the time in which a scraper warns once of a class of errors.
const warnPeriod = time.Hour

// faults counts the errors of reading of a scraper, and warns once of each class in warnPeriod.
type faults struct {
	logger  *zap.Logger
	scraper string
	warned  map[string]time.Time // last warning, by class
	nothing bool                 // the scraper has no metrics at all in this scrape
}

// auxiliaryError is an error that leaves the scrape complete.
type auxiliaryError struct{ error }

func (e auxiliaryError) Unwrap() error { return e.error }

// auxiliary marks an error in metrics that say nothing of which devices or processes there are: the scrape counts as complete.
func auxiliary(err error) error {
	if err == nil {
		return nil
	}
	return auxiliaryError{err}
}

// isLost tells whether an error means that nothing could be read, rather than that single values were left out.
func isLost(err error) bool { return err != nil && !host.IsOdd(err) }

// report counts what err holds, and returns whether the scrape is complete: everything was read that the host has.
func (f *faults) report(ctx context.Context, now time.Time, err error, telemetry *metadata.TelemetryBuilder) bool {
	if marked, ok := err.(auxiliaryError); ok { //nolint:errorlint // The mark itself, which may be around several errors.
		f.report(ctx, now, marked.error, telemetry)
		return true
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		complete := true
		for _, e := range joined.Unwrap() {
			complete = f.report(ctx, now, e, telemetry) && complete
		}
		return complete
	}
	if err == nil || errors.Is(err, host.ErrUnsupported) {
		return true
	}
	complete := host.IsOdd(err) // Single values say nothing of which devices there are.
	class := host.ErrorClass(err)
	telemetry.PsutilFilesUnreadable.Add(ctx, 1,
		metric.WithAttributes(attribute.String("scraper", f.scraper), attribute.String("class", class)))
	if last, ok := f.warned[class]; ok && now.Sub(last) < warnPeriod {
		return complete
	}
	f.warned[class] = now
	message := "Some metrics can't be read and are left out; this is logged once an hour at most"
	if f.nothing {
		message = "No metrics of the " + f.scraper + " scraper can be read; this is logged once an hour at most"
	}
	f.logger.Warn(message,
		zap.String("class", class), zap.Error(err))
	return complete
}

// streamTelemetry reports on the streams of one Stage.
type streamTelemetry struct {
	stage     *stream.Stage
	telemetry *metadata.TelemetryBuilder
	scraper   metric.MeasurementOption
	counters  []stageCounter
}

// stageCounter adds what one total of a Stage has gained since the last report to an instrument.
type stageCounter struct {
	instrument metric.Int64Counter
	attributes metric.MeasurementOption
	total      func() uint64
	reported   uint64
}

func newStreamTelemetry(scraper string, stage *stream.Stage, telemetry *metadata.TelemetryBuilder) streamTelemetry {
	name := attribute.String("scraper", scraper)
	counter := func(instrument metric.Int64Counter, reason fmt.Stringer, total func() uint64) stageCounter {
		attributes := metric.WithAttributeSet(attribute.NewSet(name, attribute.String("reason", reason.String())))
		return stageCounter{instrument: instrument, attributes: attributes, total: total}
	}
	return streamTelemetry{
		stage:     stage,
		telemetry: telemetry,
		scraper:   metric.WithAttributeSet(attribute.NewSet(name)),
		counters: []stageCounter{
			counter(telemetry.PsutilResets, metadata.AttributeTelemetryResetReasonLowerValue, func() uint64 { return stage.Resets().LowerValue }),
			counter(telemetry.PsutilResets, metadata.AttributeTelemetryResetReasonStartChanged, func() uint64 { return stage.Resets().StartChanged }),
			counter(telemetry.PsutilResets, metadata.AttributeTelemetryResetReasonClockStepped, func() uint64 { return stage.Resets().ClockStepped }),
			counter(telemetry.PsutilPointsDropped, metadata.AttributeTelemetryDropReasonBaseline, func() uint64 { return stage.Dropped().Baseline }),
			counter(telemetry.PsutilPointsDropped, metadata.AttributeTelemetryDropReasonHeld, func() uint64 { return stage.Dropped().Held }),
			counter(telemetry.PsutilPointsDropped, metadata.AttributeTelemetryDropReasonInvalid, func() uint64 { return stage.Dropped().Invalid }),
		},
	}
}

func (t *streamTelemetry) report(ctx context.Context) {
	t.telemetry.PsutilTrackedStreams.Record(ctx, int64(t.stage.Tracked()), t.scraper)
	for i := range t.counters {
		c := &t.counters[i]
		if total := c.total(); total > c.reported {
			c.instrument.Add(ctx, int64(total-c.reported), c.attributes)
			c.reported = total
		}
	}
}

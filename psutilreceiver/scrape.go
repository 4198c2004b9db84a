package psutilreceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// scrapeGroup is the scrapers that share an interval, and with it a goroutine, a timestamp and each kernel file that they read.
type scrapeGroup struct {
	host      *host.Host
	interval  time.Duration
	now       func() time.Time
	boot      pcommon.Timestamp
	resource  pcommon.Resource
	telemetry *metadata.TelemetryBuilder
	sampler   *sampler // of the receiver; nil without sampling
	// pass passes on a part of a scrape before the rest. If it is nil, there are no parts.
	pass func(context.Context, pmetric.Metrics)

	runs      []*scrapeRun
	processes processPass
	current   scrapeContext
}

// scrapeRun is one scraper, with what is done before and after each of its scrapes.
type scrapeRun struct {
	kind       scraperKind
	group      *scrapeGroup
	scraper    scraper
	settings   scraperSettings
	stage      *stream.Stage
	streams    streamTelemetry
	attributes metric.MeasurementOption
	faults     faults
	last       scrapeContext  // of the last complete scrape
	sampled    *sampledOutput // nil without sampling
	compat     *compatOutput  // nil if the output keeps its form
}

func (g *scrapeGroup) add(k scraperKind, s scraper, settings scraperSettings, stage *stream.Stage, compat *compatOutput) {
	g.runs = append(g.runs, &scrapeRun{
		kind:       k,
		group:      g,
		scraper:    s,
		settings:   settings,
		stage:      stage,
		compat:     compat,
		streams:    newStreamTelemetry(k.name, stage, settings.telemetry),
		attributes: metric.WithAttributeSet(attribute.NewSet(attribute.String("scraper", k.name))),
		faults:     faults{logger: settings.logger, scraper: k.name, warned: make(map[string]time.Time)},
	})
}

// maxResourcesInPart bounds what of a scrape is in memory at once, and the size of the messages of exporters that send each batch as it is. 256
// processes take 0.7 MiB in memory, and 0.3 MiB as OTLP, of which a gRPC receiver accepts 4 MiB at once.
const maxResourcesInPart = 256

// close closes the files that the scrapers of the group keep open, and those of the host. It does not wait for a read that hangs.
func (g *scrapeGroup) close() error {
	var errs error
	for _, r := range g.runs {
		if c, ok := r.scraper.(closer); ok {
			errs = errors.Join(errs, c.close())
		}
	}
	return errors.Join(errs, g.host.Close())
}

// begin starts the next scrape of the group.
func (g *scrapeGroup) begin(ctx context.Context) {
	g.host.Begin()
	now, before := g.now(), g.current.now
	g.current = scrapeContext{now: now, time: pcommon.NewTimestampFromTime(now), boot: g.boot}
	if !before.IsZero() && now.Sub(before) > g.interval+g.interval/2 {
		g.telemetry.PsutilScrapesLate.Add(ctx, 1)
	}
}

// scrape is what the Collector's controller calls. The first scraper of a group starts the scrape. Errors of reading are counted, and
// logged once an hour at most, instead of returned: the controller would log them at every scrape.
func (r *scrapeRun) scrape(ctx context.Context) (pmetric.Metrics, error) {
	started := r.group.now()
	if r == r.group.runs[0] {
		r.group.begin(ctx)
	}
	t := r.group.current
	if !r.last.now.IsZero() {
		t.previous, t.elapsed = r.last.time, t.now.Sub(r.last.now)
	}
	r.settings.mb.Reset(metadata.WithStartTime(t.boot))
	r.settings.starts.Begin(t.time)
	r.stage.Begin(t.now)
	var passing time.Duration
	if r.group.pass != nil {
		t.passPart = func() { passing += r.passPart(ctx) }
	}
	err := r.scraper.scrape(&t)
	md := r.settings.mb.Emit(metadata.WithResource(r.group.resource))
	if x, ok := r.scraper.(extender); ok {
		x.extend(md)
	}
	r.faults.nothing = passing == 0 && md.ResourceMetrics().Len() == 0
	complete := r.faults.report(ctx, t.now, err, r.settings.telemetry)
	r.settings.starts.End(complete)
	if complete {
		r.last = t
	}
	r.stage.Edit(md)
	r.stage.End(complete)
	r.streams.report(ctx)
	if r.sampled != nil {
		r.sampled.export(&t, md)
		r.group.sampler.report(ctx, r.settings.telemetry)
	}
	r.compat.edit(md)
	r.settings.telemetry.PsutilScrapeDuration.Record(ctx, (r.group.now().Sub(started) - passing - t.forOthers).Seconds(), r.attributes)
	return md, nil
}

// passPart passes on the resources that the scraper has emitted so far, and returns how long the pipeline took for them. What the scraper records
// for the host must come after the last part.
func (r *scrapeRun) passPart(ctx context.Context) time.Duration {
	md := r.settings.mb.Emit(metadata.WithResource(r.group.resource))
	r.stage.Edit(md)
	if md.ResourceMetrics().Len() == 0 {
		return 0
	}
	r.compat.edit(md)
	passed := r.group.now()
	r.group.pass(ctx, md)
	return r.group.now().Sub(passed)
}

// mergeHostResource puts the metrics that several scrapers emitted for the host under one resource, and passes them on.
func (g *scrapeGroup) mergeHostResource(next func(context.Context, pmetric.Metrics) error) func(context.Context, pmetric.Metrics) error {
	hostAttributes := g.resource.Attributes()
	return func(ctx context.Context, md pmetric.Metrics) error {
		var merged *pmetric.ScopeMetricsSlice
		md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
			if rm.ScopeMetrics().Len() != 1 || !rm.Resource().Attributes().Equal(hostAttributes) {
				return false
			}
			scopes := rm.ScopeMetrics()
			if merged == nil {
				merged = &scopes
				return false
			}
			appendScopes(scopes, *merged)
			return true
		})
		if md.ResourceMetrics().Len() == 0 {
			return nil // Nothing could be read, or nothing has changed.
		}
		return next(ctx, md)
	}
}

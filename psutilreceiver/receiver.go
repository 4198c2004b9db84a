package psutilreceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	scraperapi "go.opentelemetry.io/collector/scraper"
	"go.opentelemetry.io/collector/scraper/scraperhelper"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// psutilReceiver runs one controller for each distinct interval, so that a slow or rare scraper never delays another.
type psutilReceiver struct {
	set       receiver.Settings
	cfg       *Config
	next      consumer.Metrics
	now       func() time.Time
	options   []scraperhelper.ControllerOption // of every controller, for tests
	telemetry *metadata.TelemetryBuilder

	sampleTicks <-chan time.Time // of the sampler, in place of its ticker, for tests

	running  []receiver.Metrics
	groups   []*scrapeGroup
	states   stateCounter
	sampler  *sampler // nil without sampling
	watching bool     // for events
	shutdown sync.Once
}

func newReceiver(set receiver.Settings, cfg *Config, next consumer.Metrics) (*psutilReceiver, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	set.Logger = printableLogger(set.Logger)
	// What leaves is named first, and then made printable.
	printed := printableConsumer{next}
	named := newSchemaConsumer(printed, cfg)
	return &psutilReceiver{set: set, cfg: cfg, next: named, now: time.Now, telemetry: telemetry}, nil
}

// Start reads the host's identity and boot time once, and starts the controllers.
func (r *psutilReceiver) Start(ctx context.Context, h component.Host) error {
	if r.cfg.Temporality == TemporalityDelta {
		r.set.Logger.Info("Counters are emitted as deltas: Prometheus remote write drops delta sums silently, and the prometheus exporter adds them up from its own start on")
	}
	if s := r.cfg.Sampling; s.Interval > 0 && s.Format == SamplingHistogram && s.Temporality == TemporalityDelta {
		r.set.Logger.Info("Samples are exported as delta histograms: Prometheus remote write drops them silently; " +
			"set sampling::temporality to cumulative for it")
	}
	for _, note := range r.cfg.notes {
		r.set.Logger.Info("Configuration of hostmetricsreceiver: " + note)
	}
	var err error
	if r.groups, err = r.buildGroups(); err != nil {
		return err
	}
	if r.sampler, err = r.newSampler(r.groups); err != nil {
		return err
	}
	if len(r.cfg.Events.Kinds) > 0 {
		if _, err = r.cfg.events.begin(ctx, r.cfg, &r.set, h, r.now); err != nil {
			return err
		}
		r.watching = true
	}
	if r.sampler != nil {
		r.sampler.start()
	}
	for _, g := range r.groups {
		controller, err := r.newController(g)
		if err == nil {
			err = controller.Start(ctx, h)
		}
		if err != nil {
			return errors.Join(err, r.Shutdown(ctx))
		}
		r.running = append(r.running, controller)
	}
	startup.begin()
	return nil
}

// Shutdown stops the controllers. It may be called without Start, and more than once.
func (r *psutilReceiver) Shutdown(ctx context.Context) error {
	var errs error
	r.shutdown.Do(func() {
		startup.end()
		if r.sampler != nil {
			errs = r.sampler.shutdown()
		}
		for _, c := range r.running {
			errs = errors.Join(errs, c.Shutdown(ctx))
		}
		errs = errors.Join(errs, closeGroups(slices.Values(r.groups)))
		if r.watching {
			errs = errors.Join(errs, r.cfg.events.end(nil))
		}
		r.telemetry.Shutdown()
	})
	return errs
}

// buildGroups makes a group of scrapers for each distinct interval, the shortest first.
func (r *psutilReceiver) buildGroups() ([]*scrapeGroup, error) {
	byInterval := make(map[time.Duration]*scrapeGroup)
	var resource pcommon.Resource
	var boot pcommon.Timestamp
	for _, k := range r.cfg.addEvents(scraperKinds) {
		interval, enabled := k.interval(&r.cfg.Scrapers)
		if !enabled {
			continue
		}
		if interval == 0 {
			interval = r.cfg.CollectionInterval
		}
		g, ok := byInterval[interval]
		if !ok {
			h, err := r.newHost()
			if err != nil {
				return nil, errors.Join(err, closeGroups(maps.Values(byInterval)))
			}
			if len(byInterval) == 0 {
				resource, boot = r.hostResource(h.Identity()), r.bootTime(h)
			}
			g = &scrapeGroup{host: h, interval: interval, now: r.now, boot: boot, resource: resource, telemetry: r.telemetry, processes: processPass{now: r.now}}
			byInterval[interval] = g
		}
		if err := r.addScraper(g, k); err != nil {
			return nil, errors.Join(fmt.Errorf("scraper %s: %w", k.name, err), closeGroups(maps.Values(byInterval)))
		}
	}
	groups := make([]*scrapeGroup, 0, len(byInterval))
	for _, g := range byInterval {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *scrapeGroup) int { return cmp.Compare(a.interval, b.interval) })
	return groups, nil
}

// closeGroups closes what the scrapers of groups keep open.
func closeGroups(groups iter.Seq[*scrapeGroup]) error {
	var errs error
	for g := range groups {
		errs = errors.Join(errs, g.close())
	}
	return errs
}

// newHost opens a reader of the host that gives what the output has apart apart.
func (r *psutilReceiver) newHost() (*host.Host, error) {
	h, err := host.New(r.cfg.RootPath)
	if err != nil {
		return nil, fmt.Errorf("root_path: %w", err)
	}
	if r.cfg.Compat == compatHostmetrics {
		h.SeparateSoftInterrupts()
	}
	return h, nil
}

func (r *psutilReceiver) addScraper(g *scrapeGroup, k scraperKind) error {
	settings := scraperSettings{
		host:      g.host,
		mb:        metadata.NewMetricsBuilder(r.cfg.MetricsBuilderConfig, r.set),
		starts:    stream.NewStarts(g.boot),
		logger:    r.set.Logger.With(zap.String("scraper", k.name)),
		telemetry: r.telemetry,

		metrics:    r.cfg.Metrics,
		attributes: r.cfg.ResourceAttributes,
		resource:   g.resource,
		processes:  &g.processes,
		states:     &r.states,
		delta:      r.cfg.Temporality == TemporalityDelta,

		hostmetrics: r.cfg.Compat == compatHostmetrics,
	}
	if r.cfg.Entities.Processes {
		settings.shown = r.cfg.shown
	}
	s, err := k.create(&r.cfg.Scrapers, settings)
	if err != nil {
		return err
	}
	g.add(k, s, settings, stream.NewStage(r.cfg.streamSettings(k.returning)), r.cfg.newCompatOutput(k.name))
	return nil
}

// newController wraps a group in the Collector's own controller, which scrapes it at its interval and counts the points.
func (r *psutilReceiver) newController(g *scrapeGroup) (receiver.Metrics, error) {
	cfg := r.cfg.ControllerConfig
	cfg.CollectionInterval = g.interval
	options := slices.Clone(r.options)
	for _, run := range g.runs {
		s, err := scraperapi.NewMetrics(run.scrape)
		if err != nil {
			return nil, err
		}
		options = append(options, scraperhelper.AddMetricsScraper(component.MustNewType(run.kind.name), s))
	}
	var err error
	if g.pass, err = r.passParts(); err != nil {
		return nil, err
	}
	next, err := consumer.NewMetrics(g.mergeHostResource(r.next.ConsumeMetrics), consumer.WithCapabilities(r.next.Capabilities()))
	if err != nil {
		return nil, err
	}
	return scraperhelper.NewMetricsController(&cfg, r.set, next, options...)
}

// passParts returns a function that passes on a part of a scrape, and counts its points and an error as the controller does for the rest.
func (r *psutilReceiver) passParts() (func(context.Context, pmetric.Metrics), error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: r.set.ID, ReceiverCreateSettings: r.set})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, md pmetric.Metrics) {
		points := md.DataPointCount()
		ctx = report.StartMetricsOp(ctx)
		report.EndMetricsOp(ctx, "", points, r.next.ConsumeMetrics(ctx, md))
	}, nil
}

// bootTime is called once: the boot time that the kernel gives moves with every correction of the clock, which the start of a stream must not.
func (r *psutilReceiver) bootTime(h *host.Host) pcommon.Timestamp {
	now := r.now()
	boot, err := h.BootTime(now)
	if err != nil {
		r.set.Logger.Warn("The boot time can't be read; counters are taken to start with the receiver", zap.Error(err))
		boot = now
	}
	return pcommon.NewTimestampFromTime(boot)
}

// hostResource is the resource of the host, with the attributes that are enabled and that the host has.
func (r *psutilReceiver) hostResource(id host.Identity) pcommon.Resource {
	rb := metadata.NewResourceBuilder(r.cfg.ResourceAttributes)
	for _, a := range []struct {
		value string
		set   func(string)
	}{
		{id.Name, rb.SetHostName},
		{id.ID, rb.SetHostID},
		{id.Arch, rb.SetHostArch},
		{id.OSType, rb.SetOsType},
		{id.Description, rb.SetOsDescription},
		{id.OS.Name, rb.SetOsName},
		{id.OS.Version, rb.SetOsVersion},
		{id.OS.BuildID, rb.SetOsBuildID},
		{id.CPU.Vendor, rb.SetHostCPUVendorID},
		{id.CPU.Family, rb.SetHostCPUFamily},
		{id.CPU.ID, rb.SetHostCPUModelID},
		{id.CPU.Name, rb.SetHostCPUModelName},
		{id.CPU.Stepping, rb.SetHostCPUStepping},
		{id.Machine.Manufacturer, rb.SetDeviceManufacturer},
		{id.Machine.Model, rb.SetDeviceModelName},
	} {
		if a.value != "" {
			a.set(a.value)
		}
	}
	if id.CPU.L2 > 0 {
		rb.SetHostCPUCacheL2Size(id.CPU.L2)
	}
	if len(id.IPs) > 0 {
		rb.SetHostIP(anySlice(id.IPs))
	}
	if len(id.MACs) > 0 {
		rb.SetHostMac(anySlice(id.MACs))
	}
	return rb.Emit()
}

func anySlice(values []string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

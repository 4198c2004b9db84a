package notifyexporter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/schedule"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
	"github.com/otelcol-psutil/otelcol-psutil/notifyexporter/internal/metadata"
)

// notifier is the exporter.
type notifier struct {
	cfg       *Config
	id        component.ID
	logger    *zap.Logger
	set       component.TelemetrySettings
	telemetry *metadata.TelemetryBuilder
	now       func() time.Time
	location  *time.Location
	// elapsed is the time of a clock that nobody sets, since any moment.
	elapsed func() time.Duration

	host    component.Host
	workers []*worker
	cancel  context.CancelFunc
	abort   context.CancelFunc // Ends what is being sent.
	// resolvesNeeded ends that records of the end of alerts are needed here.
	resolvesNeeded func()
	running        sync.WaitGroup

	warnedUnknown, warnedExternal, warnedMalformed sync.Once

	mu      sync.Mutex // Guards what follows, and the routes.
	table   *table
	store   *statestore.Table[entry]
	unsaved bool // A failed write to the storage was logged.
	health  health
	// wallAtZero is what the wall clock showed when elapsed was 0, by the last look at both, in nanoseconds.
	wallAtZero int64
}

// NewFactory returns the factory of the notify exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig, exporter.WithLogs(createLogs, metadata.LogsStability))
}

func createLogs(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	return newNotifier(set, cfg.(*Config), time.Now)
}

func newNotifier(set exporter.Settings, cfg *Config, now func() time.Time) (*notifier, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	location, err := time.LoadLocation(cfg.TimeZone)
	if err != nil {
		return nil, err
	}
	created := time.Now()
	return &notifier{
		cfg: cfg, id: set.ID, logger: set.Logger, set: set.TelemetrySettings, telemetry: telemetry, now: now, location: location, abort: func() {},
		elapsed: func() time.Duration { return time.Since(created) },
	}, nil
}

// Capabilities says that records are only read.
func (*notifier) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// Start opens the channels, takes up what was kept, and begins to tell what is due.
func (n *notifier) Start(ctx context.Context, host component.Host) error {
	if err := n.open(ctx, host); err != nil {
		return err
	}
	runCtx, cancel := context.WithCancel(context.Background())
	sending, abort := context.WithCancel(context.Background())
	n.cancel, n.abort, n.resolvesNeeded = cancel, abort, func() {}
	if n.tellsResolves() {
		n.resolvesNeeded = alertorigin.NeedResolves(n.id.String())
	}
	for _, w := range n.workers {
		n.running.Go(func() { w.run(runCtx, sending) })
	}
	n.running.Go(func() { n.ageLoop(runCtx) })
	return nil
}

// tellsResolves tells whether a channel tells of the end of alerts.
func (n *notifier) tellsResolves() bool {
	for _, w := range n.workers {
		if w.route.sendResolved {
			return true
		}
	}
	return false
}

// open makes the routes, the senders and the table.
func (n *notifier) open(ctx context.Context, host component.Host) error {
	n.host = host
	routes := map[string]*route{}
	for _, name := range slices.Sorted(maps.Keys(n.cfg.Channels)) {
		ch := n.cfg.Channels[name]
		s, err := ch.options.open(opening{ctx: ctx, host: host, set: n.set, now: n.now, channel: name})
		if err != nil {
			return fmt.Errorf("channels::%s: %w", name, err)
		}
		rt, err := n.cfg.route(name, &ch, s)
		if err != nil {
			return fmt.Errorf("channels::%s: %w", name, err)
		}
		routes[name] = rt
		n.workers = append(n.workers, &worker{n: n, route: rt, sender: s, wake: make(chan struct{}, 1)})
	}
	s, err := openStore(ctx, host, n.id, n.cfg.Storage)
	switch {
	case statestore.IsDamaged(err):
		n.logger.Error("What is still to be told is not stored: a restart forgets it", zap.Error(err))
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(err))
	case err != nil:
		return err
	}
	entries, damaged, err := s.LoadEntries(ctx, n.now())
	if err != nil {
		return errors.Join(fmt.Errorf("reading alerts from storage %q: %w", n.cfg.Storage, err), s.Close(ctx, n.now()))
	}
	if damaged != nil {
		n.logger.Error("Not all of what was told, and is still to be told, could be restored", zap.Error(damaged))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.table, n.store = newTable(routes), s
	n.table.entries = entries
	n.wallAtZero = n.now().UnixNano() - int64(n.elapsed())
	n.table.noFuture(n.now().UnixNano())
	n.adopt()
	n.save(ctx)
	return nil
}

// route compiles what decides of what is told on a channel.
func (c *Config) route(name string, ch *ChannelConfig, s sender) (*route, error) {
	match, err := compileMatch(ch.Match)
	if err != nil {
		return nil, err
	}
	least, err := severityNumber(ch.MinSeverity)
	if err != nil {
		return nil, err
	}
	rt := &route{
		name: name, standby: ch.Standby, min: least, match: match, sendResolved: ch.SendResolved == nil || *ch.SendResolved,
		sendAcknowledged: ch.SendAcknowledged == nil || *ch.SendAcknowledged, repeat: c.RepeatInterval,
		escalateTo: ch.EscalateTo, escalateAfter: ch.EscalateAfter, fallback: ch.Fallback, fallbackAfter: ch.FallbackAfter,
		open: func(int64) bool { return true }, eachOnItsOwn: s.eachOnItsOwn(), groupBy: c.GroupBy, groupWait: int64(c.GroupWait), everyMinute: c.MessagesPerMinute,
	}
	if ch.RepeatInterval != nil {
		rt.repeat = *ch.RepeatInterval
	}
	if ch.Active != nil {
		rt.open = schedule.Compile("active", ch.Active, func(format string, args ...any) { err = fmt.Errorf(format, args...) }).Holds
	}
	return rt, err
}

// Shutdown ends the workers. What is still to be told is kept for the next start.
func (n *notifier) Shutdown(ctx context.Context) error {
	if n.cancel == nil {
		return nil
	}
	n.cancel()
	n.cancel = nil
	n.resolvesNeeded()
	grace := time.AfterFunc(shutdownGrace, n.abort)
	defer grace.Stop()
	defer context.AfterFunc(ctx, n.abort)()
	n.running.Wait()
	n.abort()
	for _, w := range n.workers {
		w.sender.close()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	err := errors.Join(n.store.SaveEntries(ctx, n.table.entries, nil), n.store.CloseEntries(ctx, n.table.entries, n.now()))
	n.store = nil
	n.telemetry.Shutdown()
	return err
}

// ageLoop forgets what is over.
func (n *notifier) ageLoop(ctx context.Context) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			n.mu.Lock()
			n.heedClock()
			n.table.age(n.now().UnixNano())
			n.reportStatus(n.now().UnixNano())
			n.save(ctx)
			n.mu.Unlock()
		}
	}
}

// ConsumeLogs takes the alert records into the table. When it returns nil the table has them, and the storage if there is one.
func (n *notifier) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.table == nil || n.store == nil {
		return errors.New("the exporter is not running")
	}
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				n.takeRecord(ctx, rl, lr)
			}
		}
	}
	n.save(ctx)
	n.wakeAll(nil)
	return nil
}

// takeRecord applies one record.
func (n *notifier) takeRecord(ctx context.Context, rl plog.ResourceLogs, lr plog.LogRecord) {
	now := n.now()
	if !n.cfg.AcceptExternalRecords && alertorigin.External(rl.Resource(), lr, now) {
		n.skip(ctx, "external")
		n.warnedExternal.Do(func() {
			n.logger.Warn("Alert records that this Collector's alert component did not make are refused, for whoever can send logs could call people "+
				"by them; accept_external_records: true accepts them. This is logged once",
				zap.String("event_name", short(lr.EventName())), zap.String("sender", alertorigin.Sender(ctx)))
		})
		return
	}
	switch lr.EventName() {
	case alertschema.EventStateChange, alertschema.EventSuppressed, alertschema.EventRuleError:
	case alertschema.EventRule:
		return // It says what a rule is, and nothing that has happened.
	default:
		n.skip(ctx, "not_an_alert")
		n.warnedUnknown.Do(func() {
			n.logger.Warn("Log records that are no alerts are dropped; this is logged once",
				zap.String("event_name", short(lr.EventName())), zap.String("body", short(lr.Body().AsString())))
		})
		return
	}
	r, ok := readRecord(rl.Resource(), lr, now.UnixNano())
	if !ok {
		n.skip(ctx, "malformed")
		n.warnedMalformed.Do(func() {
			n.logger.Warn("Alert records that lack their ID, rule, severity or state are dropped; this is logged once",
				zap.String("body", short(lr.Body().AsString())))
		})
		return
	}
	switch n.table.apply(r, now.UnixNano()) {
	case full:
		n.skip(ctx, "limit")
		n.logger.Error("Too many active alerts: nobody is told of a new one", zap.Int("limit", n.table.limit), zap.String("body", short(lr.Body().AsString())))
	case duplicate:
		n.skip(ctx, "duplicate")
	case untold:
		n.skip(ctx, "no_channel")
	case changed:
	}
}

// short is as much of a text of others as a log line shows.
func short(text string) string { return alertschema.CutText(text, 64) }

func (n *notifier) skip(ctx context.Context, reason string) {
	n.telemetry.NotifyRecordsSkipped.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", reason)))
}

// save stores what changed, and counts what is pending. People are told even if it cannot be stored.
func (n *notifier) save(ctx context.Context) {
	ids := n.table.takeTouched()
	if len(ids) > 0 {
		n.countPending(ctx)
	}
	if n.store == nil {
		return
	}
	err := n.store.SaveEntries(context.WithoutCancel(ctx), n.table.entries, ids)
	if err != nil && !n.unsaved {
		n.logger.Error("What is still to be told cannot be stored; a restart would forget it", zap.Error(err))
	}
	n.unsaved = err != nil
}

func (n *notifier) countPending(ctx context.Context) {
	pending := map[string]int64{}
	for name := range n.table.routes {
		pending[name] = 0
	}
	for _, e := range n.table.entries {
		for name, tl := range e.Channels {
			if len(tl.Pending) > 0 {
				pending[name]++
			}
		}
	}
	for name, count := range pending {
		n.telemetry.NotifyPending.Record(ctx, count, metric.WithAttributes(attribute.String("channel", name)))
	}
}

// wakeAll lets all workers but one look what is due.
func (n *notifier) wakeAll(but *worker) {
	for _, w := range n.workers {
		if w != but {
			w.notify()
		}
	}
}

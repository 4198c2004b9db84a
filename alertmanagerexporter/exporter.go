package alertmanagerexporter

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
	"github.com/otelcol-psutil/otelcol-psutil/internal/webclient"
)

// alertmanager is the exporter. The embedded one is exporterhelper's: the queue, the retries, and push behind them.
type alertmanager struct {
	exporter.Logs
	cfg       *Config
	id        component.ID
	logger    *zap.Logger
	set       component.TelemetrySettings
	telemetry *metadata.TelemetryBuilder
	labeler   labeler
	now       func() time.Time

	host    component.Host
	client  *client
	store   *statestore.Table[entry]
	sending chan struct{} // Holds a token while a request is under way: an older one must not overtake a newer one.
	cancel  context.CancelFunc
	// resolvesNeeded ends that records of the end of alerts are needed here.
	resolvesNeeded func()
	// closing ends when the time for last deliveries is over, and with it every request.
	closing         context.Context
	closeNow        context.CancelFunc
	done            chan struct{} // Closed when the resend loop has ended.
	warnedUnknown   sync.Once     // The first record that is not an alert was logged.
	warnedExternal  sync.Once     // The first record that this Collector did not make was logged.
	warnedMalformed sync.Once     // The first record that lacks what every alert has was logged.
	had             alertorigin.Repeats
	ended           sync.Once

	mu      sync.Mutex
	table   *table
	unsaved bool // A failed write to the storage was logged.

	health health
}

func newAlertmanager(set exporter.Settings, cfg *Config, now func() time.Time) (*alertmanager, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	closing, closeNow := context.WithCancel(context.Background())
	return &alertmanager{
		closing: closing, closeNow: closeNow,
		cfg: cfg, id: set.ID, logger: set.Logger, set: set.TelemetrySettings, telemetry: telemetry, now: now, table: newTable(),
		labeler: labeler{resourceKeys: cfg.ResourceAttributes, added: cfg.Labels}, sending: make(chan struct{}, 1),
	}, nil
}

// start takes up what was kept and begins to send it.
func (a *alertmanager) start(ctx context.Context, host component.Host) error {
	if err := a.open(ctx, host); err != nil {
		return err
	}
	loopCtx, cancel := context.WithCancel(context.Background())
	a.cancel, a.done = cancel, make(chan struct{})
	restored := len(a.table.entries) > 0
	a.resolvesNeeded = alertorigin.NeedResolves(a.id.String())
	go a.loop(loopCtx, restored)
	return nil
}

// lifetime is how far ahead the end of an active alert is sent, in nanoseconds.
func (a *alertmanager) lifetime() int64 { return lifetimes * int64(a.cfg.ResendInterval) }

// open makes the client and reads the storage.
func (a *alertmanager) open(ctx context.Context, host component.Host) error {
	a.host = host
	target, err := url.JoinPath(a.cfg.ClientConfig.Endpoint, alertsPath)
	if err != nil {
		return webclient.RedactError(err)
	}
	httpClient, err := a.cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), a.set)
	if err != nil {
		return webclient.RedactError(err)
	}
	httpClient.CheckRedirect = webclient.SameServer
	a.client = &client{http: httpClient, url: target, now: a.now, longestDelay: a.cfg.longestDelay()}
	s, err := openStore(ctx, host, a.id, a.cfg.Storage)
	switch {
	case statestore.IsDamaged(err):
		a.logger.Error("Active alerts are not stored: they are sent all the same, and a restart forgets them", zap.Error(err))
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(err))
	case err != nil:
		return err
	}
	entries, damaged, err := s.LoadEntries(ctx, a.now())
	if err != nil {
		// To go on would be to end what is active, and to write over what could be read the next time.
		return errors.Join(fmt.Errorf("reading active alerts from storage %q: %w", a.cfg.Storage, err), s.Close(ctx, a.now()))
	}
	if damaged != nil {
		a.logger.Error("Not all active alerts could be restored; those that were not expire in Alertmanager", zap.Error(damaged))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.store, a.unsaved = s, false
	a.table.restore(entries, a.now().UnixNano())
	a.save(ctx, nil)
	return nil
}

// shutdownGrace is how long a shutdown goes on delivering. What is in the table is not lost by an end, and an Alertmanager that does not answer
// would hold up a reload by the timeout of a request for each change that waits.
const shutdownGrace = 3 * time.Second

// Shutdown ends the exporter. exporterhelper's own may not be called twice.
func (a *alertmanager) Shutdown(ctx context.Context) (err error) {
	a.ended.Do(func() {
		defer a.closeNow()
		defer time.AfterFunc(shutdownGrace, a.closeNow).Stop()
		if a.cancel != nil {
			a.cancel() // The resend loop must not take the turn of the last deliveries.
		}
		err = a.Logs.Shutdown(ctx)
	})
	return err
}

// shutdown ends the resend loop. Active alerts are not ended: a successor goes on with them, and without one they expire.
func (a *alertmanager) shutdown(ctx context.Context) error {
	if a.cancel == nil {
		return nil
	}
	a.cancel()
	a.cancel = nil
	a.resolvesNeeded()
	<-a.done
	a.client.http.CloseIdleConnections()
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.store.CloseEntries(ctx, a.table.entries, a.now())
	a.store = nil
	a.telemetry.Shutdown()
	return err
}

// loop sends the whole table once each interval, and at the start what was restored.
func (a *alertmanager) loop(ctx context.Context, restored bool) {
	defer close(a.done)
	ticker := time.NewTicker(a.cfg.ResendInterval)
	defer ticker.Stop()
	if restored {
		a.resend(ctx)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.resend(ctx)
		}
	}
}

// resend sends the whole table.
func (a *alertmanager) resend(ctx context.Context) {
	a.mu.Lock()
	a.save(ctx, a.table.age(a.now().UnixNano(), int64(a.cfg.ExpireAfter), a.lifetime()))
	ids := sortedIDs(a.table.entries)
	a.mu.Unlock()
	// The error is logged and shown by the status; the next interval tries again.
	_ = a.send(ctx, ids, true)
}

// ConsumeLogs takes the alert records into the table, and lets the queue send what changed. When it returns nil the table has them,
// and the storage if there is one.
func (a *alertmanager) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	changes := a.take(ctx, ld)
	if changes.LogRecordCount() == 0 {
		return nil
	}
	err := a.Logs.ConsumeLogs(ctx, changes)
	if errors.Is(err, exporterhelper.ErrQueueIsFull) {
		return nil // Requests fail for long. The next one that succeeds sends these alerts, too: they are in the table.
	}
	return err
}

// take applies the records to the table and returns those that are about an alert.
func (a *alertmanager) take(ctx context.Context, ld plog.Logs) plog.Logs {
	out := plog.NewLogs()
	var touched []string
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, rl := range ld.ResourceLogs().All() {
		var to plog.LogRecordSlice
		fresh := true
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				id, ok := a.takeRecord(ctx, rl, lr)
				if !ok {
					continue
				}
				touched = append(touched, id)
				if fresh {
					to, fresh = out.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords(), false
				}
				mark := to.AppendEmpty()
				mark.SetEventName(alertschema.EventStateChange)
				mark.Attributes().PutStr(alertschema.KeyAlertID, id)
			}
		}
	}
	a.save(ctx, touched)
	return out
}

// takeRecord applies one record; false when there is nothing to send because of it.
func (a *alertmanager) takeRecord(ctx context.Context, rl plog.ResourceLogs, lr plog.LogRecord) (string, bool) {
	if a.refuses(ctx, rl.Resource(), lr) {
		return "", false
	}
	switch lr.EventName() {
	case alertschema.EventStateChange: // The table knows the place of each in the history of its alert.
	case alertschema.EventSuppressed, alertschema.EventRuleError:
		if !a.cfg.AcceptExternalRecords && a.had.Had(lr, a.now()) {
			a.skip(ctx, reasonDuplicate)
			return "", false
		}
		a.takeNotice(ctx, lr)
		return "", false
	default:
		a.skip(ctx, reasonNotAnAlert)
		a.warnedUnknown.Do(func() {
			a.logger.Warn("Log records that are no alerts are dropped; this is logged once",
				zap.String("event_name", beginning(lr.EventName())), zap.String("body", beginning(lr.Body().AsString())))
		})
		return "", false
	}
	r, ok := a.labeler.readRecord(rl.Resource(), lr)
	if !ok {
		a.skip(ctx, reasonMalformed)
		a.warnedMalformed.Do(func() {
			a.logger.Warn("Alert records that lack their ID, rule, severity or state are dropped; this is logged once",
				zap.String("body", beginning(lr.Body().AsString())))
		})
		return "", false
	}
	switch a.table.apply(r, a.now().UnixNano()) {
	case full:
		a.skip(ctx, reasonLimit)
		a.logger.Error("Too many active alerts: a new one is dropped", zap.Int("limit", a.table.limit), zap.String("body", lr.Body().AsString()))
		return "", false
	case duplicate:
		a.skip(ctx, reasonDuplicate)
	case changed:
	}
	return r.AlertID, true
}

// takeNotice logs what the alert component says of itself.
func (a *alertmanager) takeNotice(ctx context.Context, lr plog.LogRecord) {
	if lr.EventName() == alertschema.EventSuppressed {
		a.skip(ctx, reasonSuppressed)
		a.logger.Warn("Alerts are held back and reach Alertmanager later; limits::events_per_minute of the alert component is too low",
			zap.String("summary", lr.Body().AsString()))
		return
	}
	a.skip(ctx, reasonRuleError)
	a.logger.Warn("An alert rule cannot be evaluated", zap.String("error", lr.Body().AsString()))
}

// refuses tells whether a record is none of this Collector's alerts, and none of others are wanted.
func (a *alertmanager) refuses(ctx context.Context, resource pcommon.Resource, lr plog.LogRecord) bool {
	if a.cfg.AcceptExternalRecords || !alertorigin.External(resource, lr, a.now()) {
		return false
	}
	a.skip(ctx, reasonExternal)
	a.warnedExternal.Do(func() {
		a.logger.Warn("Alert records that this Collector's alert component did not make are refused, for whoever can send logs could fire and "+
			"resolve alerts by them; accept_external_records: true accepts them. This is logged once",
			zap.String("event_name", beginning(lr.EventName())), zap.String("sender", alertorigin.Sender(ctx)))
	})
	return true
}

// maxLogged bounds what others have written and a log line shows, in bytes.
const maxLogged = 64

// beginning is as much of a text as a log line shows.
func beginning(text string) string { return alertschema.CutText(text, maxLogged) }

// Why a record changed nothing.
const (
	reasonExternal   = "external"
	reasonNotAnAlert = "not_an_alert"
	reasonMalformed  = "malformed"
	reasonDuplicate  = "duplicate"
	reasonSuppressed = "suppressed"
	reasonRuleError  = "rule_error"
	reasonLimit      = "limit"
)

func (a *alertmanager) skip(ctx context.Context, reason string) {
	a.telemetry.AlertmanagerRecordsSkipped.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", reason)))
}

// save stores what became of some alerts. Alerts are sent even if they cannot be stored.
func (a *alertmanager) save(ctx context.Context, ids []string) {
	a.telemetry.AlertmanagerActive.Record(ctx, int64(a.table.firing))
	ids = append(ids, a.table.takeForgotten()...)
	if a.store == nil {
		return
	}
	err := a.store.SaveEntries(ctx, a.table.entries, ids)
	if err != nil && !a.unsaved {
		a.logger.Error("Active alerts cannot be stored; a restart would forget them", zap.Error(err))
	}
	a.unsaved = err != nil
}

package alertmanagerexporter

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

// push sends the alerts that records from the queue are about. The records tell which, the table tells what.
func (a *alertmanager) push(ctx context.Context, ld plog.Logs) error {
	var ids []string
	a.mu.Lock()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				id := textOf(lr.Attributes(), "alert.id")
				if e := a.table.entries[id]; e != nil && e.version != e.posted {
					ids = append(ids, id)
				}
			}
		}
	}
	a.mu.Unlock()
	return a.send(ctx, ids)
}

// alertsPerRequest bounds a request. The alerts of one entry are never torn apart.
const alertsPerRequest = 200

// send posts the alerts of some entries as they are now.
func (a *alertmanager) send(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	select {
	case a.sending <- struct{}{}:
		defer func() { <-a.sending }()
	case <-ctx.Done():
		return ctx.Err()
	}
	var refused error
	for len(ids) > 0 {
		alerts, versions, rest := a.request(ids)
		ids = rest
		if len(alerts) == 0 {
			continue
		}
		err := a.client.post(ctx, alerts)
		a.account(ctx, err, versions)
		switch {
		case err == nil:
		case consumererror.IsPermanent(err):
			refused = cmp.Or(refused, err) // One alert may be at fault; the others go on.
		default:
			return err
		}
	}
	return refused
}

// request makes the next request: as many of the entries as fit in, and the versions in which they do.
func (a *alertmanager) request(ids []string) (alerts []postableAlert, versions map[string]uint64, rest []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now().UnixNano()
	versions = map[string]uint64{}
	for i, id := range ids {
		if len(alerts) >= alertsPerRequest {
			return alerts, versions, ids[i:]
		}
		if e := a.table.entries[id]; e != nil {
			alerts = e.postable(alerts, now, lifetimes*int64(a.cfg.ResendInterval), a.cfg.GeneratorURL)
			versions[id] = e.version
		}
	}
	return alerts, versions, nil
}

// unwellAfter is how long requests fail before the component's status says so.
const unwellAfter = time.Minute

func outcome(err error) string {
	switch {
	case err == nil:
		return "accepted"
	case consumererror.IsPermanent(err):
		return "refused"
	default:
		return "retry"
	}
}

// account takes down how a request went.
func (a *alertmanager) account(ctx context.Context, err error, versions map[string]uint64) {
	a.telemetry.AlertmanagerRequests.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", outcome(err))))
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if err == nil {
		for id, version := range versions {
			if e := a.table.entries[id]; e != nil {
				e.posted = max(e.posted, version)
			}
		}
		if !a.failingSince.IsZero() {
			a.logger.Info("Alertmanager takes alerts again", zap.Duration("after", now.Sub(a.failingSince)))
			a.failingSince = time.Time{}
		}
		if a.unwell {
			a.unwell = false
			componentstatus.ReportStatus(a.host, componentstatus.NewEvent(componentstatus.StatusOK))
		}
		return
	}
	if errors.Is(err, context.Canceled) {
		return // Shutting down.
	}
	if a.failingSince.IsZero() {
		a.failingSince = now
		a.logger.Warn("Alertmanager takes no alerts; they are kept and sent again", zap.Error(err))
	}
	if !a.unwell && now.Sub(a.failingSince) >= unwellAfter {
		a.unwell = true
		componentstatus.ReportStatus(a.host, componentstatus.NewRecoverableErrorEvent(err))
	}
}

package alertmanagerexporter

import (
	"cmp"
	"context"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// push sends the alerts that records from the queue are about. The records tell which, the table tells what.
func (a *alertmanager) push(ctx context.Context, ld plog.Logs) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.closing, cancel)()
	var ids []string
	a.mu.Lock()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				id := textOf(lr.Attributes(), alertschema.KeyAlertID)
				if e := a.table.entries[id]; e != nil && e.version != e.posted {
					ids = append(ids, id)
				}
			}
		}
	}
	a.mu.Unlock()
	return a.send(ctx, ids, false)
}

// alertsPerRequest bounds a request. The alerts of one entry are never torn apart.
const alertsPerRequest = 200

// send posts the alerts of some entries as they are now; whole tells that these are all there are.
func (a *alertmanager) send(ctx context.Context, ids []string, whole bool) error {
	tried, err := a.sendAll(ctx, ids)
	switch {
	case tried:
		a.health.observe(a.host, a.logger, err, whole, a.now())
	case whole && err == nil:
		a.health.idle(a.host, a.logger, a.now())
	}
	return err
}

// sendAll makes as many requests as it takes; false when there was nothing to say, or no time to.
func (a *alertmanager) sendAll(ctx context.Context, ids []string) (tried bool, err error) {
	var refused error
	for len(ids) > 0 {
		rest, posted, err := a.sendSome(ctx, ids)
		tried, ids = tried || posted, rest
		switch {
		case err == nil:
		case consumererror.IsPermanent(err):
			refused = cmp.Or(refused, err) // One alert may be at fault; the others go on.
		default:
			return tried, err
		}
	}
	return tried, refused
}

// sendSome makes one request, and returns the entries that did not fit in. The token is held from the look into the table to the answer
// and no longer: whoever waits with a fresh alert is next, however much this one has left.
func (a *alertmanager) sendSome(ctx context.Context, ids []string) (rest []string, posted bool, err error) {
	select {
	case a.sending <- struct{}{}:
		defer func() { <-a.sending }()
	case <-ctx.Done():
		return ids, false, ctx.Err()
	}
	alerts, versions, rest := a.request(ids)
	if len(alerts) == 0 {
		return rest, false, nil
	}
	err = a.client.post(ctx, alerts)
	a.account(ctx, err, versions)
	return rest, true, err
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
			alerts = e.postable(alerts, now, a.lifetime(), a.cfg.GeneratorURL)
			versions[id] = e.version
		}
	}
	return alerts, versions, nil
}

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

// account counts how a request went.
func (a *alertmanager) account(ctx context.Context, err error, versions map[string]uint64) {
	a.telemetry.AlertmanagerRequests.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", outcome(err))))
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, version := range versions {
		if e := a.table.entries[id]; e != nil {
			e.posted = max(e.posted, version)
		}
	}
}

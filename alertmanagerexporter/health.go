package alertmanagerexporter

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
)

// unhealthyAfter is how long alerts fail to get through before the component's status says so.
const unhealthyAfter = time.Minute

// health says whether Alertmanager takes the alerts: in the log when that changes, in the component's status when it lasts.
type health struct {
	mu                sync.Mutex // Held while a status is reported, for they must come in order.
	failingSince      time.Time  // Zero when all is well.
	refused           bool       // Some alert was refused. That others get through does not end this; that all do does.
	reportedUnhealthy bool       // The status says that alerts do not get through.
}

// observe records how it went to send some alerts, or the whole table.
func (h *health) observe(host component.Host, logger *zap.Logger, err error, whole bool, now time.Time) {
	if errors.Is(err, context.Canceled) {
		return // Shutting down.
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.fail(host, logger, err, now)
		return
	}
	if h.refused && !whole {
		return
	}
	h.recover(host, logger, "Alertmanager takes alerts again", now)
}

// idle records that there is nothing to send: what failed has ended long ago, and nobody knows whether more would fail.
func (h *health) idle(host component.Host, logger *zap.Logger, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recover(host, logger, "No alert is left that Alertmanager has not taken", now)
}

func (h *health) recover(host component.Host, logger *zap.Logger, message string, now time.Time) {
	if !h.failingSince.IsZero() {
		logger.Info(message, zap.Duration("after", now.Sub(h.failingSince)))
	}
	if h.reportedUnhealthy {
		componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
	h.failingSince, h.refused, h.reportedUnhealthy = time.Time{}, false, false
}

func (h *health) fail(host component.Host, logger *zap.Logger, err error, now time.Time) {
	h.refused = h.refused || consumererror.IsPermanent(err)
	if h.failingSince.IsZero() {
		h.failingSince = now
		message := "Alertmanager takes no alerts; they are kept and sent again"
		if h.refused {
			message = "Alertmanager refuses alerts; they are kept and sent again"
		}
		logger.Warn(message, zap.Error(err))
	}
	if !h.reportedUnhealthy && now.Sub(h.failingSince) >= unhealthyAfter {
		h.reportedUnhealthy = true
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(err))
	}
}

package notifyexporter

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
)

// unhealthyAfter is how long a channel fails before the component's status says so.
const unhealthyAfter = time.Minute

const (
	// lostShown is for how long the component's status says that a message was told nowhere.
	lostShown = time.Hour
	// maxLost is how many of them the next message names.
	maxLost = 3
)

// lostBefore says which messages before were told nowhere.
func (n *notifier) lostBefore(rt *route) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(rt.lost) == 0 {
		return nil
	}
	return []string{"Not told here before, for the server refused it: " + strings.Join(rt.lost, "; ") + "."}
}

// health says which channels fail: in the log when that changes, in the component's status when it lasts.
type health struct {
	reported string // The channel of which the status says that it fails, empty when it says that all is well.
}

// observe records how an attempt went.
func (n *notifier) observe(rt *route, err error, now int64) {
	switch {
	case err == nil && rt.failingSince != 0:
		n.logger.Info("A channel takes messages again", zap.String("channel", rt.name), zap.Duration("after", time.Duration(now-rt.failingSince)))
		rt.failingSince, rt.failure, rt.refusedForGood = 0, "", false
	case err != nil && consumererror.IsPermanent(err):
		rt.failure, rt.refusedForGood = err.Error(), true
		if rt.failingSince == 0 {
			rt.failingSince = now
		}
	case err != nil:
		rt.failure = err.Error()
		if rt.failingSince == 0 {
			rt.failingSince = now
			n.logger.Warn("A channel takes no messages; they are kept and sent again", zap.String("channel", rt.name), zap.Error(err))
		}
	}
	n.reportStatus(now)
}

// reportStatus sets the component's status by the channel that has failed for the longest.
func (n *notifier) reportStatus(now int64) {
	worst := ""
	for _, name := range slices.Sorted(maps.Keys(n.table.routes)) {
		rt := n.table.routes[name]
		if rt.failingSince != 0 && (rt.refusedForGood || now-rt.failingSince >= int64(unhealthyAfter)) &&
			(worst == "" || rt.failingSince < n.table.routes[worst].failingSince) {
			worst = name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.table.routes)) {
		if rt := n.table.routes[name]; worst == "" && rt.lostAt != 0 && now-rt.lostAt < int64(lostShown) {
			worst = name
		}
	}
	if worst == n.health.reported {
		return
	}
	n.health.reported = worst
	if worst == "" {
		componentstatus.ReportStatus(n.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	rt := n.table.routes[worst]
	text := rt.failure
	if text == "" {
		text = "a message was refused at " + time.Unix(0, rt.lostAt).UTC().Format(time.RFC3339) + " and told nowhere"
	}
	componentstatus.ReportStatus(n.host, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("channel %s: %s", worst, text)))
}

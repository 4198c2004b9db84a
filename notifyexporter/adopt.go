package notifyexporter

import (
	"maps"
	"slices"

	"go.uber.org/zap"
)

// adopt gives what was told, and is still to be told, on channels that are no longer configured to channels that are. The name of a channel is all that
// is stored of it: one that was renamed would else lose what waits, and the end of what it told.
func (n *notifier) adopt() {
	moved, left := n.table.adopt()
	if moved+left == 0 {
		return
	}
	names := map[string]struct{}{}
	for _, e := range n.table.entries {
		for name, tl := range e.Channels {
			if n.table.routes[name] == nil && len(tl.Pending) > 0 {
				names[name] = struct{}{}
			}
		}
	}
	n.logger.Warn("Channels of the stored alerts are no longer configured. Other channels tell what they had to tell, where the alert fits; the rest waits "+
		"until a channel of that name is back", zap.Int("moved", moved), zap.Int("waiting", left), zap.Strings("waiting_channels", slices.Sorted(maps.Keys(names))))
}

// adopt returns of how many alerts other channels tell now, and how many wait until a channel of the old name is back.
func (t *table) adopt() (moved, left int) {
	for id, e := range t.entries {
		known := t.isKnown(e)
		for _, name := range slices.Sorted(maps.Keys(e.Channels)) {
			tl := e.Channels[name]
			if t.routes[name] != nil || !tl.concerns(e.Episode) {
				continue
			}
			successors := t.successors(e, len(tl.Pending) > 0)
			switch {
			case len(tl.Pending) > 0 && known:
				continue // Somebody is told. The channel may come back.
			case len(successors) == 0:
				if len(tl.Pending) > 0 {
					left++
				}
				continue
			}
			for _, successor := range successors {
				copied := &telling{Pending: slices.Clone(tl.Pending), Left: tl.Left, Why: tl.Why, From: tl.From}
				if tl.Told != nil {
					told := *tl.Told
					copied.Told = &told
				}
				e.Channels[successor] = copied
			}
			delete(e.Channels, name)
			t.touch(id)
			moved++
		}
	}
	return moved, left
}

// isKnown tells whether the alert's episode is told, or is to be, on a channel that there is.
func (t *table) isKnown(e *entry) bool {
	for name, tl := range e.Channels {
		if t.routes[name] != nil && tl.concerns(e.Episode) {
			return true
		}
	}
	return false
}

// successors are the configured channels that take the alert and do not tell of it yet. pending says that there is something to tell.
func (t *table) successors(e *entry, pending bool) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(t.routes)) {
		rt := t.routes[name]
		if tl := e.Channels[name]; tl != nil && tl.concerns(e.Episode) {
			continue
		}
		// The severity number of what is over is not known any more.
		if rt.standby || !rt.match.holds(e.value) || !e.Last.Resolved && e.Last.Number < rt.min || !rt.sendResolved && !pending {
			continue
		}
		names = append(names, name)
	}
	return names
}

package alert

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// valueHistory is what the engine remembers of one series, or of one group, for a rule that compares with earlier times.
type valueHistory struct {
	*window.History
	id   uint64
	used bool // Its series or group is there.
}

// histories has all histories by ID, which is the same over restarts. They outlive their series and groups: what comes back is compared
// with what it was before.
type histories struct {
	byID   map[uint64]*valueHistory
	warned bool // That there are too many was said.
	// allUsedAt is the running time at which none was found that is of no use.
	allUsedAt int64
}

// ruleHistories are the histories of one rule. It is the rules.Histories of the group that is evaluated.
type ruleHistories struct {
	span     window.HistorySpan
	texts    []string // See rules.Historian.
	bySeries map[*window.Series]*valueHistory
	byGroup  map[*group]*valueHistory
	current  *group
}

// newRuleHistories returns the histories of a rule, nil for a rule that looks at no earlier time.
func newRuleHistories(r *rules.Rule) *ruleHistories {
	k, keeps := r.Kind.(rules.Historian)
	if !keeps {
		return nil
	}
	return &ruleHistories{
		span: k.HistorySpan(), texts: k.HistoryTexts(), bySeries: map[*window.Series]*valueHistory{}, byGroup: map[*group]*valueHistory{},
	}
}

// Of returns the history of a series, or of nil that of the group that is evaluated; nil when there is none.
func (h *ruleHistories) Of(s *window.Series) *window.History {
	found := h.bySeries[s]
	if s == nil {
		found = h.byGroup[h.current]
	}
	if found == nil {
		return nil
	}
	return found.History
}

// rememberGroup finds the history of a new group, if the rule keeps those of groups.
func (e *Engine) rememberGroup(g *group, key string) {
	if h := g.rule.histories; h != nil && g.rule.HistoryOfGroup() {
		if found := e.useHistory(h, key); found != nil {
			h.byGroup[g] = found
		}
	}
}

// rememberSeries finds the history of a new series of the rule's value, if the rule keeps those of series.
func (e *Engine) rememberSeries(w *ruleInput, s *series, o *attr.Origin, point []attr.Attr) {
	h := w.rule.histories
	if h == nil || w.Role != rules.RoleValue || w.rule.HistoryOfGroup() {
		return
	}
	key := w.rule.SeriesKey(w.Target, o, point) + "\x00" + e.units.units[s.Unit].Text // Its values are of that unit.
	if found := e.useHistory(h, key); found != nil {
		h.bySeries[&s.Series] = found
	}
}

// useHistory returns the history of a key, a new one if need be and there is room.
func (e *Engine) useHistory(of *ruleHistories, key string) *valueHistory {
	id := alertschema.AlertID(of.texts[0], key)
	h := e.histories.byID[id]
	if h == nil {
		h = e.historyBefore(of, key, id)
	}
	if h == nil {
		if len(e.histories.byID) >= e.rules.Limits.Series && !e.dropUnusedHistory() {
			if !e.histories.warned {
				e.histories.warned = true
				e.notice("limits::series is %d, and there is more to compare with earlier times: the rest is not; raise the limit, or narrow match",
					e.rules.Limits.Series)
			}
			return nil
		}
		h = &valueHistory{History: window.NewHistory(of.span), id: id}
		e.histories.byID[id] = h
	}
	h.used = true
	return h
}

// historyBefore takes over the history that a build before has stored under another ID, nil for none.
func (e *Engine) historyBefore(of *ruleHistories, key string, id uint64) *valueHistory {
	for _, text := range of.texts[1:] {
		if h := e.histories.byID[alertschema.AlertID(text, key)]; h != nil && !h.used {
			e.dropHistory(h)
			h.id = id
			e.histories.byID[id] = h
			e.journal.markHistory(id)
			return h
		}
	}
	return nil
}

// dropUnusedHistory forgets the histories that have been of no use for the longest time: several at once, for finding them is work. It returns false
// when all are in use.
func (e *Engine) dropUnusedHistory() bool {
	if e.histories.allUsedAt == e.running {
		return false
	}
	var unused []*valueHistory
	for _, h := range e.histories.byID {
		if !h.used {
			unused = append(unused, h)
		}
	}
	if len(unused) == 0 {
		e.histories.allUsedAt = e.running
		return false
	}
	slices.SortFunc(unused, func(a, b *valueHistory) int {
		return cmp.Or(cmp.Compare(a.Newest(), b.Newest()), cmp.Compare(a.id, b.id))
	})
	for _, h := range unused[:min(len(unused), 1+len(e.histories.byID)/8)] {
		e.dropHistory(h)
	}
	return true
}

func (e *Engine) dropHistory(h *valueHistory) {
	delete(e.histories.byID, h.id)
	e.journal.markHistory(h.id)
}

// leaveHistory notes that a series is gone.
func (h *ruleHistories) leaveHistory(s *window.Series) {
	if found := h.bySeries[s]; found != nil {
		found.used = false
		delete(h.bySeries, s)
	}
}

// leaveGroup notes that a group is gone.
func (h *ruleHistories) leaveGroup(g *group) {
	if found := h.byGroup[g]; found != nil {
		found.used = false
		delete(h.byGroup, g)
	}
}

// recordNothing remembers that a group had no value at time t.
func (g *group) recordNothing(t int64) {
	h := g.rule.histories
	if h == nil {
		return
	}
	if found := h.byGroup[g]; found != nil {
		found.Record(t, math.NaN())
	}
	for _, s := range g.members {
		if found := h.bySeries[&s.Series]; found != nil {
			found.Record(t, math.NaN())
		}
	}
}

// storedParts is in how many parts a history is stored as it grows; a kill costs the last of them.
const storedParts = 24

// keepHistories forgets the histories that no rule can look at any more, and has those stored of which enough is new: not all at once.
func (e *Engine) keepHistories() {
	for _, h := range e.histories.byID {
		part := h.Span() / storedParts
		switch {
		case !h.used && h.Newest() < e.now-e.historyPatience(h):
			e.dropHistory(h)
		case h.Unstored(part + int64(h.id%storedParts)*part/storedParts):
			e.journal.markHistory(h.id)
		}
	}
}

// historyPatience is how old the newest value of a history may be that nothing uses: its series may come back, or come for the first time after a
// reload, with samples as late as they may be, and looks at what was nearest to the earlier time.
func (e *Engine) historyPatience(h *valueHistory) int64 {
	return h.Span() + h.Span()/2 + e.rules.MaxSampleAge + max(window.DefaultLookback, window.StalePatience(h.Interval()))
}

// StoreHistories has the next snapshot hold all of the histories that is not stored yet. It is for the last snapshot: while the engine
// runs, histories are stored in parts.
func (e *Engine) StoreHistories() {
	for _, h := range e.histories.byID {
		if h.Unstored(0) {
			e.journal.markHistory(h.id)
		}
	}
}

// restoreHistory takes up a stored history. Whose it is will be known when its series comes.
func (e *Engine) restoreHistory(id uint64, v []byte) error {
	found, err := window.DecodeHistory(v)
	if err != nil {
		e.journal.markHistory(id)
		return fmt.Errorf("decoding %s: %w", historyKey(id), err)
	}
	h := &valueHistory{History: found, id: id}
	h.NotAfter(e.now + maxAhead)
	e.histories.byID[id] = h
	return nil
}

// historiesSetBack forgets what bears times that are to come again.
func (e *Engine) historiesSetBack() {
	for _, h := range e.histories.byID {
		h.NotAfter(e.now + maxAhead)
	}
}

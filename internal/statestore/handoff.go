package statestore

import (
	"maps"
	"sync"
	"time"
)

// TTL is for how long a state in memory waits for a successor: longer than a reload takes, and no longer than what it says is of use.
const TTL = 2 * time.Minute

// Handoff passes state from components without a storage to their successors. A reload of the configuration replaces every component, and
// nothing else in the process outlives it. The zero value is empty; it is safe for concurrent use.
type Handoff[State any] struct {
	mu      sync.Mutex
	entries map[Owner]entry[State]
}

// entry is a state that waits for a successor.
type entry[State any] struct {
	state State
	until time.Time
}

// Put lets a state wait for the next component with the same kind and ID. It takes the place of what waits already.
func (h *Handoff[State]) Put(owner Owner, state State, now time.Time) {
	h.Expire(now)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.entries == nil {
		h.entries = map[Owner]entry[State]{}
	}
	h.entries[owner] = entry[State]{state: state, until: now.Add(TTL)}
}

// Expire forgets what has waited for longer than TTL.
func (h *Handoff[State]) Expire(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.entries, func(_ Owner, e entry[State]) bool { return now.After(e.until) })
}

// Take returns what a predecessor put, once; false when there is nothing, or it has waited for longer than TTL.
func (h *Handoff[State]) Take(owner Owner, now time.Time) (State, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, ok := h.entries[owner]
	delete(h.entries, owner)
	if !ok || now.After(e.until) {
		var none State
		return none, false
	}
	return e.state, true
}

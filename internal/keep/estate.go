package keep

import (
	"maps"
	"sync"
	"time"
)

// TTL is for how long a state in memory waits for a successor: longer than a reload takes, and no longer than what it says is of use.
const TTL = 2 * time.Minute

// Estate is what components without a storage leave to their successors. A reload of the configuration replaces every component, and
// nothing else in the process outlives it. The zero value is empty; it is safe for concurrent use.
type Estate[State any] struct {
	mu   sync.Mutex
	left map[Owner]legacy[State]
}

type legacy[State any] struct {
	state State
	until time.Time
}

// Leave lets a state wait for the next component with the same kind and ID. It takes the place of what waits already.
func (e *Estate[State]) Leave(owner Owner, state State, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.left, func(_ Owner, l legacy[State]) bool { return now.After(l.until) })
	if e.left == nil {
		e.left = map[Owner]legacy[State]{}
	}
	e.left[owner] = legacy[State]{state: state, until: now.Add(TTL)}
}

// Take returns what a predecessor left, once; false when there is nothing, or it has waited for longer than TTL.
func (e *Estate[State]) Take(owner Owner, now time.Time) (State, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, ok := e.left[owner]
	delete(e.left, owner)
	if !ok || now.After(l.until) {
		var none State
		return none, false
	}
	return l.state, true
}

package events

import (
	"sync"
	"time"
)

const (
	// window is the time in which a kind has its limit of events.
	window = time.Minute
	// maxWaiting bounds the events that wait for delivery. What is above is withheld.
	maxWaiting = 4096
)

// Log counts events, and keeps those that are to be told. It may be used concurrently.
type Log struct {
	mu        sync.Mutex
	perMinute int
	followed  bool // somebody takes the events
	kinds     [numKinds]kindState
	waiting   []Event
}

// kindState is what the log knows of a kind.
type kindState struct {
	all      uint64    // events since the start
	begun    time.Time // of the window
	told     int       // in the window
	withheld uint64    // since the last event that said so
}

// NewLog returns a log that tells of at most so many events of a kind in a minute.
func NewLog(perMinute int) *Log { return &Log{perMinute: perMinute} }

// Follow makes the log keep events for [Log.Take]. Without it they are counted alone.
func (l *Log) Follow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followed = true
}

// Followed tells whether the log keeps events.
func (l *Log) Followed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.followed
}

// Add counts an event, and keeps it unless that is above the limit.
func (l *Log) Add(now time.Time, e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := &l.kinds[e.Kind]
	k.all++
	if !l.followed {
		return
	}
	// A clock that was set back begins a window, too.
	if since := now.Sub(k.begun); since >= window || since < 0 {
		l.settle(now, e.Kind)
		k.begun, k.told = now, 0
	}
	if k.told >= l.perMinute || len(l.waiting) >= maxWaiting {
		k.withheld++
		return
	}
	k.told++
	l.waiting = append(l.waiting, e)
}

// settle adds an event that says how many were withheld of a kind, if any were.
func (l *Log) settle(now time.Time, kind Kind) {
	k := &l.kinds[kind]
	// One for each kind, which are few, is beyond the bound of those that wait.
	if k.withheld == 0 || len(l.waiting) >= maxWaiting+int(numKinds) {
		return
	}
	l.waiting = append(l.waiting, Event{Kind: kind, Time: now, Severity: Warning, Withheld: k.withheld})
	k.withheld = 0
}

// Take returns the events that wait, the oldest first, and among them how many were withheld in the minutes that have passed; with all set in this
// one, too. They wait until [Log.Delivered] says that they are delivered. The slice belongs to the caller.
func (l *Log) Take(now time.Time, all bool) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	for kind := range numKinds {
		if since := now.Sub(l.kinds[kind].begun); all || since >= window || since < 0 {
			l.settle(now, kind)
		}
	}
	return append([]Event(nil), l.waiting...)
}

// Delivered forgets the oldest n events that wait.
func (l *Log) Delivered(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting[:0], l.waiting[n:]...)
}

// Count is how many events of a kind there were since the start, those that were withheld among them.
func (l *Log) Count(kind Kind) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(l.kinds[kind].all)
}

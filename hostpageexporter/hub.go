package hostpageexporter

import (
	"slices"
	"sync"
	"sync/atomic"
)

// hub wakes the viewers when something has come. Nothing waits for a viewer, and nothing queues for one but the names of alerts.
type hub struct {
	limit int

	mu      sync.Mutex
	closed  bool
	viewers []*viewer
	count   atomic.Int64
}

// viewer is one event stream.
type viewer struct {
	woken  chan struct{}
	alerts chan string // Episodes that changed.
}

// maxWaitingAlerts is how many changes of alerts wait for a viewer; it finds the rest in /api/alerts.
const maxWaitingAlerts = 32

func (h *hub) open() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = false
}

// close keeps further viewers out.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}

// join adds a viewer; nil when there are as many as there may be.
func (h *hub) join() *viewer {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.viewers) >= h.limit {
		return nil
	}
	v := &viewer{woken: make(chan struct{}, 1), alerts: make(chan string, maxWaitingAlerts)}
	h.viewers = append(h.viewers, v)
	h.count.Store(int64(len(h.viewers)))
	return v
}

func (h *hub) leave(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.viewers = slices.DeleteFunc(h.viewers, func(x *viewer) bool { return x == v })
	h.count.Store(int64(len(h.viewers)))
}

// wake tells all viewers that something has come.
func (h *hub) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, v := range h.viewers {
		select {
		case v.woken <- struct{}{}:
		default: // It has not looked yet.
		}
	}
}

// alert tells all viewers that an episode changed.
func (h *hub) alert(episode string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, v := range h.viewers {
		select {
		case v.alerts <- episode:
		default:
		}
	}
}

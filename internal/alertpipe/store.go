package alertpipe

import (
	"sync"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// layout is how the engine's state is stored.
var layout = statestore.Layout{Name: "alert", Lists: "keys/", Before: alert.KeysOfVersion2}

// changesOf are the changes to the storage that the ops of a snapshot make.
func changesOf(ops []alert.Op) []statestore.Change {
	changes := make([]statestore.Change, len(ops))
	for i, op := range ops {
		changes[i] = statestore.Change(op)
	}
	return changes
}

// leftSamples passes the samples of windows on at a reload, with a storage or without.
var leftSamples statestore.Handoff[*alert.LeftSamples]

// leaveSamples lets the samples of an engine wait for a successor, and lets go of them when none has come in time.
func (p *Pipe) leaveSamples(engine *alert.Engine) {
	leftSamples.Put(p.set.owner(), engine.LeaveSamples(), p.set.Now())
	time.AfterFunc(statestore.TTL+time.Second, func() { leftSamples.Expire(p.set.Now()) })
}

// live are the pipes of this process that run.
var live = struct {
	sync.Mutex
	pipes map[statestore.Owner]*Pipe
}{pipes: map[statestore.Owner]*Pipe{}}

// claim notes that a pipe is running. Two at a time with one ID would each decide on alerts of their own.
func claim(p *Pipe) {
	live.Lock()
	defer live.Unlock()
	if other := live.pipes[p.set.owner()]; other != nil && other != p {
		p.set.Logger.Error("Another instance with this ID is running in this process: alerts may be announced twice or not at all. " +
			"Restart the Collector")
	}
	live.pipes[p.set.owner()] = p
}

// release takes back a claim.
func release(p *Pipe) {
	live.Lock()
	defer live.Unlock()
	if live.pipes[p.set.owner()] == p {
		delete(live.pipes, p.set.owner())
	}
}

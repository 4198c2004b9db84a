package alertpipe

import (
	"sync"

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

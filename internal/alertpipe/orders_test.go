package alertpipe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

// starter is a node.
type starter interface {
	Start(context.Context, component.Host) error
	Shutdown(context.Context) error
}

// TestRandomOrders starts and stops the nodes of several pipelines in 500 random orders, at times with a start that fails midway,
// while metrics come in until the last moment. Over all lives every sink gets every record, each once.
func TestRandomOrders(t *testing.T) {
	for seed := range uint64(500) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { randomOrder(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func randomOrder(t *testing.T, rng *rand.Rand) {
	t.Helper()
	edit := withStorage
	if rng.IntN(2) == 0 {
		edit = nil
	}
	r := newRig(t, edit, 1+rng.IntN(3))
	r.host.storage = &memoryStorage{}
	inputs := 1 + rng.IntN(3)
	for life := range 4 {
		if life > 0 {
			r.create()
		}
		for len(r.inputs) < inputs {
			r.inputs = append(r.inputs, r.pipe.NewInput())
		}
		complete := rng.IntN(4) > 0
		runLife(t, r, rng, complete)
	}
	// In the last life everything calms down.
	r.create()
	r.start()
	for range 3 {
		for _, instance := range []string{"a", "b"} {
			r.inputs[0].Consume(gauge(1, instance))
		}
		advance(time.Minute)
	}
	r.shutdown()

	want := r.out[0].all()
	open := map[string]bool{} // By episode.
	seen := map[string]bool{}
	for _, rec := range want {
		assert.False(t, seen[rec.UID], "%s arrived twice", rec.UID)
		seen[rec.UID] = true
		episode, firing := rec.UID[:16], open[rec.UID[:16]]
		switch rec.Transition {
		case "fire":
			assert.False(t, firing, "%s fired twice", episode)
			open[episode] = true
		case "resolve":
			assert.True(t, firing, "%s resolved without a fire", episode)
			delete(open, episode)
		default:
			assert.True(t, firing, "%s of %s, which does not fire", rec.Transition, episode)
		}
	}
	assert.Empty(t, open, "everything that fired was resolved")
	for _, out := range r.out[1:] {
		assert.Equal(t, want, out.all(), "every sink gets the same")
	}
}

// runLife starts some or all nodes, feeds while they stop, and stops them.
func runLife(t *testing.T, r *rig, rng *rand.Rand, complete bool) {
	t.Helper()
	var nodes []starter
	for _, in := range r.inputs {
		nodes = append(nodes, in)
	}
	for _, s := range r.sinks {
		nodes = append(nodes, s)
	}
	rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	started := len(nodes)
	if !complete {
		started = rng.IntN(len(nodes))
	}
	for _, n := range nodes[:started] {
		require.NoError(t, n.Start(t.Context(), r.host))
	}
	var feeding sync.WaitGroup
	stop := make(chan struct{})
	if complete {
		for i, in := range r.inputs {
			values := rand.New(rand.NewPCG(rng.Uint64(), uint64(i)))
			feeding.Go(func() {
				for {
					in.Consume(gauge(values.Float64()*120, string(rune('a'+values.IntN(2)))))
					select {
					case <-stop:
						return
					case <-time.After(time.Duration(values.IntN(3000)+1) * time.Millisecond):
					}
				}
			})
		}
		advance(time.Duration(1+rng.IntN(20)) * time.Second)
	}
	rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	for _, n := range nodes {
		require.NoError(t, n.Shutdown(context.Background()))
		if rng.IntN(2) == 0 {
			advance(time.Duration(rng.IntN(1000)) * time.Millisecond)
		}
	}
	close(stop)
	feeding.Wait()
}

package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

func TestFiresThatLostTheirPlaceAreAnnouncedLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Limits.Outbox = 3 })
	disks(r, 0, 5, func(int) float64 { return 90 })
	assert.Equal(t, 3, r.engine.Pending())
	seen := map[string]int{}
	for s := 15.0; s < 100; s += 15 {
		for _, ev := range r.drain() {
			if ev.Kind == alertschema.KindSuppressed {
				continue
			}
			assert.Equal(t, alertschema.TransitionFire, ev.Transition)
			seen[ev.UID]++
		}
		disks(r, s, 5, func(int) float64 { return 90 })
	}
	assert.Len(t, seen, 5)
	for uid, n := range seen {
		assert.Equal(t, 1, n, uid)
	}
}

// The stories of Alertmanager's acceptance tests, told of the outbox in virtual time.
func TestDelivery(t *testing.T) {
	t.Parallel()
	t.Run("retry: an event stays until it is acknowledged", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(0, 90)
		first := r.engine.Peek(nil, 10)
		again := r.engine.Peek(nil, 10)
		require.Len(t, first, 1)
		assert.Equal(t, first, again)
		r.engine.Ack(first[0].Seq)
		r.engine.Ack(first[0].Seq, 999)
		assert.Zero(t, r.engine.Pending())
	})
	t.Run("batching: in order, as many as asked for", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		disks(r, 0, 5, func(int) float64 { return 90 })
		batch := r.engine.Peek(nil, 2)
		require.Len(t, batch, 2)
		r.engine.Ack(batch[0].Seq, batch[1].Seq)
		assert.Equal(t, batch[1].Seq+1, r.engine.Peek(nil, 1)[0].Seq)
	})
	t.Run("resolved filter: no resolve records when they are not wanted", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), func(c *rules.Config) { c.Output.SendResolved = false })
		r.step(0, 90)
		assert.Len(t, r.transitions(), 1)
		r.step(15, 10)
		assert.Empty(t, r.transitions())
		r.step(30, 90)
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
	})
	t.Run("merge: going on is no news, coming back is a new episode", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.step(0, 90)
		r.step(15, 91)
		first := r.drain()
		require.Len(t, first, 1)
		r.step(30, 10)
		r.drain()
		r.step(45, 92)
		second := r.drain()
		require.Len(t, second, 1)
		assert.Equal(t, first[0].AlertID, second[0].AlertID)
		assert.NotEqual(t, first[0].EpisodeID, second[0].EpisodeID)
		assert.Equal(t, at(45).UnixNano(), second[0].StartedAt)
	})
	t.Run("one point that comes by two pipelines is one point", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(nil), nil)
		r.observe(0, point{v: 90})
		r.observe(0.1, point{v: 90})
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		assert.EqualValues(t, 1, r.engine.Stats(at(1)).SamplesIgnored["duplicate"])
	})
}

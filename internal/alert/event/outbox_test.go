package event

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

func change4(episode int, tr alertschema.Transition, severity int) Event {
	return Event{EpisodeID: fmt.Sprint(episode), Transition: tr, SeverityNumber: severity}
}

func words(o *Outbox) []string {
	var out []string
	for _, x := range o.entries {
		out = append(out, x.event.EpisodeID+" "+x.event.Transition.String())
	}
	return out
}

func TestOutboxCoalesces(t *testing.T) {
	t.Parallel()
	t.Run("a pair that nobody heard of is taken back", func(t *testing.T) {
		t.Parallel()
		o := NewOutbox(10)
		o.Add(change4(1, alertschema.TransitionFire, 13))
		o.Add(change4(2, alertschema.TransitionFire, 13))
		o.Add(change4(1, alertschema.TransitionEscalate, 18))
		changed, dropped := o.Add(change4(1, alertschema.TransitionResolve, 9))
		assert.Equal(t, []uint64{1, 3}, changed)
		assert.Empty(t, dropped)
		assert.Equal(t, []string{"2 fire"}, words(&o))
		assert.EqualValues(t, 2, o.Coalesced)
	})
	t.Run("a fire that was handed out gets its resolve, even if the delivery failed", func(t *testing.T) {
		t.Parallel()
		o := NewOutbox(10)
		o.Add(change4(1, alertschema.TransitionFire, 13))
		o.entries[0].attempted = true
		o.Add(change4(1, alertschema.TransitionResolve, 9))
		assert.Equal(t, []string{"1 fire", "1 resolve"}, words(&o))
	})
}

func TestFullOutbox(t *testing.T) {
	t.Parallel()
	o := NewOutbox(4)
	o.Add(change4(0, alertschema.TransitionEscalate, 18)) // Of a fire that has long been delivered.
	o.Add(change4(0, alertschema.TransitionDeescalate, 13))
	o.Add(change4(1, alertschema.TransitionFire, 18))
	o.Add(change4(2, alertschema.TransitionFire, 13))
	_, dropped := o.Add(change4(3, alertschema.TransitionFire, 13))
	assert.Empty(t, dropped)
	assert.Equal(t, []string{"0 deescalate", "1 fire", "2 fire", "3 fire"}, words(&o), "what a later record supersedes goes first")

	_, dropped = o.Add(change4(4, alertschema.TransitionFire, 17))
	require.Len(t, dropped, 1)
	assert.Equal(t, []string{"0 deescalate", "1 fire", "2 fire", "4 fire"}, words(&o), "then the newest of the least severe")

	_, dropped = o.Add(change4(0, alertschema.TransitionResolve, 9))
	assert.Empty(t, dropped)
	assert.Equal(t, []string{"1 fire", "2 fire", "4 fire", "0 resolve"}, words(&o), "a resolve of a delivered fire stays")
}

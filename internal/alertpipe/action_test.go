package alertpipe

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertaction"
)

// TestActionsAreWrittenBeforeTheyReturn: what a person was told is in force outlives a kill right after it.
func TestActionsAreWrittenBeforeTheyReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withStorage, 1)
		store := &memoryStorage{}
		r.host.storage = store
		r.start()
		r.feed(90)
		require.Equal(t, []string{"fire"}, r.out[0].got())
		s := alertaction.Silence{ID: "00000000000000aa", Rule: "load", By: "anna", From: time.Now(), To: time.Now().Add(time.Hour)}
		people := actions{r.pipe}
		require.NoError(t, people.Silence(s))
		assert.Contains(t, store.stored(), "p/00000000000000aa")
		synctest.Wait()
		assert.Equal(t, []string{"fire", "silence_start"}, r.out[0].got())

		r.restart()
		people = actions{r.pipe}
		require.Len(t, people.Silences(), 1)
		r.feed(99)
		assert.Equal(t, []string{"fire", "silence_start"}, r.out[0].got(), "it holds over a reload")
		require.NoError(t, people.EndSilence("00000000000000aa", "anna"))
		r.feed(99)
		advance(time.Minute)
		assert.Equal(t, []string{"fire", "silence_start", "silence_end", "escalate"}, r.out[0].got())
		require.ErrorIs(t, people.Acknowledge(alertaction.Acknowledgement{Alert: "1", By: "anna"}), alertaction.ErrUnknownAlert)

		r.shutdown()
		require.ErrorIs(t, people.Silence(s), alertaction.ErrNotRunning)
		assert.Empty(t, people.Silences())
	})
}

// TestActionsDoNotWaitForAStorageThatHangs longer than for one write.
func TestActionsDoNotWaitForAStorageThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, withStorage, 1)
		store := &memoryStorage{}
		r.host.storage = store
		r.start()
		r.feed(90)
		release := make(chan struct{})
		store.hook(func() error { <-release; return nil })
		begin := time.Now()
		s := alertaction.Silence{ID: "00000000000000aa", Rule: "load", By: "anna", From: time.Now(), To: time.Now().Add(time.Hour)}
		require.NoError(t, actions{r.pipe}.Silence(s))
		assert.Equal(t, r.pipe.timeouts.write, time.Since(begin))
		close(release)
		store.hook(nil)
		r.shutdown()
	})
}

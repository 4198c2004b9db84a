package notifyexporter

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// setClock sets the wall clock, of which the elapsed time knows nothing.
func (b *bench) setClock(by time.Duration) { b.clock, b.set = b.clock.Add(by), b.set+by }

// A clock that is set, by an hour in either direction or a day back, neither keeps messages back nor makes any of its own.
func TestTheClockIsSet(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-24 * time.Hour, -time.Hour, time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, `
group_wait: 10s
messages_per_minute: 3
repeat_interval: 20m
channels:
  chat: {`+hook+`, escalate_to: pager, escalate_after: 15m}
  pager: {`+hook+`, standby: true}
  dead: {`+hook+`, fallback: spare, fallback_after: 5m}
  spare: {`+hook+`, standby: true}
`)
			b.on["dead"].fail = errors.New("no route to host")
			b.tell(disk("db1"))
			b.pass(11 * time.Second)
			require.Len(t, b.on["chat"].take(), 1)
			b.setClock(by)
			b.settleNow()
			assert.Empty(t, b.on["chat"].take(), "nothing is repeated")
			assert.Empty(t, b.on["pager"].take(), "nothing is escalated")
			assert.Empty(t, b.on["spare"].take(), "nothing is handed over")
			tries := b.on["dead"].calls
			b.pass(2 * time.Minute)
			assert.Greater(t, b.on["dead"].calls, tries, "the dead channel is tried again")

			for _, host := range []string{"db2", "db3", "db4"} { // As many as a minute has room for.
				b.tell(disk(host))
				b.pass(11 * time.Second)
			}
			assert.Len(t, b.on["chat"].take(), 3)
			b.setClock(-by)
			b.tell(disk("db5"))
			b.pass(71 * time.Second)
			assert.Len(t, b.on["chat"].take(), 1, "the limit of a minute lasts for a minute")

			b.pass(3 * time.Minute)
			assert.NotEmpty(t, b.on["spare"].take(), "the fallback is told after five minutes")
			assert.Empty(t, b.on["pager"].take())
			b.pass(9 * time.Minute)
			assert.NotEmpty(t, b.on["pager"].take(), "the pager is told after a quarter of an hour")
			b.pass(3 * time.Minute)
			assert.Empty(t, b.on["chat"].take())
			b.pass(4 * time.Minute)
			assert.NotEmpty(t, b.on["chat"].take(), "it is repeated after twenty minutes")
		})
	}
}

// A clock that is set while a message is on its way makes nobody be told twice.
func TestTheClockIsSetWhileSending(t *testing.T) {
	t.Parallel()
	b := newBench(t, "group_wait: 0s\nchannels: {mail: {"+hook+"}}\n")
	b.tell(disk("db1"))
	w := b.workers[0]
	now := b.clock.UnixNano()
	batch, _ := w.next(t.Context(), now)
	require.NotNil(t, batch)
	m := b.compose(t.Context(), w.route, batch, now)
	b.setClock(-time.Hour)
	w.after(t.Context(), batch, m, nil)
	b.pass(time.Minute)
	assert.Empty(t, b.on["mail"].take())
}

// Times of the storage that are still to come, or are none, keep nothing back.
func TestStoredTimesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, at := range []int64{began.Add(24 * time.Hour).UnixNano(), math.MaxInt64, math.MinInt64, -1} {
		const text = "storage: disk\ngroup_wait: 10s\nchannels: {mail: {" + hook + ", escalate_to: pager, escalate_after: 15m}, pager: {" + hook + ", standby: true}}\n"
		disks := newMemory()
		b := newBenchOn(t, text, disks, began)
		b.tell(disk("db1"))
		b.pass(20 * time.Second)
		require.Len(t, b.on["mail"].take(), 1)
		b.tell(disk("db2"))
		for _, e := range b.table.entries {
			e.eachWallTime(func(wall *int64) { *wall = at })
			b.table.touch(e.ID)
		}
		b.save(t.Context())
		again := newBenchOn(t, text, disks, began.Add(30*time.Second))
		again.pass(20 * time.Second)
		assert.Len(t, again.on["mail"].take(), 1, at)
		again.pass(14*time.Minute + 30*time.Second)
		assert.Empty(t, again.on["pager"].take(), at)
		again.pass(time.Minute)
		assert.NotEmpty(t, again.on["pager"].take(), at)
	}
}

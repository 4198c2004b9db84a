package notifyexporter

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a channel had to tell, and the end of what it told, is told on when the channel gets another name or another takes its place.
func TestAChannelIsRenamed(t *testing.T) {
	t.Parallel()
	const first = "storage: disk\ngroup_wait: 0s\nchannels: {mail: {" + hook + "}}\n"
	for name, second := range map[string]string{
		"renamed":  "channels: {email: {" + hook + "}}",
		"one more": "channels: {email: {" + hook + "}, pager: {" + hook + ", min_severity: critical}, spare: {" + hook + ", standby: true}, team: {" + hook + ", match: {host.name: web*}, fallback: spare}}",
		"one that tells of no ends, and one that does": "channels: {email: {" + hook + "}, other: {" + hook + ", min_severity: critical, send_resolved: false}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disks := newMemory()
			b := newBenchOn(t, first, disks, began)
			b.tell(disk("db1"))
			b.pass(time.Second)
			require.Len(t, b.on["mail"].take(), 1)
			b.on["mail"].fail = errors.New("no route to host")
			b.tell(disk("db2"))
			b.pass(time.Second)

			after := newBenchOn(t, "storage: disk\ngroup_wait: 0s\n"+second, disks, b.clock)
			after.pass(time.Second)
			assert.Equal(t, []string{"WARNING disk_full on db2: /data"}, titles(after.on["email"].take()), "what waited; what was told is not told again")
			after.tell(disk("db1").resolved(time.Minute))
			after.pass(time.Second)
			assert.Equal(t, []string{"RESOLVED disk_full on db1: /data"}, titles(after.on["email"].take()))
			for name, r := range after.on {
				assert.Empty(t, r.take(), name)
			}
		})
	}
	t.Run("another knows, and the channel comes back", func(t *testing.T) {
		t.Parallel()
		disks := newMemory()
		const both = "storage: disk\ngroup_wait: 0s\nchannels: {mail: {" + hook + "}, chat: {" + hook + "}}\n"
		b := newBenchOn(t, both, disks, began)
		b.on["mail"].fail = errors.New("no route to host")
		b.tell(disk("db1"))
		b.pass(time.Second)
		require.Len(t, b.on["chat"].take(), 1)
		without := newBenchOn(t, "storage: disk\ngroup_wait: 0s\nchannels: {chat: {"+hook+"}}\n", disks, b.clock)
		without.pass(time.Minute)
		assert.Empty(t, without.on["chat"].take())
		again := newBenchOn(t, both, disks, without.clock)
		again.pass(time.Second)
		assert.Len(t, again.on["mail"].take(), 1)
		assert.Empty(t, again.on["chat"].take())
	})
	t.Run("no channel takes it", func(t *testing.T) {
		t.Parallel()
		disks := newMemory()
		b := newBenchOn(t, first, disks, began)
		b.on["mail"].fail = errors.New("no route to host")
		b.tell(disk("db1"))
		b.pass(time.Second)
		without := newBenchOn(t, "storage: disk\nchannels: {pager: {"+hook+", min_severity: critical}}\n", disks, b.clock)
		without.pass(time.Minute)
		assert.Empty(t, without.on["pager"].take())
		again := newBenchOn(t, first, disks, without.clock)
		again.pass(time.Second)
		assert.Len(t, again.on["mail"].take(), 1)
	})
}

package notifyexporter

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const damagedConfig = "storage: disk\ngroup_wait: 0s\nrepeat_interval: 1h\nchannels: {mail: {" + hook + ", escalate_to: pager, escalate_after: 15m, fallback: pager}, pager: {" +
	"type: pagerduty, routing_key: " + secret + ", standby: true}}\n"

// keptOn is a storage with an alert that was told, one that is to be, and one that is over.
func keptOn(t *testing.T) *memory {
	t.Helper()
	disks := newMemory()
	b := newBenchOn(t, damagedConfig, disks, began)
	b.tell(disk("db1"))
	b.tell(disk("db2"))
	b.pass(time.Second)
	b.tell(disk("db2").resolved(time.Minute))
	b.pass(time.Second)
	b.tell(disk("db3"))
	return disks
}

// useStored starts on a storage, and lets a day pass in large steps. Nothing of it may panic, or go on without an end.
func useStored(t *testing.T, disks *memory) map[string]*recorder {
	t.Helper()
	b := newBenchOn(t, damagedConfig, disks, began.Add(time.Minute))
	b.settleNow()
	b.tell(disk("new1"))
	for range 24 {
		b.clock = b.clock.Add(time.Hour)
		b.settleNow()
		for _, r := range b.on {
			for _, m := range r.sent {
				m.plain()
				m.conversations()
				m.payload()
			}
		}
	}
	b.table.age(b.clock.UnixNano())
	b.save(t.Context())
	return b.on
}

// What is stored may be cut short, have wrong bytes, or be of a version that knows more. The alerts of which it is not so are told, and so is all that comes.
func TestAStorageThatIsDamaged(t *testing.T) {
	t.Parallel()
	whole := keptOn(t)
	keys := slices.Sorted(maps.Keys(whole.values))
	damage := map[string]func(r *rand.Rand, value []byte) []byte{
		"cut short":   func(r *rand.Rand, value []byte) []byte { return value[:r.IntN(len(value)+1)] },
		"a byte":      func(r *rand.Rand, value []byte) []byte { value[r.IntN(len(value))] = byte(r.Uint32()); return value },
		"zeros":       func(r *rand.Rand, value []byte) []byte { clear(value[r.IntN(len(value)):]); return value },
		"two of them": func(_ *rand.Rand, value []byte) []byte { return append(value, value...) },
		"no object": func(r *rand.Rand, _ []byte) []byte {
			return []byte([]string{"null", "[]", "1", `""`, "{}", " "}[r.IntN(6)])
		},
		"another value": func(r *rand.Rand, value []byte) []byte {
			parts := strings.SplitAfter(string(value), ":")
			i := 1 + r.IntN(max(1, len(parts)-1))
			if i < len(parts) {
				end := strings.IndexAny(parts[i], ",}")
				if end >= 0 {
					other := []string{"null", "-1", "9223372036854775807", "1e400", `"x"`, "[]", "{}", "[{}]", "[null]", "true"}[r.IntN(10)]
					parts[i] = other + parts[i][end:]
				}
			}
			return []byte(strings.Join(parts, ""))
		},
	}
	for name, change := range damage {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(8) {
				r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // A test is to be the same each time.
				disks := newMemory()
				for key, value := range whole.values {
					disks.values[key] = slices.Clone(value)
				}
				key := keys[r.IntN(len(keys))]
				if len(disks.values[key]) > 0 {
					disks.values[key] = change(r, disks.values[key])
				}
				on := useStored(t, disks)
				told := strings.Join(titles(on["mail"].sent), "\n")
				require.Contains(t, told, "new1", "seed %d", seed)
				useStored(t, disks) // What it made of it is good.
			}
		})
	}
}

// A field of a newer version is no damage.
func TestAStorageOfANewerVersion(t *testing.T) {
	t.Parallel()
	disks := keptOn(t)
	for key, value := range disks.values {
		var e map[string]any
		if !strings.HasPrefix(key, layout.Values) || json.Unmarshal(value, &e) != nil {
			continue
		}
		e["Later"] = map[string]any{"a": []any{1, 2}}
		disks.values[key], _ = json.Marshal(e)
	}
	on := useStored(t, disks)
	assert.Contains(t, titles(on["mail"].sent), "WARNING disk_full on db3: /data")
}

// Ten thousand alerts of ten thousand groups, on a channel with groups and on one that tells each alert on its own, are a bounded number of messages, and so is
// their end; a channel that is dead meanwhile gets few, too.
func TestTenThousandGroups(t *testing.T) {
	t.Parallel()
	b := newBench(t, "group_by: [host.name, alert.id]\nchannels: {chat: {"+hook+"}, duty: {type: pagerduty, routing_key: "+secret+"}}\n")
	const alerts = 10_000
	ld := disk("host0").logs()
	for i := range alerts - 1 {
		disk(fmt.Sprintf("host%d", i+1)).logs().ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	}
	require.NoError(t, b.ConsumeLogs(t.Context(), ld))
	b.clock = b.clock.Add(time.Minute)
	b.settleNow()
	for name, r := range b.on {
		sent := r.take()
		require.LessOrEqual(t, len(sent), 2, name)
		assert.Less(t, len(sent[0].plain()), 100_000, name)
	}
	end := disk("host0").resolved(time.Minute).logs()
	for i := range alerts - 1 {
		disk(fmt.Sprintf("host%d", i+1)).resolved(time.Minute).logs().ResourceLogs().MoveAndAppendTo(end.ResourceLogs())
	}
	require.NoError(t, b.ConsumeLogs(t.Context(), end))
	b.clock = b.clock.Add(time.Minute)
	b.settleNow()
	for name, r := range b.on {
		assert.LessOrEqual(t, len(r.take()), 2, name)
	}
	b.table.age(b.clock.Add(25 * time.Hour).UnixNano())
	assert.Empty(t, b.table.entries)
}

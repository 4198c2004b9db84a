package alertmanagerexporter

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadata"
)

func TestAReadThatFailsDeletesNothing(t *testing.T) {
	for key, want := range map[string]string{
		listKey(listOf("b")): `reading active alerts from storage "disk": reading the list of alerts ` + listKey(listOf("b")) + `: busy`,
		"alert/b":            `reading active alerts from storage "disk": reading alert b: busy`,
	} {
		t.Run(key, func(t *testing.T) {
			d := newDisk()
			b := newBench(t, nil)
			b.host, b.cfg.Storage = machine{diskID: d}, &diskID
			b.restart()
			b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1},
				say{id: "b", transition: "fire", severity: "critical", started: 10, seq: 1})
			before, opened := maps.Clone(d.data), d.opened

			d.unreadable = map[string]error{key: fmt.Errorf("busy")}
			am, err := newLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), b.cfg, b.now)
			require.NoError(t, err)
			require.EqualError(t, am.Start(t.Context(), b.host), want)
			require.NoError(t, am.Shutdown(t.Context()))
			assert.Equal(t, before, d.data)
			assert.Equal(t, opened, d.opened, "the storage is given back")

			d.unreadable = nil
			b.restart()
			b.at(300)
			b.am.resend(t.Context())
			assert.Equal(t, map[string]string{"a": "warning", "b": "critical"}, b.server.active(), "the next start has them all")
			assert.Equal(t, []string{"a", "b"}, d.alerts(t))
		})
	}
}

func TestWhatMakesRoomIsDeletedFromTheStorage(t *testing.T) {
	d := newDisk()
	b := newBench(t, nil)
	b.host, b.cfg.Storage = machine{diskID: d}, &diskID
	b.restart()
	b.am.table.limit = 2
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1},
		say{id: "b", transition: "fire", severity: "warning", started: 10, seq: 1})
	b.at(20, say{id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 10, seq: 2})
	b.at(20 + 15*60)
	b.am.resend(t.Context())
	d.broken = assert.AnError
	b.at(1000, say{id: "c", transition: "fire", severity: "warning", started: 1000, seq: 1})
	d.broken = nil
	b.at(1060)
	b.am.resend(t.Context())
	assert.Equal(t, []string{"b", "c"}, d.alerts(t), "even if that fails at first")
}

// void is a storage client that keeps nothing.
type void struct{ storage.Client }

func (void) Batch(context.Context, ...*storage.Operation) error { return nil }

// TestToSaveOneAlertIsNoWorkOnTheOthers: a list is made when it changes, and is short.
func TestToSaveOneAlertIsNoWorkOnTheOthers(t *testing.T) {
	const alerts, saves = 10_000, 100
	s, err := openStore(t.Context(), machine{}, component.MustNewID("alertmanager"), nil)
	require.NoError(t, err)
	s.client = void{}
	entries := map[string]*entry{}
	for i := range alerts {
		entries[fmt.Sprintf("a%05d", i)] = &entry{Labels: map[string]string{labelAlertName: "disk"}}
	}
	require.NoError(t, s.save(t.Context(), entries, sortedIDs(entries)))
	allocated := func(save func(int)) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range saves {
			save(i)
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / saves
	}
	assert.Less(t, allocated(func(int) {
		require.NoError(t, s.save(t.Context(), entries, []string{"a00001"}))
	}), uint64(alerts/4), "bytes, of a change")
	assert.Less(t, allocated(func(i int) {
		id := fmt.Sprintf("b%05d", i)
		entries[id] = entries["a00001"]
		require.NoError(t, s.save(t.Context(), entries, []string{id}))
	}), uint64(alerts*4), "bytes, of a new alert; a list of all has more than thirty for each")
}

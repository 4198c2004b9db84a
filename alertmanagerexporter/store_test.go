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
		"alerts":  `reading active alerts from storage "disk": reading the list of alerts: busy`,
		"alert/b": `reading active alerts from storage "disk": reading alert b: busy`,
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
			assert.Equal(t, before["alerts"], d.data["alerts"])
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
	assert.Equal(t, []string{"alert/b", "alert/c", "alerts"}, d.keys(), "even if that fails at first")
	assert.JSONEq(t, `["b","c"]`, string(d.data["alerts"]))
}

// void is a storage client that keeps nothing.
type void struct{ storage.Client }

func (void) Batch(context.Context, ...*storage.Operation) error { return nil }

// TestToSaveOneAlertIsNoWorkOnTheOthers: the list of the alerts is made when it changes, and not for every batch of records.
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
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range saves {
		require.NoError(t, s.save(t.Context(), entries, []string{"a00001"}))
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, (after.TotalAlloc-before.TotalAlloc)/saves, uint64(alerts), "bytes; a list of the alerts has sixteen for each")
}

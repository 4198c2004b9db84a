package alertmanagerexporter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadata"
)

func TestAReadThatFailsDeletesNothing(t *testing.T) {
	for name, keyOf := range map[string]func(*disk) string{
		"a list":   func(d *disk) string { return d.list(t, "b") },
		"an alert": func(*disk) string { return "alert/b" },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk()
			b := newBench(t, nil)
			b.host, b.cfg.Storage = machine{diskID: d}, &diskID
			b.restart()
			b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1},
				say{id: "b", transition: "fire", severity: "critical", started: 10, seq: 1})
			before, opened := maps.Clone(d.data), d.opened

			key := keyOf(d)
			d.unreadable = map[string]error{key: fmt.Errorf("busy")}
			am, err := newLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), b.cfg, b.now)
			require.NoError(t, err)
			require.EqualError(t, am.Start(t.Context(), b.host), `reading active alerts from storage "disk": reading `+key+`: busy`)
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

// TestWhatIsHandedOverReplacesWhatIsStored: a predecessor without storage knew nothing of what was stored, so that has ended for all that is known.
func TestWhatIsHandedOverReplacesWhatIsStored(t *testing.T) {
	for name, tt := range map[string]struct {
		after []say
		want  map[string]string
		kept  []string
	}{
		"another alert":  {[]say{{id: "new", transition: "fire", severity: "warning", started: 300, seq: 1}}, map[string]string{"new": "warning"}, []string{"new"}},
		"the same alert": {[]say{{id: "old", transition: "fire", severity: "critical", started: 300, seq: 1}}, map[string]string{"old": "critical"}, []string{"old"}},
		"nothing":        {nil, map[string]string{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk()
			b := newBench(t, nil)
			b.host, b.cfg.Storage = machine{diskID: d}, &diskID
			b.restart()
			b.at(10, say{id: "old", transition: "fire", severity: "warning", started: 10, seq: 1})
			b.cfg.Storage = nil
			b.restart()
			b.at(300, tt.after...) // What Alertmanager was sent before has expired.

			d.unreadable = map[string]error{"alert/old": assert.AnError}
			b.cfg.Storage = &diskID
			b.reload()
			d.unreadable = nil
			assert.Equal(t, tt.kept, d.alerts(t), "stored at once; alerts that are replaced need not be readable")
			b.restart()
			b.at(2000) // Whatever is not sent any more has expired.
			b.am.resend(t.Context())
			assert.Equal(t, tt.want, b.server.active())
			b.server.requireRight(t)
		})
	}
}

// TestAHandoverToAStorageThatCannotBeWritten: alerts go on, and the write is tried again.
func TestAHandoverToAStorageThatCannotBeWritten(t *testing.T) {
	d := newDisk()
	b := newBench(t, nil)
	b.host = machine{diskID: d}
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1},
		say{id: "b", transition: "fire", severity: "critical", started: 10, seq: 1})
	b.cfg.Storage, d.broken = &diskID, errors.New("no space left on device")
	b.reload()
	b.at(300, say{id: "b", transition: "resolve", severity: "critical", previous: "critical", started: 10, seq: 2})
	b.am.resend(t.Context())
	assert.Equal(t, map[string]string{"a": "warning"}, b.server.active())
	assert.True(t, b.am.unsaved, "it was logged")
	assert.Empty(t, d.data)

	d.broken = nil
	b.am.resend(t.Context())
	assert.False(t, b.am.unsaved)
	b.restart()
	b.at(600)
	b.am.resend(t.Context())
	assert.Equal(t, map[string]string{"a": "warning"}, b.server.active())
}

// TestADamagedListIsMended: it is reported once, and costs its own alerts and no others.
func TestADamagedListIsMended(t *testing.T) {
	const lost, kept = "a", "b"
	d := newDisk()
	b := newBench(t, nil)
	b.host, b.cfg.Storage = machine{diskID: d}, &diskID
	b.restart()
	b.at(10, say{id: lost, transition: "fire", severity: "warning", started: 10, seq: 1},
		say{id: kept, transition: "fire", severity: "critical", started: 10, seq: 1})
	damagedKey := d.list(t, lost)
	require.NotEqual(t, damagedKey, d.list(t, kept))
	d.data[damagedKey] = []byte(`["a`)
	load := func() (map[string]*entry, error) {
		t.Helper()
		s, err := openStore(t.Context(), b.host, b.id, &diskID)
		require.NoError(t, err)
		entries, damaged, err := s.LoadEntries(t.Context(), b.now())
		require.NoError(t, err)
		require.NoError(t, s.SaveEntries(t.Context(), entries, nil))
		return entries, damaged
	}
	entries, damaged := load()
	require.ErrorContains(t, damaged, damagedKey)
	assert.Equal(t, []string{kept}, sortedIDs(entries))
	assert.NotContains(t, d.data, damagedKey)
	entries, damaged = load()
	require.NoError(t, damaged, "the first save has mended it")
	assert.Equal(t, []string{kept}, sortedIDs(entries))

	b.restart()
	b.at(20, say{id: lost, transition: "repeat", severity: "warning", previous: "warning", started: 10, seq: 2})
	assert.Equal(t, []string{lost, kept}, d.alerts(t))
}

// heldElsewhere is a storage extension whose file another process has open.
type heldElsewhere struct{ componentNop }

func (heldElsewhere) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return nil, errors.New("timeout")
}

func TestAStorageInUseSaysWhatToLookFor(t *testing.T) {
	_, err := openStore(t.Context(), machine{diskID: heldElsewhere{}}, component.MustNewID("alertmanager"), &diskID)
	require.EqualError(t, err,
		`opening storage "disk": timeout (another process may hold the file; is a Collector with the same storage directory running?)`)
}

// Older versions stored the severity among the labels, and the labels with each firing.
func TestEntryOfAnOlderVersion(t *testing.T) {
	e, err := decodeEntry([]byte(`{"Position":{"Episode":"a-10","Started":10,"Sequence":2},"Labels":{"alertname":"disk","alert_id":"a"},
		"Active":{"Labels":{"alertname":"disk","alert_id":"a","severity":"critical"},"Annotations":{"summary":"full"},"Starts":20},
		"Ended":[{"Labels":{"alertname":"disk","alert_id":"a","severity":"warning"},"Starts":10,"Ends":20,"EndedAt":20},
			{"Labels":{"alertname":"disk","alert_id":"a","host_name":"db2","severity":"warning"},"Starts":1,"Ends":2,"EndedAt":2}]}`))
	require.NoError(t, err)
	assert.Equal(t, &firing{Severity: "critical", Annotations: map[string]string{"summary": "full"}, Starts: 20}, e.Active)
	assert.Equal(t, []firing{
		{Severity: "warning", Starts: 10, Ends: 20, EndedAt: 20},
		{Severity: "warning", Labels: map[string]string{"alertname": "disk", "alert_id": "a", "host_name": "db2"}, Starts: 1, Ends: 2, EndedAt: 2},
	}, e.Ended)
	assert.Equal(t, map[string]string{"alertname": "disk", "alert_id": "a", "severity": "critical"}, e.labelsOf(e.Active))
}

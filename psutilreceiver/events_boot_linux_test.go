package psutilreceiver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// disk is a host with a storage that keeps what was written to it.
type disk struct {
	component.StartFunc
	component.ShutdownFunc
	storage.Client
	mu     sync.Mutex
	values map[string][]byte
	open   int
}

func (d *disk) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("disk"): d}
}

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open++
	return d, nil
}

func (d *disk) Get(_ context.Context, key string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.values[key], nil
}

func (d *disk) Set(_ context.Context, key string, value []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[key] = value
	return nil
}

func (d *disk) Close(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	return nil
}

// clients returns how many are open.
func (d *disk) clients() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// value returns what is stored.
func (d *disk) value(key string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(d.values[key])
}

// bootsTold runs a receiver on a host that has been up for so long and has that ID of its boot, until it has looked, and returns how many boots it has
// told of and counted.
func bootsTold(t *testing.T, d *disk, id, uptime string, logs bool) (told int, counted int64) {
	t.Helper()
	h := &eventsHost{root: t.TempDir(), logs: &consumertest.LogsSink{}, metrics: &consumertest.MetricsSink{}}
	require.NoError(t, os.CopyFS(h.root, os.DirFS(fixtureRoot("server-6.x"))))
	for name, text := range map[string]string{"proc/uptime": uptime + " 1.00\n", "proc/sys/kernel/random/boot_id": id + "\n"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(h.root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(h.root, name), []byte(text), 0o600))
	}
	cfg := createDefaultConfig().(*Config)
	onlyScrapers("load")(cfg)
	cfg.RootPath, cfg.CollectionInterval, cfg.InitialDelay, cfg.Events.Kinds = h.root, 20*time.Millisecond, 0, []string{"system.boot"}
	if d != nil {
		storageID := component.MustNewID("disk")
		cfg.Events.Storage = &storageID
	}
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(metadata.Type)
	host := componenttest.NewNopHost()
	if d != nil {
		host = d
	}
	metrics, err := NewFactory().CreateMetrics(t.Context(), set, cfg, h.metrics)
	require.NoError(t, err)
	running := []component.Component{metrics}
	if logs {
		r, err := NewFactory().CreateLogs(t.Context(), set, cfg, h.logs)
		require.NoError(t, err)
		running = append(running, r) // It starts after the first look.
	}
	require.NoError(t, metrics.Start(t.Context(), host))
	until(t, "a look", func() bool { return len(cfg.events.found) > 0 })
	for _, r := range running[1:] {
		require.NoError(t, r.Start(t.Context(), host))
	}
	until(t, "metrics of after it", func() bool { return len(h.metrics.AllMetrics()) > 2 })
	for _, r := range running {
		require.NoError(t, r.Shutdown(context.Background()))
	}
	return len(h.named("system.boot")), h.counted("system.boot")
}

var bootsPlayed atomic.Int64

// uptimeOfAnotherBoot is an uptime in /proc/uptime with which the boot was recent, and later than those of all calls before by two seconds at least:
// without an answer of the storage a boot is told of once in this process.
func uptimeOfAnotherBoot(t *testing.T) string {
	t.Helper()
	uptime := 590 - 2*bootsPlayed.Add(1)
	require.Positive(t, uptime, "there are no more")
	return fmt.Sprintf("%d.00", uptime)
}

// TestABootIsToldOnce holds that a boot is told of once however often the Collector is started, where a storage is configured, and that one is told of
// during which the Collector did not run.
func TestABootIsToldOnce(t *testing.T) {
	for _, logs := range []bool{true, false} {
		d := &disk{values: map[string][]byte{}}
		uptime := uptimeOfAnotherBoot(t)
		for i, row := range []struct {
			id, uptime string
			want       int64
		}{
			{"a", uptime, 1},
			{"a", uptime, 0},
			{"a", "400.00", 0}, // The clock was set.
			{"b", "90000.00", 1},
			{"b", "90000.00", 0},
			{"c", "11.00", 1},
		} {
			told, counted := bootsTold(t, d, row.id, row.uptime, logs)
			assert.Equal(t, row.want, counted, "%d: %+v", i, row)
			if logs {
				assert.Equal(t, row.want, int64(told), "%d: %+v", i, row)
			}
			assert.Equal(t, row.id, d.value("boot"))
			assert.Zero(t, d.clients(), "it is closed")
		}
	}
	d := &disk{values: map[string][]byte{}}
	_, counted := bootsTold(t, d, "z", "90000.00", false)
	assert.Zero(t, counted, "nobody knows what was before")
	assert.Equal(t, "z", d.value("boot"))
}

// TestAStorageThatIsMissing holds that the error says what to change.
func TestAStorageThatIsMissing(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	id := component.MustNewID("nowhere")
	cfg.Events.Kinds, cfg.Events.Storage = []string{"system.boot"}, &id
	r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), `storage "nowhere" not found among extensions`)
	require.NoError(t, r.Shutdown(t.Context()))
}

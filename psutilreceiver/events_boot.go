package psutilreceiver

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/events"
)

// bootMemory keeps in a storage which boot of the host was told of last. A nil one keeps nothing.
type bootMemory struct {
	client storage.Client
	logger *zap.Logger

	mu   sync.Mutex
	told string // "" before there was one
	now  string // "" before the host was looked at
}

const (
	// storedEvents and storedBoot are the name of the storage, and its key of the boot. They are part of the stored form.
	storedEvents = "events"
	storedBoot   = "boot"
	// storageTimeout bounds a write.
	storageTimeout = 5 * time.Second
)

// openBootMemory opens the storage if there is one, and if boots are told of. A damaged one is not used, which is logged.
func openBootMemory(ctx context.Context, cfg *Config, set *receiver.Settings, h component.Host) (*bootMemory, error) {
	if cfg.Events.Storage == nil || !slices.Contains(cfg.Events.kinds(), events.Booted) {
		return nil, nil
	}
	client, err := statestore.OpenStorage(ctx, h, *cfg.Events.Storage, statestore.Owner{Kind: component.KindReceiver, ID: set.ID}, storedEvents)
	switch {
	case statestore.IsDamaged(err):
		set.Logger.Error("Which boot was told of is not stored: a restart within ten minutes of a boot tells of it again", zap.Error(err))
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("events::storage: %w", err)
	}
	m := &bootMemory{client: client, logger: set.Logger}
	told, err := client.Get(ctx, storedBoot)
	if err != nil {
		return nil, fmt.Errorf("events::storage: reading from %q: %w", cfg.Events.Storage, err)
	}
	m.told = string(told)
	return m, nil
}

// isNew is as events.Options wants it.
func (m *bootMemory) isNew(b events.Boot) (isNew, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = b.ID
	return m.told != b.ID, m.told != ""
}

// keep stores that the boot was told of that the host is in.
func (m *bootMemory) keep() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now == "" || m.now == m.told {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), storageTimeout)
	defer cancel()
	if err := m.client.Set(ctx, storedBoot, []byte(m.now)); err != nil {
		m.logger.Warn("Which boot was told of could not be stored: a restart tells of it again", zap.Error(err))
	}
	m.told = m.now // A storage that fails is told of once.
}

func (m *bootMemory) close() error {
	if m == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), storageTimeout)
	defer cancel()
	return m.client.Close(ctx)
}

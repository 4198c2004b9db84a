package filestorageextension

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/filestorageextension/internal/boltfile"
)

// guard checks each file before the extension opens it, and looks after it while it is open.
type guard struct {
	storage.Extension
	id     component.ID
	cfg    *filestorage.Config
	logger *zap.Logger
	now    func() time.Time

	stop    context.CancelFunc
	stopped chan struct{}

	mu      sync.Mutex
	clients map[*guardedClient]struct{} // Those that are open.
}

// watchInterval is how often files are looked at that nobody works with.
const watchInterval = 500 * time.Millisecond

// Start starts the extension, and begins to look at files.
func (g *guard) Start(ctx context.Context, host component.Host) error {
	if err := g.Extension.Start(ctx, host); err != nil {
		return err
	}
	watching, stop := context.WithCancel(context.Background())
	g.stop, g.stopped = stop, make(chan struct{})
	go g.watch(watching)
	return nil
}

// Shutdown stops it. Components have closed their files before.
func (g *guard) Shutdown(ctx context.Context) error {
	g.stopWatch()
	return g.Extension.Shutdown(ctx)
}

// stopWatch ends the looking at files that nobody works with. It returns when nothing looks any more.
func (g *guard) stopWatch() {
	if g.stop != nil {
		g.stop()
		<-g.stopped
		g.stop = nil
	}
}

func (g *guard) watch(ctx context.Context) {
	defer close(g.stopped)
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			g.mu.Lock()
			open := slices.Collect(maps.Keys(g.clients))
			g.mu.Unlock()
			for _, c := range open {
				c.watch(ctx)
			}
		}
	}
}

// forget ends the looking at a file.
func (g *guard) forget(c *guardedClient) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.clients, c)
}

// damagedFile is the error of a file that can't be used.
type damagedFile struct {
	path string
	id   component.ID
	err  error
}

func (e *damagedFile) Error() string {
	return fmt.Sprintf("the file %s can't be used, it is %v: move it away, or set recreate: true of the extension %q to have that done at the start; "+
		"what it held is lost either way", e.path, e.err, e.id)
}

func (e *damagedFile) Unwrap() error { return e.err }

// Damaged tells components that keep only their state here that they may go on without.
func (e *damagedFile) Damaged() bool { return true }

// GetClient opens the file of a component, after a look at it.
func (g *guard) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	c := newClient(g, kind, id, name)
	for _, path := range c.paths {
		if err := g.check(path); err != nil {
			return nil, err
		}
	}
	c.aside.remove()
	var err error
	if c.inner, err = c.open(ctx); err != nil {
		return nil, err
	}
	c.remember()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clients[c] = struct{}{}
	return c, nil
}

// check looks at one file, and moves it away if it is damaged and that is asked for.
func (g *guard) check(path string) error {
	err := boltfile.Check(path)
	switch {
	case err == nil:
		if info, err := os.Stat(path); err == nil && info.Size() == 0 {
			g.logger.Warn("A file of the storage is empty, as a crash or a full disk leaves one: it is begun again, and what it held is lost", zap.String("file", path))
		}
		return nil
	case !errors.Is(err, boltfile.ErrDamaged):
		g.logger.Debug("A file could not be looked at before it is opened", zap.String("file", path), zap.Error(err))
		return nil // To open it says what is wrong.
	case !g.cfg.Recreate:
		return &damagedFile{path: path, id: g.id, err: err}
	}
	backup := backupName(path)
	if renaming := os.Rename(path, backup); renaming != nil {
		return &damagedFile{path: path, id: g.id, err: errors.Join(err, renaming)}
	}
	g.logger.Error("A file of the storage was damaged and is moved away: what it held is lost, and a new one is begun",
		zap.String("file", path), zap.String("backup", backup), zap.Error(err))
	return nil
}

// backupName is where a file is moved that can't be used.
func backupName(path string) string {
	return path + "." + time.Now().UTC().Format("20060102T150405.000Z") + ".backup"
}

// kinds are the names that the extension has for kinds of components.
var kinds = map[component.Kind]string{
	component.KindReceiver: "receiver", component.KindProcessor: "processor", component.KindExporter: "exporter",
	component.KindExtension: "extension", component.KindConnector: "connector",
}

// paths are where the extension may have put the file of a component: under its name, or, where that is too long for a file, under a hash.
func (g *guard) paths(kind component.Kind, id component.ID, name string) []string {
	owner := kinds[kind]
	if owner == "" {
		owner = "other"
	}
	parts := []string{owner, id.Type().String(), id.Name()}
	if name != "" {
		parts = append(parts, name)
	}
	file := escaped(strings.Join(parts, "_"))
	sum := sha256.Sum256([]byte(file))
	return []string{filepath.Join(g.cfg.Directory, file), filepath.Join(g.cfg.Directory, hex.EncodeToString(sum[:]))}
}

// escaped writes what is not safe in the name of a file as a tilde and its number.
func escaped(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "~%04X", r)
		}
	}
	return b.String()
}

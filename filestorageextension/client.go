package filestorageextension

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/filestorageextension/internal/boltfile"
)

// guardedClient is the storage of one component. It looks whether its file is still there, and as long as it was: bbolt maps files into memory, and to read
// where one has been cut short ends the process.
type guardedClient struct {
	guard *guard
	open  func(context.Context) (storage.Client, error) // Opens the file again.
	paths []string                                      // Where it may be.
	aside aside                                         // Where a file is written that takes the place of one that was deleted.

	mu     sync.Mutex // Held while the client works, as bbolt does one thing at a time.
	inner  storage.Client
	path   string      // Empty where none of the paths was a file when it was opened.
	file   os.FileInfo // Of the file that is open, when it was last looked at.
	absent time.Time   // Since when another file, or none, has been at the path; zero: that which is open is there.
	said   bool        // That it is not stored any more was logged.
	broken error       // Why nothing can be done with the file.
	closed bool
	// recreations is how often the file was created again.
	recreations int
	// hanging is how many files could not be closed that are of no use any more.
	hanging int
	// A deleted file is not written again before retry. The pause after a failure is twice the one before.
	retry time.Time
	pause time.Duration
}

// Recreations tells how often the file lost what it held and was created again: whoever keeps state there writes all of it again.
func (c *guardedClient) Recreations() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recreations
}

var errClosed = errors.New("storage is closed")

// newClient returns the guard of a file that is not open yet: inner is missing, and what remember notes.
func newClient(g *guard, kind component.Kind, id component.ID, name string) *guardedClient {
	beside := name + besideSuffix
	return &guardedClient{
		guard: g, open: openedBy(g.Extension, kind, id, name), paths: g.paths(kind, id, name),
		aside: aside{open: openedBy(g.Extension, kind, id, beside), paths: g.paths(kind, id, beside)},
	}
}

// remember notes which file is open. The caller holds mu, or is alone.
func (c *guardedClient) remember() {
	c.path, c.file = "", nil
	for _, path := range c.paths {
		if info, err := os.Stat(path); err == nil {
			c.path, c.file = path, info
			return
		}
	}
}

// Get returns the value of a key, nil when there is none.
func (c *guardedClient) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

// Set stores a value.
func (c *guardedClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

// Delete deletes the value of a key.
func (c *guardedClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Batch does several things at once.
func (c *guardedClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	return c.do(ctx, func(inner storage.Client) error { return inner.Batch(ctx, ops...) })
}

// Walk visits all keys.
func (c *guardedClient) Walk(ctx context.Context, visit storage.WalkFunc) error {
	return c.do(ctx, func(inner storage.Client) error {
		walker, ok := inner.(storage.Walker)
		if !ok {
			return errors.New("this storage can't be walked")
		}
		return walker.Walk(ctx, visit)
	})
}

// Close closes the file.
func (c *guardedClient) Close(ctx context.Context) error {
	c.guard.forget(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	if c.broken != nil {
		return nil
	}
	c.look(ctx)
	if c.broken != nil {
		return nil
	}
	return c.inner.Close(ctx)
}

// do works with the file, if that is as it was. A second try follows where a new file was begun.
func (c *guardedClient) do(ctx context.Context, work func(storage.Client) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.look(ctx)
	if c.broken != nil {
		return c.broken
	}
	faulted, err := guarded(func() error { return work(c.inner) })
	if faulted {
		c.cutShort(ctx)
		if c.broken != nil {
			return c.broken
		}
		_, err = guarded(func() error { return work(c.inner) })
	}
	return err
}

// fault is what the runtime panics with when memory can't be read: where a mapped file ends before its mapping, or a disk fails. A nil pointer is none.
type fault interface {
	runtime.Error
	Addr() uintptr
}

// guarded runs what reads a mapped file, and tells whether it met the end of a file that has been cut short. Any other panic is a bug, and goes on.
// It catches what this goroutine meets. A change that bbolt takes back may read in a goroutine of bbolt's: to meet the end there ends the process, which is
// why files are looked at before.
func guarded(work func() error) (faulted bool, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		f, ok := r.(fault)
		if !ok {
			panic(r)
		}
		faulted, err = true, f
	}()
	return false, work()
}

// absentLimit is how long a file may be absent, as it is while another is put in its place.
const absentLimit = time.Second

// look compares the file with what it was. The caller holds mu.
func (c *guardedClient) look(ctx context.Context) {
	if c.broken != nil || c.path == "" {
		return
	}
	now, err := os.Stat(c.path)
	switch {
	case err == nil && os.SameFile(now, c.file):
		if now.Size() < c.file.Size() && boltfile.CutShort(c.path) { // It is shorter after a compaction in place, too.
			c.cutShort(ctx)
			return
		}
		c.file, c.absent = now, time.Time{}
	case err == nil && boltfile.Held(c.path):
		c.file, c.absent = now, time.Time{} // The extension has put a compacted file in its place.
	case err != nil && !errors.Is(err, os.ErrNotExist):
		// Whether it is there can't be known.
	case c.absent.IsZero():
		c.absent = c.guard.now()
	case c.guard.now().Sub(c.absent) < absentLimit:
		// A compaction may be about to put it there.
	case err == nil:
		c.sayGone("A file of the storage was replaced while it was in use. What is stored goes to the old one, which has no name any more: restart the "+
			"Collector to work with the new one", nil)
	default:
		c.restore(ctx)
	}
}

// cutShort deals with a file that is shorter than it was: what it held is lost. A fresh one is begun where that is asked for. Nothing is read of the
// old one, which is closed.
func (c *guardedClient) cutShort(ctx context.Context) {
	c.letGo(ctx)
	c.broken = &damagedFile{path: c.path, id: c.guard.id, err: fmt.Errorf("%w: it was cut short while it was in use", boltfile.ErrDamaged)}
	if !c.guard.cfg.Recreate {
		c.guard.logger.Error("A file of the storage was cut short while it was in use: nothing is stored until the Collector is started again without it",
			zap.String("file", c.path), zap.Error(c.broken))
		return
	}
	backup := backupName(c.path)
	var err error
	if c.hanging > hangingLimit {
		err = fmt.Errorf("%d files before it are still open, for they could not be closed", c.hanging)
	} else {
		err = os.Rename(c.path, backup)
	}
	if err == nil {
		c.inner, err = c.open(ctx)
	}
	if err != nil {
		c.broken = errors.Join(c.broken, err)
		c.guard.logger.Error("A file of the storage was cut short while it was in use, and no new one can be begun", zap.String("file", c.path), zap.Error(err))
		return
	}
	c.broken = nil
	c.recreations++
	c.remember()
	c.guard.logger.Error("A file of the storage was cut short while it was in use and is moved away: what it held is lost, and a new one is begun",
		zap.String("file", c.path), zap.String("backup", backup))
}

// sayGone says once that what is stored does not outlive the process.
func (c *guardedClient) sayGone(message string, err error) {
	if !c.said {
		c.said = true
		c.guard.logger.Error(message, zap.String("file", c.path), zap.Error(err))
	}
}

// watch looks at the file while nothing else does.
func (c *guardedClient) watch(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.look(ctx)
	}
}

var _ storage.Walker = (*guardedClient)(nil)

// openedBy opens a component's part of an extension.
func openedBy(ext storage.Extension, kind component.Kind, id component.ID, name string) func(context.Context) (storage.Client, error) {
	return func(ctx context.Context) (storage.Client, error) { return ext.GetClient(ctx, kind, id, name) }
}

package filestorageextension

import (
	"context"
	"errors"
	"os"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// aside is a file beside that of a component, which nobody reads: only a whole one gets the name of the other.
type aside struct {
	open  func(context.Context) (storage.Client, error)
	paths []string // Where it may be.
}

// besideSuffix is what the name of a component's storage has more where a file is written beside it.
const besideSuffix = "~restored"

// remove removes what an interrupted writing has left.
func (a *aside) remove() {
	for _, path := range a.paths {
		_ = os.Remove(path)
	}
}

// write writes all that a storage holds, and returns the path of the file. Nothing is left of one that could not be finished.
func (a *aside) write(ctx context.Context, from storage.Client) (path string, err error) {
	a.remove()
	defer func() {
		if err != nil {
			a.remove()
		}
	}()
	to, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	if err = errors.Join(copyAll(ctx, from, to), to.Close(ctx)); err != nil {
		return "", err
	}
	for _, path := range a.paths {
		if err = syncFile(path); !errors.Is(err, os.ErrNotExist) {
			return path, err
		}
	}
	return "", err
}

// syncFile writes a file to the disk: after its new name it must not be empty if the machine ends.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// The pause after a deleted file could not be written again: the first, and the longest.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Minute
)

// restore writes a file that was deleted again, from the one that is still open.
func (c *guardedClient) restore(ctx context.Context) {
	if c.guard.now().Before(c.retry) {
		return
	}
	fresh, err := c.writeAgain(ctx)
	if err != nil {
		c.pause = min(max(2*c.pause, firstPause), longestPause)
		c.retry = c.guard.now().Add(c.pause)
		c.sayGone("A file of the storage was deleted while it was in use and can't be written again: a restart forgets what is stored. It is tried "+
			"again from time to time", err)
		return
	}
	c.letGo(ctx)
	c.inner, c.absent, c.said, c.retry, c.pause = fresh, time.Time{}, false, time.Time{}, 0
	c.remember()
	c.guard.logger.Warn("A file of the storage was deleted while it was in use, and is written again: nothing is lost", zap.String("file", c.path))
}

// writeAgain puts a whole file in the place of the one that was deleted, and opens it.
func (c *guardedClient) writeAgain(ctx context.Context) (storage.Client, error) {
	whole, err := c.aside.write(ctx, c.inner)
	if err != nil {
		return nil, err
	}
	if err := os.Rename(whole, c.path); err != nil {
		c.aside.remove()
		return nil, err
	}
	fresh, err := c.open(ctx)
	if err != nil {
		// What is stored from now on would not be in it.
		return nil, errors.Join(err, os.Remove(c.path))
	}
	return fresh, nil
}

// copied is how many bytes of values are written at once into a file that takes the place of one that was deleted.
const copied = 4 << 20

func copyAll(ctx context.Context, from, to storage.Client) error {
	walker, ok := from.(storage.Walker)
	if !ok {
		return errors.New("this storage can't be walked")
	}
	var ops []*storage.Operation
	size := 0
	flush := func() error {
		err := to.Batch(ctx, ops...)
		ops, size = nil, 0
		return err
	}
	_, err := guarded(func() error {
		return walker.Walk(ctx, func(key string, value []byte) ([]*storage.Operation, error) {
			ops = append(ops, storage.SetOperation(key, append([]byte(nil), value...)))
			if size += len(value); size < copied {
				return nil, nil
			}
			return nil, flush()
		})
	})
	if err != nil {
		return err
	}
	return flush()
}

const (
	// closeLimit is how long a file that is of no use any more may take to close.
	closeLimit = time.Second
	// hangingLimit is how many files of one component may stay open because they can't be closed.
	hangingLimit = 3
)

// letGo closes a file that is of no use any more. Work that met the end of the file may have left a lock of bbolt's, so that closing never ends: it is not
// waited for. Such a file stays open with its mapping; they are counted, for a new one is begun only so often.
func (c *guardedClient) letGo(ctx context.Context) {
	done := make(chan struct{})
	inner := c.inner
	go func() {
		defer close(done)
		// After a fault bbolt's memory need not be consistent. To fail here may not end the process.
		defer func() { _ = recover() }()
		_, _ = guarded(func() error { return inner.Close(ctx) })
	}()
	limit := time.NewTimer(closeLimit)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		c.hanging++
	}
}

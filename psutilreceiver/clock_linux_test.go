package psutilreceiver

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// steppedClock stands still until it is stepped.
type steppedClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *steppedClock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *steppedClock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// overlay writes the files of later over those below root.
func overlay(root string, later fs.FS) error {
	return fs.WalkDir(later, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(later, path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(root, path), text, 0o600)
	})
}

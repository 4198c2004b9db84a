package hostpageexporter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// historyFile is where the history of the page outlives a restart, empty if nowhere.
func (p *page) historyFile() string {
	if p.cfg.History.Directory == "" {
		return ""
	}
	name := strings.NewReplacer("/", "_", string(filepath.Separator), "_").Replace(p.owner.ID.String())
	return filepath.Join(p.cfg.History.Directory, name+".history")
}

// loadHistory reads the history that was saved, nil if there is none. One that can't be read is moved aside.
func (p *page) loadHistory(cfg history.Config) (*history.Store, error) {
	file := p.historyFile()
	if file == "" {
		return nil, nil //nolint:nilnil // Nothing was saved, which is no error.
	}
	if err := os.MkdirAll(p.cfg.History.Directory, 0o700); err != nil {
		return nil, fmt.Errorf("history::directory: %w", err)
	}
	store, err := history.Load(file, cfg, p.now())
	switch {
	case err == nil:
		return store, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil //nolint:nilnil // as said
	}
	aside := file + ".unreadable"
	p.logger.Warn("The saved history can't be read and begins again", zap.Error(err), zap.String("moved to", aside))
	if err := os.Rename(file, aside); err != nil {
		return nil, fmt.Errorf("history::directory: %w", err)
	}
	return nil, nil //nolint:nilnil // as said
}

// saving is how the newest save went.
type saving struct {
	mu     sync.Mutex
	failed error
	last   time.Time
}

// saveHistory writes the history to its file. That it fails is said once, until it works again.
func (p *page) saveHistory(store *history.Store) {
	file := p.historyFile()
	if file == "" || store == nil {
		return
	}
	now := p.now()
	err := store.Save(file, now)
	p.saving.mu.Lock()
	defer p.saving.mu.Unlock()
	switch {
	case err != nil && p.saving.failed == nil:
		p.logger.Warn("The history can't be saved: a restart forgets it", zap.Error(err))
	case err == nil && p.saving.failed != nil:
		p.logger.Info("The history is saved again")
	}
	if p.saving.failed = err; err == nil {
		p.saving.last = now
	}
}

// keepSaving saves the history every so often, so that what ends the agent by force costs no more.
func (p *page) keepSaving(closing chan struct{}) {
	if p.historyFile() == "" {
		return
	}
	ticker := time.NewTicker(p.cfg.History.SaveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.saveHistory(p.store.Load())
		case <-closing:
			return
		}
	}
}

// checkSaving tells in /health whether the history would outlive a restart.
func (p *page) checkSaving() (healthCheck, bool) {
	if p.historyFile() == "" {
		return healthCheck{}, false
	}
	p.saving.mu.Lock()
	defer p.saving.mu.Unlock()
	c := healthCheck{Name: "saved history", Status: statusOK, Message: "not saved yet"}
	if !p.saving.last.IsZero() {
		c.Message = "saved at " + p.saving.last.UTC().Format(time.RFC3339)
	}
	if p.saving.failed != nil {
		c.Status, c.Message = statusDegraded, p.saving.failed.Error()
	}
	return c, true
}

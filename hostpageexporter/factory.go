package hostpageexporter

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// NewFactory returns the factory of the host page exporter.
func NewFactory() exporter.Factory { return newFactory(time.Now).exporterFactory() }

// handoff is where a page leaves its history for its successor, when the configuration is loaded again.
var handoff statestore.Handoff[*history.Store]

// factory makes the nodes of one Collector configuration. All nodes of one ID get the same configuration object and share a page.
type factory struct {
	now func() time.Time

	mu    sync.Mutex
	pages map[*Config]*page
}

func newFactory(now func() time.Time) *factory {
	return &factory{now: now, pages: map[*Config]*page{}}
}

func (f *factory) exporterFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithMetrics(f.createMetrics, metadata.MetricsStability), exporter.WithLogs(f.createLogs, metadata.LogsStability))
}

func (f *factory) createMetrics(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	p, err := f.page(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return &metricsNode{node: node{page: p}}, nil
}

func (f *factory) createLogs(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	p, err := f.page(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	return &logsNode{node: node{page: p}}, nil
}

// page returns the page of a configuration. Nothing of it runs yet: a configuration that is only checked never starts it.
func (f *factory) page(set exporter.Settings, cfg *Config) (*page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.pages[cfg]; p != nil {
		return p, nil
	}
	p, err := newPage(set, cfg, f.now)
	if err != nil {
		return nil, err
	}
	p.gone = func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.pages, cfg)
	}
	f.pages[cfg] = p
	return p, nil
}

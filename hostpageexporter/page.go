package hostpageexporter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertcontext"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// page is what the nodes of one ID share: a history, and the server that shows it.
type page struct {
	cfg       *Config
	owner     statestore.Owner
	set       component.TelemetrySettings
	build     component.BuildInfo
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	now       func() time.Time
	began     time.Time // when it was started: what it has from before is no older than that to /health
	gone      func()
	// describesNoMore ends that alerts are described to those who tell people of them.
	describesNoMore func()

	mu      sync.Mutex // Of starting and stopping.
	nodes   int        // How many run.
	server  *http.Server
	address net.Addr
	closing chan struct{} // Closed when event streams are to end.
	done    chan struct{} // Closed when the server has ended.

	saving    saving
	collector collector

	frame *snapshotFrame
	store atomic.Pointer[history.Store]
	hub   hub
	busy  chan struct{} // Holds a token for each answer that is being made.
	acts  chan struct{} // Holds a token for each action, which may wait for a storage.
	fired chan string   // Episodes whose moment is to be kept.
}

func newPage(set exporter.Settings, cfg *Config, now func() time.Time) (*page, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &page{
		cfg: cfg, owner: statestore.Owner{Kind: component.KindExporter, ID: set.ID}, set: set.TelemetrySettings, build: set.BuildInfo,
		logger: set.Logger, telemetry: telemetry, now: now, busy: make(chan struct{}, maxAnswers), acts: make(chan struct{}, maxActions), hub: hub{limit: cfg.Viewers},
		fired: make(chan string, maxWaitingAlerts),
	}, nil
}

// node is the exporter of one signal.
type node struct {
	page    *page
	mu      sync.Mutex
	running bool
}

// Start starts the page with the first of its nodes.
func (n *node) Start(ctx context.Context, host component.Host) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running {
		return nil
	}
	if err := n.page.start(ctx, host); err != nil {
		return err
	}
	n.running = true
	return nil
}

// Shutdown stops the page with the last of its nodes.
func (n *node) Shutdown(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running {
		n.page.gone()
		return nil
	}
	n.running = false
	return n.page.stop(ctx)
}

// Capabilities says that the data stays as it is.
func (*node) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: false} }

func (p *page) start(ctx context.Context, host component.Host) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nodes > 0 {
		p.nodes++
		return nil
	}
	store, err := p.inherit()
	if err != nil {
		return err
	}
	p.began = p.now()
	p.store.Store(store)
	if err := p.serve(ctx, host); err != nil {
		p.store.Store(nil)
		handoff.Put(p.owner, store, p.now()) // The next configuration may be better.
		return fmt.Errorf("serving the page: %w", err)
	}
	p.nodes = 1
	p.describesNoMore = alertcontext.Offer(p)
	return nil
}

// inherit returns the history of the predecessor, or the saved one, or a new one.
func (p *page) inherit() (*history.Store, error) {
	cfg := p.cfg.store()
	if store, ok := handoff.Take(p.owner, p.now()); ok {
		if store.Fits(cfg) {
			store.Reconfigure(cfg)
			return store, nil
		}
		store.Close()
		p.logger.Info("The history begins again: its tiers are others than before")
	}
	if store, err := p.loadHistory(cfg); store != nil || err != nil {
		return store, err
	}
	return history.New(cfg, p.now()), nil
}

// serve begins to listen.
func (p *page) serve(ctx context.Context, host component.Host) error {
	files, err := pageFiles()
	if err != nil {
		return err
	}
	if p.frame, err = newSnapshotFrame(web.Files()); err != nil {
		return err
	}
	if err = p.startCollector(ctx, host); err != nil {
		return err
	}
	p.closing, p.done = make(chan struct{}), make(chan struct{})
	p.hub.open()
	server, err := p.cfg.ServerConfig.ToServer(ctx, host.GetExtensions(), p.set, p.routes(files))
	if err != nil {
		return err
	}
	server.Handler = newGuard(p.cfg, server.Handler, p.refused)
	if err = removeLeftSocket(ctx, &p.cfg.ServerConfig.NetAddr); err != nil {
		return err
	}
	listener, err := p.cfg.ServerConfig.ToListener(ctx)
	if err != nil {
		return err
	}
	p.server, p.address = server, listener.Addr()
	p.logger.Info("The page is served", zap.String("address", p.url()))
	go p.keepMoments(p.closing)
	if p.collector.client != nil {
		go p.keepFollowing(p.closing)
	}
	go p.keepSaving(p.closing)
	go func() {
		defer close(p.done)
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	}()
	return nil
}

// settle is how long after a fire its moment is looked at: what came with it must have come.
const settle = 3 * time.Second

// keepMoments keeps what moved at the fires of alerts, one after the other, so that a push need not wait for that.
func (p *page) keepMoments(closing chan struct{}) {
	for {
		select {
		case episode := <-p.fired:
			select {
			case <-time.After(settle):
			case <-closing:
				return
			}
			if store := p.store.Load(); store != nil {
				store.Keep(episode)
			}
		case <-closing:
			return
		}
	}
}

// url is where the page is.
func (p *page) url() string {
	scheme := "http"
	if p.cfg.ServerConfig.TLS.HasValue() {
		scheme = "https"
	}
	if p.address.Network() == "unix" {
		return "unix:" + p.address.String()
	}
	host, port := p.address.String(), ""
	if h, at, err := net.SplitHostPort(host); err == nil {
		host, port = h, at
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// shutdownGrace is how long answers that are being written may take when the page stops.
const shutdownGrace = 500 * time.Millisecond

func (p *page) stop(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.nodes--; p.nodes > 0 {
		return nil
	}
	p.describesNoMore()
	p.hub.close()
	close(p.closing)
	ctx, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	if p.server.Shutdown(ctx) != nil {
		_ = p.server.Close() // Who has not read its answer by now does not get it.
	}
	<-p.done
	store := p.store.Swap(nil)
	p.saveHistory(store)
	handoff.Put(p.owner, store, p.now())
	p.telemetry.Shutdown()
	p.gone()
	return nil
}

// reason is an attribute of the telemetry.
func reason(name string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("reason", name))
}

func (p *page) refused(ctx context.Context, why string) {
	p.telemetry.HostPageRequestsRefused.Add(ctx, 1, reason(why))
}

package alertpipe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertaction"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// Settings is what a Pipe needs to know about the component that it works for.
type Settings struct {
	ID   component.ID
	Kind component.Kind
	// Logger is the component's.
	Logger *zap.Logger
	// Instruments take the component's account of itself.
	Instruments Instruments
	// Now is the wall clock.
	Now func() time.Time
	// Gone, when set, is called once the last node was shut down.
	Gone func()
}

func (s *Settings) owner() statestore.Owner { return statestore.Owner{Kind: s.Kind, ID: s.ID} }

// Pipe runs one engine between inputs and sinks. New starts nothing; the first node to start does.
type Pipe struct {
	set     Settings
	cfg     *Config
	rules   *rules.Set
	account *account // Guarded by mu where it reports totals.

	// What a test may shorten.
	timeouts timeouts

	// life guards what nodes do as they start and stop.
	life    sync.Mutex
	nodes   int
	sinks   []*Sink
	states  []*StateSink
	inputs  int
	running int
	left    int
	opened  bool
	closed  bool
	frozen  sync.Once
	store   *statestore.Store
	loop    *loop
	// withdraw ends that people's actions are taken.
	withdraw func()
	// saidWithheld tells that it was said that nobody hears of the end of alerts.
	saidWithheld bool
	// notStored tells that the storage is damaged, so that the state is in memory only.
	notStored bool

	// mu guards the engine and everything below. It is held for computing only, never over a call that may wait.
	mu        sync.Mutex
	engine    *alert.Engine // Nil before the first start and after the last shutdown.
	still     bool          // Frozen: the state changes no more, but for deliveries.
	feeder    feeder
	delivered map[uint64]int // How many sinks have delivered an event that others still have to.
}

// timeouts is how long things may take.
type timeouts struct {
	firstRetry, maxRetry time.Duration // Between attempts to deliver a batch.
	drain                time.Duration // For the last deliveries of a sink that stops.
	write                time.Duration // For one write to storage.
	stuck                time.Duration // Without a delivery, before the status says so.
}

// batchSize is how many records are delivered at a time.
const batchSize = 100

// node is one node of the Collector's graph. Nodes are created before any starts, and stop after all have started or failed.
type node struct {
	pipe             *Pipe
	host             component.Host
	started, stopped bool
}

// New compiles the rules and returns a Pipe at rest.
func New(set Settings, cfg *Config) (*Pipe, error) {
	rules, err := cfg.compile()
	if err != nil {
		return nil, err
	}
	return &Pipe{
		set: set, cfg: cfg, rules: rules, account: newAccount(set.Instruments), delivered: map[uint64]int{},
		timeouts: timeouts{
			firstRetry: time.Second, maxRetry: 30 * time.Second, drain: 5 * time.Second, write: 5 * time.Second, stuck: time.Minute,
		},
	}, nil
}

// Input is where the metrics of one pipeline come in.
type Input struct {
	node
	idle bool // Another input feeds the same.
}

// NewInput adds an input. All inputs and sinks are added before the first of them starts.
func (p *Pipe) NewInput() *Input {
	p.life.Lock()
	defer p.life.Unlock()
	in := &Input{node: node{pipe: p}}
	p.nodes++
	p.inputs++
	return in
}

// NewTwin adds an input that gets the same metrics as the others that this makes: only the first of them feeds the rules.
func (p *Pipe) NewTwin() *Input {
	in := p.NewInput()
	p.life.Lock()
	defer p.life.Unlock()
	in.idle = p.inputs > 1
	return in
}

// NewSink adds a sink that gives records to next.
func (p *Pipe) NewSink(next consumer.Logs) *Sink {
	p.life.Lock()
	defer p.life.Unlock()
	s := newSink(p, next)
	p.nodes++
	p.sinks = append(p.sinks, s)
	return s
}

// Start starts the input, and the pipe with its first node.
func (in *Input) Start(ctx context.Context, host component.Host) error { return in.start(ctx, host) }

// Shutdown freezes the pipe. Without Start it does nothing.
func (in *Input) Shutdown(ctx context.Context) error {
	in.stop(ctx, nil)
	return nil
}

// Consume shows the metrics to the rules. It neither changes nor keeps them, and waits for nothing but the engine.
func (in *Input) Consume(md pmetric.Metrics) {
	p := in.pipe
	if in.idle {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engine == nil || p.still {
		return
	}
	begin := p.set.Now()
	p.engine.Begin(begin)
	p.feeder.feed(p.engine, md)
	p.engine.Flush(begin)
	p.account.evaluated(p.set.Now().Sub(begin))
	p.loop.wake()
}

func (n *node) start(ctx context.Context, host component.Host) error {
	p := n.pipe
	p.life.Lock()
	defer p.life.Unlock()
	switch {
	case p.closed:
		return errors.New("alert was shut down and can't start again")
	case n.started:
		return errors.New("alert was started twice")
	}
	if !p.opened {
		if err := p.open(ctx, host); err != nil {
			return err
		}
		p.opened = true
	}
	n.host, n.started = host, true
	p.running++
	p.warnOfWithheldResolves()
	return nil
}

// warnOfWithheldResolves says once that records of the end of alerts are needed by somebody, and are not made. Exporters start before what stands in
// front of them.
func (p *Pipe) warnOfWithheldResolves() {
	needed := alertorigin.NeededResolves()
	if p.cfg.Output.SendResolved || p.saidWithheld || len(needed) == 0 {
		return
	}
	p.saidWithheld = true
	p.set.Logger.Warn("output::send_resolved: false makes no records of the end of alerts, and exporters need them: whoever they tell of an alert never hears "+
		"that it is over. Leave out the key, or send the records to other exporters only", zap.Strings("exporters", needed))
}

// stop stops a node: it freezes the pipe, drains what the node has to drain, and closes the pipe after the last node.
func (n *node) stop(ctx context.Context, drain func(context.Context)) {
	p := n.pipe
	p.life.Lock()
	again, started := n.stopped, n.started
	n.stopped = true
	p.life.Unlock()
	if again {
		return
	}
	if started {
		p.freeze()
		if drain != nil {
			drain(ctx)
		}
	}
	p.life.Lock()
	if started {
		p.running--
		if p.running == 0 {
			p.close(context.WithoutCancel(ctx))
		}
	}
	p.left++
	gone := p.left == p.nodes
	p.life.Unlock()
	if gone && p.set.Gone != nil {
		p.set.Gone()
	}
}

// open starts the engine with the state that is left of an earlier one.
func (p *Pipe) open(ctx context.Context, host component.Host) error {
	if err := p.checkHalves(); err != nil {
		return err
	}
	store, err := statestore.Open(ctx, host, p.cfg.Storage, p.set.owner(), layout, p.timeouts.write)
	p.notStored = statestore.IsDamaged(err)
	switch {
	case p.notStored:
		p.set.Logger.Error("Alerts are not stored: they are watched and delivered all the same, and a restart forgets which are firing", zap.Error(err))
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(err))
	case err != nil:
		return err
	}
	now := p.set.Now()
	values, damaged, err := store.Load(ctx, now)
	if err != nil {
		// To go on would be to forget what fires, and to write over what could be read the next time.
		return errors.Join(fmt.Errorf("reading the alert state from storage %q: %w", p.cfg.Storage, err), store.Close(ctx, now))
	}
	engine := alert.New(p.rules, now)
	if left, there := leftSamples.Take(p.set.owner(), now); there {
		engine.TakeSamples(left)
	}
	if err := errors.Join(damaged, engine.Restore(values, now)); err != nil {
		p.set.Logger.Error("Part of the stored alert state can't be used and is left out", zap.Error(err))
	}
	engine.Beat(p.set.Now(), beatInterval) // From now on: a standstill may come before the loop first says that it runs.
	p.store = store
	p.loop = newLoop(p)
	p.mu.Lock()
	p.engine = engine
	p.mu.Unlock()
	claim(p)
	p.withdraw = alertaction.Offer(actions{p})
	p.adviseOperator(engine)
	p.loop.wake() // What was handed over is stored at once.
	p.loop.start()
	return nil
}

func (p *Pipe) adviseOperator(engine *alert.Engine) {
	log := p.set.Logger
	if p.cfg.Storage == nil {
		log.Warn("No storage is set: a restart forgets which alerts are firing. A reload of the configuration keeps them")
	}
	if len(p.rules.Names()) == 0 {
		log.Warn("There are no rules: set preset, rules or rule_files")
	}
	if len(p.sinks) == 0 {
		log.Warn("No logs pipeline lists this component as a receiver: alerts make no records, and are told as metrics alone")
	}
	if len(p.sinks) > 1 {
		log.Info("Several logs pipelines list this component; each gets every record", zap.Int("pipelines", len(p.sinks)))
	}
	if n := engine.Pending(); n > 0 {
		log.Info("Delivering the alert records that were left", zap.Int("records", n))
	}
}

// checkHalves reports a processor that stands in pipelines of one kind only.
func (p *Pipe) checkHalves() error {
	id := p.set.ID.String()
	switch {
	case len(p.sinks) == 0 && len(p.states) == 0:
		return errors.New(id + " is used in metrics pipelines but in no logs pipeline: alerts would be lost. Add \"" + id +
			"\" to the processors of a logs pipeline, or use the alert connector")
	case p.inputs == 0:
		return errors.New(id + " is used in logs pipelines but in no metrics pipeline: no rule would see a metric. Add \"" + id +
			"\" to the processors of a metrics pipeline, or use the alert connector")
	}
	return nil
}

// freeze ends all changes of state, and has what there is written.
func (p *Pipe) freeze() {
	p.frozen.Do(func() {
		p.mu.Lock()
		p.still = true
		p.mu.Unlock()
		p.loop.wake()
	})
}

// close ends the pipe, however late it is. What was not delivered is kept where the state is kept.
func (p *Pipe) close(ctx context.Context) {
	p.closed = true
	p.withdraw()
	stopped := p.loop.stop(ctx, p.timeouts.drain)
	p.mu.Lock()
	engine := p.engine
	p.engine = nil
	engine.StoreHistories()
	ops := engine.Snapshot(p.set.Now())
	p.leaveSamples(engine)
	undelivered := engine.Pending()
	p.account.report(engine.Stats(p.set.Now()))
	p.mu.Unlock()
	if undelivered > 0 {
		p.account.undelivered(undelivered)
		p.set.Logger.Error("Alert records could not be delivered before the shutdown",
			zap.Int("records", undelivered), zap.Bool("kept_in_storage", p.cfg.Storage != nil && !p.notStored))
	}
	if stopped {
		if err := p.store.Write(ctx, changesOf(ops)); err != nil {
			p.set.Logger.Error("Storing the alert state failed", zap.Error(err))
		}
	} else {
		p.set.Logger.Error("Storage does not answer; the last changes of the alert state are lost")
	}
	if err := p.store.Close(ctx, p.set.Now()); err != nil {
		p.set.Logger.Error("Closing the storage failed", zap.Error(err))
	}
	release(p)
}

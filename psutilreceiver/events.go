package psutilreceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/events"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// EventsConfig says what is watched for: events are log records in logs pipelines, and the counter system.events in metrics pipelines.
type EventsConfig struct {
	// Kinds has the names of the events, such as system.oom_kill. None means that nothing is watched for.
	Kinds []string `mapstructure:"kinds"`
	// MaxPerMinute is how many events of each kind are told of in a minute. What is above is counted.
	MaxPerMinute int `mapstructure:"max_per_minute"`
	// CollectionInterval is how often is looked for events. Zero takes that of the receiver.
	CollectionInterval time.Duration `mapstructure:"collection_interval"`
	// Storage is the ID of a storage extension that keeps which boot was told of, over a restart.
	Storage *component.ID `mapstructure:"storage"`
}

const defaultEventsPerMinute = 60

func (c *EventsConfig) validate() error {
	var errs []error
	for _, name := range c.Kinds {
		if _, ok := events.KindOf(name); !ok {
			errs = append(errs, fmt.Errorf("events::kinds names unknown event %q: %s", name, suggest.Instead(name, events.Names())))
		}
	}
	if c.MaxPerMinute < 1 {
		errs = append(errs, fmt.Errorf("events::max_per_minute is %d: it must be at least 1", c.MaxPerMinute))
	}
	if c.CollectionInterval != 0 && c.CollectionInterval < minCollectionInterval {
		errs = append(errs, fmt.Errorf("events::collection_interval is %v: it must be at least %v, or left out to take the receiver's; "+
			"a duration has a unit, as in 15s", c.CollectionInterval, minCollectionInterval))
	}
	return errors.Join(errs...)
}

// kinds are those that are named, each once. The configuration is valid.
func (c *EventsConfig) kinds() []events.Kind {
	var kinds []events.Kind
	for _, name := range c.Kinds {
		if k, ok := events.KindOf(name); ok && !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// eventWatch is what the receiver in metrics pipelines and that in logs pipelines share, for they have one Config: one watcher, in a goroutine of its
// own, so that a slow look delays no scrape. It runs as long as one of the two does.
type eventWatch struct {
	mu    sync.Mutex
	users int
	// follow tells that there is a receiver in a logs pipeline: events are kept for it from the first look on, which may be before its start.
	follow bool
	log    *events.Log
	since  time.Time     // when the log began to count
	boots  *bootMemory   // nil without a storage
	found  chan struct{} // has an element after a look, until that is taken
	stop   context.CancelFunc
	done   chan struct{}
}

// begin starts the watcher unless it runs already, and returns its log. Each begin has its end.
func (w *eventWatch) begin(ctx context.Context, cfg *Config, set *receiver.Settings, h component.Host, now func() time.Time) (*events.Log, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.users > 0 {
		w.users++
		return w.log, nil
	}
	boots, err := openBootMemory(ctx, cfg, set, h)
	if err != nil {
		return nil, err
	}
	log, logger := events.NewLog(cfg.Events.MaxPerMinute), set.Logger
	if w.follow {
		log.Follow()
	}
	options := events.Options{
		Root: cfg.RootPath, Kinds: cfg.Events.kinds(),
		Notice: func(what string, err error) { logger.Info(what, zap.Error(err)) },
	}
	if boots != nil {
		options.IsNewBoot = boots.isNew
	}
	watcher, err := events.NewWatcher(options, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("root_path: %w", err), boots.close())
	}
	running, cancel := context.WithCancel(context.Background())
	w.boots = boots
	w.users, w.log, w.since, w.stop, w.done, w.found = 1, log, now(), cancel, make(chan struct{}), make(chan struct{}, 1)
	interval := cfg.Events.CollectionInterval
	if interval == 0 {
		interval = cfg.CollectionInterval
	}
	l := &eventLooks{watcher: watcher, logger: logger, now: now, interval: interval, found: w.found, log: log, boots: boots}
	go l.run(running, w.done)
	return log, nil
}

// expectFollower says that a receiver in a logs pipeline was made.
func (w *eventWatch) expectFollower() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow = true
}

// counted returns the log, and since when it counts.
func (w *eventWatch) counted() (*events.Log, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log, w.since
}

// end stops the watcher if nobody else uses it. What tells of the last events is called before what keeps them is closed; it may be nil.
func (w *eventWatch) end(tell func()) error {
	w.mu.Lock()
	w.users--
	last, stop, done, boots := w.users == 0, w.stop, w.done, w.boots
	w.mu.Unlock()
	if last {
		stop()
		<-done
	}
	if tell != nil {
		tell()
	}
	if !last {
		return nil
	}
	return boots.close()
}

// told notes that events were delivered.
func (w *eventWatch) told(delivered []events.Event) {
	w.mu.Lock()
	boots := w.boots
	w.mu.Unlock()
	if slices.ContainsFunc(delivered, func(e events.Event) bool { return e.Kind == events.Booted }) {
		boots.keep()
	}
}

// eventLooks is what a watcher is run with.
type eventLooks struct {
	watcher  *events.Watcher
	logger   *zap.Logger
	now      func() time.Time
	interval time.Duration
	found    chan<- struct{}
	warned   time.Time
	log      *events.Log
	boots    *bootMemory
}

func (l *eventLooks) run(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	defer func() {
		if err := l.watcher.Close(); err != nil {
			l.logger.Warn("What was watched for events was not closed", zap.Error(err))
		}
	}()
	ticker := time.NewTicker(l.interval)
	defer ticker.Stop()
	for {
		l.look()
		select {
		case l.found <- struct{}{}:
		default:
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (l *eventLooks) look() {
	now := l.now()
	if err := l.watcher.Look(now); err != nil && (l.warned.IsZero() || now.Sub(l.warned) >= warnPeriod) {
		l.warned = now
		l.logger.Warn("Some events can't be seen; this is logged once an hour at most", zap.Error(err))
	}
	if !l.log.Followed() || l.log.Count(events.Booted) == 0 {
		l.boots.keep() // Nobody is to be told.
	}
}

// eventsKind is the row of the scraper of the counter of events. It has no block: it runs where events are configured.
var eventsKind = scraperKind{name: "events"}

// addEvents adds the scraper of the counter of events to the scrapers, if there are to be events.
func (c *Config) addEvents(kinds []scraperKind) []scraperKind {
	if len(c.Events.Kinds) == 0 {
		return kinds
	}
	k := eventsKind
	k.interval = func(*ScrapersConfig) (time.Duration, bool) { return c.Events.CollectionInterval, true }
	k.create = func(_ *ScrapersConfig, settings scraperSettings) (scraper, error) {
		return &eventsScraper{scraperSettings: settings, watch: c.events, kinds: c.Events.kinds()}, nil
	}
	// Before the process scraper, which is the last.
	return slices.Insert(slices.Clone(kinds), len(kinds)-1, k)
}

// eventsScraper reports how many events there were.
type eventsScraper struct {
	scraperSettings
	watch *eventWatch
	kinds []events.Kind
}

func (s *eventsScraper) scrape(t *scrapeContext) error {
	log, since := s.watch.counted()
	s.mb.Reset(metadata.WithStartTime(pcommon.NewTimestampFromTime(since)))
	for _, k := range s.kinds {
		s.mb.RecordSystemEventsDataPoint(t.time, log.Count(k), metadata.MapAttributeEventName[k.String()])
	}
	return nil
}

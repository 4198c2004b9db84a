package psutilreceiver

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// EntitiesConfig says what logs pipelines are told of beside the host.
type EntitiesConfig struct {
	// Processes tells of the processes that the metrics show, too.
	Processes bool `mapstructure:"processes"`
}

// Names of OpenTelemetry's entity events, which are in development: specification/entities/entity-events.md.
const (
	eventEntityState  = "entity.state"
	eventEntityDelete = "entity.delete"

	keyEntityType           = "entity.type"
	keyEntityID             = "entity.id"
	keyEntityDescription    = "entity.description"
	keyEntityRelationships  = "entity.relationships"
	keyEntityReportInterval = "entity.report.interval"
	keyEntityDeleteReason   = "entity.delete.reason"
	keyRelationshipType     = "relationship.type"

	entityHost    = "host"
	entityProcess = "process"
)

// Keys of what identifies the entities.
const (
	keyHostID       = "host.id"
	keyHostName     = "host.name"
	keyProcessPID   = "process.pid"
	keyCreationTime = "process.creation.time"
)

// entityReceiver is the receiver in logs pipelines: it tells of the host as an entity, and of processes.
type entityReceiver struct {
	set  receiver.Settings
	cfg  *Config
	next consumer.Logs
	now  func() time.Time

	resources *psutilReceiver // makes the resource of the host
	host      *host.Host
	hostSent  time.Time
	hostText  pcommon.Map // as it was told last
	hostID    pcommon.Map
	processes map[read.Key]*knownEntity

	stop func()
	done sync.WaitGroup
}

// knownEntity is a process that was told of.
type knownEntity struct {
	attributes pcommon.Map
	sent       time.Time
}

// changeInterval is how often is looked whether the host has changed.
const changeInterval = time.Minute

func newEntityReceiver(set receiver.Settings, cfg *Config, next consumer.Logs) *entityReceiver {
	set.Logger = printableLogger(set.Logger)
	return &entityReceiver{
		set: set, cfg: cfg, next: next, now: time.Now, hostText: pcommon.NewMap(), processes: map[read.Key]*knownEntity{},
		resources: &psutilReceiver{set: set, cfg: cfg},
	}
}

// Start tells of the host, and goes on to do so until Shutdown.
func (r *entityReceiver) Start(_ context.Context, _ component.Host) error {
	var err error
	if r.host, err = host.New(r.cfg.RootPath); err != nil {
		return fmt.Errorf("root_path: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	interval := changeInterval
	if every := r.cfg.MetadataCollectionInterval; every > 0 {
		interval = min(interval, every)
	}
	changed := r.cfg.shown.follow()
	r.done.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			r.tell(ctx)
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			case <-changed:
			}
		}
	})
	return nil
}

// Shutdown stops telling. It may be called without Start, and more than once.
func (r *entityReceiver) Shutdown(context.Context) error {
	if r.stop != nil {
		r.stop()
		r.done.Wait()
	}
	return nil
}

// tell passes on the events that are due, and tries again the next time if that fails.
func (r *entityReceiver) tell(ctx context.Context) {
	now := r.now()
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.SetSchemaUrl(schemaURL)
	r.host.Begin()
	r.resources.hostResource(r.host).MoveTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	sl.Scope().SetVersion(r.set.BuildInfo.Version)
	records := sl.LogRecords()
	told := r.tellHost(records, now)
	if r.cfg.Entities.Processes {
		told = append(told, r.tellProcesses(records, now)...)
	}
	if records.Len() == 0 {
		return
	}
	for _, record := range records.All() {
		makePrintable(record.Attributes())
	}
	if err := r.next.ConsumeLogs(ctx, logs); err != nil {
		if ctx.Err() == nil {
			r.set.Logger.Warn("The events of entities were not delivered", zap.Error(err))
		}
		return
	}
	for _, done := range told {
		done()
	}
}

// due tells whether an event of a state is due: at first, after a change, and after the interval.
func (r *entityReceiver) due(sent, now time.Time, changed bool) bool {
	every := r.cfg.MetadataCollectionInterval
	return sent.IsZero() || changed || every > 0 && now.Sub(sent) >= every
}

// tellHost adds the event of the host's state if it is due, and returns what holds once it is delivered.
func (r *entityReceiver) tellHost(records plog.LogRecordSlice, now time.Time) (told []func()) {
	identity := r.host.Identity()
	id, description := pcommon.NewMap(), pcommon.NewMap()
	putKnown(id, keyHostID, identity.ID)
	if id.Len() == 0 {
		putKnown(id, keyHostName, identity.Name)
	} else {
		putKnown(description, keyHostName, identity.Name)
	}
	if id.Len() == 0 {
		return nil // Nobody could tell which host it is.
	}
	r.hostID = id
	putKnown(description, "host.arch", identity.Arch)
	putKnown(description, "os.type", identity.OSType)
	putKnown(description, "os.description", identity.Description)
	putList(description, "host.ip", identity.IPs)
	putList(description, "host.mac", identity.MACs)
	if !r.due(r.hostSent, now, !description.Equal(r.hostText)) {
		return nil
	}
	r.addState(records, now, entityHost, id, description)
	return []func(){func() { r.hostSent, r.hostText = now, description }}
}

func putKnown(to pcommon.Map, key, value string) {
	if value != "" {
		to.PutStr(key, value)
	}
}

func putList(to pcommon.Map, key string, values []string) {
	if len(values) > 0 {
		list := to.PutEmptySlice(key)
		for _, v := range values {
			list.AppendEmpty().SetStr(v)
		}
	}
}

// addState adds an event of the state of an entity.
func (r *entityReceiver) addState(records plog.LogRecordSlice, now time.Time, kind string, id, description pcommon.Map) plog.LogRecord {
	record := addEntityEvent(records, now, eventEntityState, kind, id)
	description.CopyTo(record.Attributes().PutEmptyMap(keyEntityDescription))
	record.Attributes().PutInt(keyEntityReportInterval, int64(r.cfg.MetadataCollectionInterval/time.Second))
	return record
}

func addEntityEvent(records plog.LogRecordSlice, now time.Time, event, kind string, id pcommon.Map) plog.LogRecord {
	record := records.AppendEmpty()
	record.SetEventName(event)
	record.SetTimestamp(pcommon.NewTimestampFromTime(now))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	record.Attributes().PutStr(keyEntityType, kind)
	id.CopyTo(record.Attributes().PutEmptyMap(keyEntityID))
	return record
}

// tellProcesses adds the events of processes: of each that is shown its state, and of each that was shown and has exited that it is gone.
func (r *entityReceiver) tellProcesses(records plog.LogRecordSlice, now time.Time) (told []func()) {
	shown := map[read.Key]bool{}
	for _, p := range r.cfg.shown.take() {
		shown[p.key] = true
		known := r.processes[p.key]
		if known != nil && !r.due(known.sent, now, !known.attributes.Equal(p.attributes)) {
			continue
		}
		id, description := splitProcess(p.attributes)
		record := r.addState(records, now, entityProcess, id, description)
		if r.hostID != (pcommon.Map{}) {
			on := record.Attributes().PutEmptySlice(keyEntityRelationships).AppendEmpty().SetEmptyMap()
			on.PutStr(keyRelationshipType, "runs_on")
			on.PutStr(keyEntityType, entityHost)
			r.hostID.CopyTo(on.PutEmptyMap(keyEntityID))
		}
		told = append(told, func() { r.processes[p.key] = &knownEntity{attributes: p.attributes, sent: now} })
	}
	for key, known := range r.processes {
		if shown[key] {
			continue
		}
		if read.Runs(r.host.Root(), key) { // It is not shown any more. Who has no news of it forgets it.
			told = append(told, func() { delete(r.processes, key) })
			continue
		}
		id, _ := splitProcess(known.attributes)
		addEntityEvent(records, now, eventEntityDelete, entityProcess, id).Attributes().PutStr(keyEntityDeleteReason, "terminated")
		told = append(told, func() { delete(r.processes, key) })
	}
	return told
}

// splitProcess divides the attributes of a process into those that identify it, which are text in events, and the others.
func splitProcess(attributes pcommon.Map) (id, description pcommon.Map) {
	id, description = pcommon.NewMap(), pcommon.NewMap()
	for k, v := range attributes.All() {
		if k == keyProcessPID || k == keyCreationTime {
			id.PutStr(k, v.AsString())
		} else {
			v.CopyTo(description.PutEmpty(k))
		}
	}
	return id, description
}

// shownProcesses hands the processes that a scrape shows from the receiver in a metrics pipeline to that of the same name in a logs pipeline.
type shownProcesses struct {
	mu      sync.Mutex
	list    []shownProcess
	changed chan struct{} // has something if the list has changed; nil as long as there is no receiver in a logs pipeline
}

type shownProcess struct {
	key        read.Key
	attributes pcommon.Map
}

// follow begins to keep the processes, and returns a channel that says when there are others.
func (s *shownProcesses) follow() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{}, 1)
	}
	return s.changed
}

// followed tells whether somebody asks for the processes.
func (s *shownProcesses) followed() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed != nil
}

// put replaces the processes.
func (s *shownProcesses) put(list []shownProcess) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = list
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *shownProcesses) take() []shownProcess {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list
}

// processAttributes are those of a resource that are the process's own.
func processAttributes(resource pcommon.Resource) pcommon.Map {
	own := pcommon.NewMap()
	for k, v := range resource.Attributes().All() {
		if strings.HasPrefix(k, "process.") || k == "container.id" {
			v.CopyTo(own.PutEmpty(k))
		}
	}
	return own
}

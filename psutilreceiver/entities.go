package psutilreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/events"
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

	report    *receiverhelper.ObsReport
	warned    time.Time       // last, of events that were not delivered
	resources *psutilReceiver // makes the resource of the host
	host      *host.Host
	found     hostEntity
	hostSent  time.Time
	hostText  pcommon.Map // the description as it was told last
	processes map[read.Key]*knownEntity
	events    *events.Log // nil without events

	stop func()
	done sync.WaitGroup
}

// hostEntity is the host as it was when it was looked at last.
type hostEntity struct {
	resource    pcommon.Resource
	id          pcommon.Map // empty if nobody can tell which host it is
	description pcommon.Map
}

// changeInterval is how often is looked whether the host has changed.
const changeInterval = time.Minute

func newEntityReceiver(set receiver.Settings, cfg *Config, next consumer.Logs) (*entityReceiver, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	set.Logger = printableLogger(set.Logger)
	cfg.events.expectFollower()
	return &entityReceiver{
		set: set, cfg: cfg, next: next, now: time.Now, report: report, hostText: pcommon.NewMap(), processes: map[read.Key]*knownEntity{},
		resources: &psutilReceiver{set: set, cfg: cfg},
	}, nil
}

// Start tells of the host, and goes on to do so until Shutdown.
func (r *entityReceiver) Start(start context.Context, h component.Host) error {
	var err error
	if r.host, err = host.New(r.cfg.RootPath); err != nil {
		return fmt.Errorf("root_path: %w", err)
	}
	var found chan struct{} // Without events nothing comes.
	if len(r.cfg.Events.Kinds) > 0 {
		if r.events, err = r.cfg.events.begin(start, r.cfg, &r.set, h, r.now); err != nil {
			return errors.Join(err, r.host.Close())
		}
		found = r.cfg.events.found
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
		r.look()
		for {
			r.tell(ctx)
			r.tellEvents(ctx, false)
			select {
			case <-ctx.Done():
				return
			case <-found:
			case <-ticker.C:
				r.look()
			case <-changed: // Each scrape of processes: the host is as it was.
			}
		}
	})
	return nil
}

// Shutdown stops telling. It may be called without Start, and more than once.
func (r *entityReceiver) Shutdown(ctx context.Context) error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	r.done.Wait()
	var err error
	if r.events != nil {
		err = r.cfg.events.end(func() { r.tellEvents(ctx, true) })
	}
	return errors.Join(err, r.host.Close())
}

// look reads what the host is.
func (r *entityReceiver) look() {
	r.host.Begin()
	identity := r.host.Identity()
	id, description := pcommon.NewMap(), pcommon.NewMap()
	putKnown(id, keyHostID, identity.ID)
	if id.Len() == 0 {
		putKnown(id, keyHostName, identity.Name)
	} else {
		putKnown(description, keyHostName, identity.Name)
	}
	putKnown(description, "host.arch", identity.Arch)
	putKnown(description, "os.type", identity.OSType)
	putKnown(description, "os.description", identity.Description)
	putMachine(description, &identity)
	putList(description, "host.ip", identity.IPs)
	putList(description, "host.mac", identity.MACs)
	resource := r.resources.hostResource(identity)
	makePrintable(resource.Attributes())
	r.found = hostEntity{resource: resource, id: id, description: description}
}

// tell passes on the events that are due, and tries again the next time if that fails.
func (r *entityReceiver) tell(ctx context.Context) {
	now := r.now()
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.SetSchemaUrl(schemaURL)
	sl := rl.ScopeLogs().AppendEmpty()
	records := sl.LogRecords()
	told := r.tellHost(records, now)
	if r.cfg.Entities.Processes {
		told = append(told, r.tellProcesses(records, now)...)
	}
	if records.Len() > 0 {
		r.found.resource.CopyTo(rl.Resource())
		sl.Scope().SetName(metadata.ScopeName)
		sl.Scope().SetVersion(r.set.BuildInfo.Version)
		for _, record := range records.All() {
			makePrintable(record.Attributes())
		}
		if !r.deliver(ctx, logs, now, "The events of entities") {
			return
		}
	}
	for _, done := range told {
		done()
	}
}

// deliver passes on events, and counts them as accepted or refused. It tells whether the pipeline has taken them. What they are is for the log.
func (r *entityReceiver) deliver(ctx context.Context, logs plog.Logs, now time.Time, what string) bool {
	events := logs.LogRecordCount()
	reported := r.report.StartLogsOp(ctx)
	err := r.next.ConsumeLogs(reported, logs)
	r.report.EndLogsOp(reported, "", events, err)
	if err != nil && ctx.Err() == nil && (r.warned.IsZero() || now.Sub(r.warned) >= warnPeriod) {
		r.warned = now
		r.set.Logger.Warn(what+" were not delivered and are tried again; this is logged once an hour at most", zap.Error(err))
	}
	return err == nil
}

// due tells whether an event of a state is due: at first, after a change, and after the interval.
func (r *entityReceiver) due(sent, now time.Time, changed bool) bool {
	every := r.cfg.MetadataCollectionInterval
	return sent.IsZero() || changed || every > 0 && now.Sub(sent) >= every
}

// tellHost adds the event of the host's state if it is due, and returns what holds once it is delivered.
func (r *entityReceiver) tellHost(records plog.LogRecordSlice, now time.Time) (told []func()) {
	description := r.found.description
	if r.found.id.Len() == 0 || !r.due(r.hostSent, now, !description.Equal(r.hostText)) {
		return nil
	}
	r.addState(records, now, entityHost, r.found.id, description)
	return []func(){func() { r.hostSent, r.hostText = now, description }}
}

// putMachine adds what the host runs and what it is made of.
func putMachine(to pcommon.Map, id *host.Identity) {
	for _, a := range [...][2]string{
		{"os.name", id.OS.Name},
		{"os.version", id.OS.Version},
		{"os.build_id", id.OS.BuildID},
		{"host.cpu.vendor.id", id.CPU.Vendor},
		{"host.cpu.family", id.CPU.Family},
		{"host.cpu.model.id", id.CPU.ID},
		{"host.cpu.model.name", id.CPU.Name},
		{"host.cpu.stepping", id.CPU.Stepping},
		{"device.manufacturer", id.Machine.Manufacturer},
		{"device.model.name", id.Machine.Model},
	} {
		putKnown(to, a[0], a[1])
	}
	if id.CPU.L2 > 0 {
		to.PutInt("host.cpu.cache.l2.size", id.CPU.L2)
	}
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

package psutilreceiver

import (
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// knownEntity is a process that was told of.
type knownEntity struct {
	attributes pcommon.Map
	sent       time.Time
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
		if r.found.id.Len() > 0 {
			on := record.Attributes().PutEmptySlice(keyEntityRelationships).AppendEmpty().SetEmptyMap()
			on.PutStr(keyRelationshipType, "runs_on")
			on.PutStr(keyEntityType, entityHost)
			r.found.id.CopyTo(on.PutEmptyMap(keyEntityID))
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
func processAttributes(attributes pcommon.Map) pcommon.Map {
	own := pcommon.NewMap()
	for k, v := range attributes.All() {
		if strings.HasPrefix(k, "process.") || k == "container.id" {
			v.CopyTo(own.PutEmpty(k))
		}
	}
	return own
}

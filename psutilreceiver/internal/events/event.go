// Package events finds out what happened on a host between two looks at it: processes that started and exited, kills for lack of memory, units that
// failed, devices, mounts and interfaces that came and went, filesystems that became read-only, a clock that was set, a boot.
//
// A [Watcher] looks; what it finds goes to a [Log], which counts everything, and keeps for delivery as much as a limit allows. Nothing that was
// there at the first look is an event. The package knows nothing of the Collector, and time is handed in.
package events

import (
	"slices"
	"time"
)

// Kind is a kind of event.
type Kind uint8

// The kinds of events.
const (
	ProcessStart Kind = iota
	ProcessExit
	OOMKill
	UnitFailed
	DiskAdded
	DiskRemoved
	Mounted
	Unmounted
	ReadOnly
	InterfaceAdded
	InterfaceRemoved
	ClockStepped
	Booted
	ContainerStarted
	ContainerEnded
	numKinds
)

// kindNames are the names of the events, which are those of log records and the values of the counter's attribute.
var kindNames = [numKinds]string{
	ProcessStart:     "process.start",
	ProcessExit:      "process.exit",
	OOMKill:          "system.oom_kill",
	UnitFailed:       "systemd.unit.failed",
	DiskAdded:        "system.disk.added",
	DiskRemoved:      "system.disk.removed",
	Mounted:          "system.filesystem.mounted",
	Unmounted:        "system.filesystem.unmounted",
	ReadOnly:         "system.filesystem.read_only",
	InterfaceAdded:   "system.network.interface.added",
	InterfaceRemoved: "system.network.interface.removed",
	ClockStepped:     "system.clock.stepped",
	Booted:           "system.boot",
	ContainerStarted: "container.started",
	ContainerEnded:   "container.ended",
}

// Names are the names of all kinds.
func Names() []string { return slices.Clone(kindNames[:]) }

// KindOf returns the kind of a name, and false if there is none.
func KindOf(name string) (Kind, bool) {
	i := slices.Index(kindNames[:], name)
	return Kind(max(i, 0)), i >= 0
}

// String is the name of the event.
func (k Kind) String() string { return kindNames[k] }

// Severity is how bad an event is.
type Severity uint8

// The severities.
const (
	Info Severity = iota
	Warning
	Error
)

// Field is an attribute of an event.
type Field struct {
	Key   string
	Value any // string, int64, float64 or bool
}

// Event is one thing that happened.
type Event struct {
	Kind     Kind
	Time     time.Time // when it happened, as far as that is known; else when it was seen
	Severity Severity
	Text     string // for people
	Fields   []Field

	// Withheld is how many events of the kind are not told of one by one; then the event stands for them, and has nothing else but the time.
	Withheld uint64
}

// Field returns the value of an attribute, nil if the event has none such.
func (e *Event) Field(key string) any {
	for _, f := range e.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

// fields builds attributes without those that are not known.
type fields []Field

func (f *fields) text(key, value string) {
	if value != "" {
		*f = append(*f, Field{key, value})
	}
}

// number leaves out what is negative: not known.
func (f *fields) number(key string, value int64) {
	if value >= 0 {
		*f = append(*f, Field{key, value})
	}
}

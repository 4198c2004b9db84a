package systemd

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"
)

const (
	unitInterface    = destination + ".Unit"
	serviceInterface = destination + ".Service"
	unitPrefix       = "/org/freedesktop/systemd1/unit/"
	busName          = "org.freedesktop.DBus"
	// maxFailures bounds the failures that are remembered between two readings.
	maxFailures = 1024
)

// followMatch is what the bus is asked to pass on: that properties of units changed.
const followMatch = "type='signal',sender='" + destination + "',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path_namespace='/org/freedesktop/systemd1/unit'"

// Failed tells whether a unit has failed: it is in that state, or it is a service that systemd is going to start again after a failure.
func (u *Unit) Failed() bool {
	return u.ActiveState == stateFailed || u.Recovers()
}

// Recovers tells whether a unit is a service that has failed and is going to be started again by systemd.
func (u *Unit) Recovers() bool {
	return slices.Contains(RestartStates, u.SubState) && u.Result != "" && u.Result != "success"
}

const stateFailed = "failed"

// RestartStates are the sub states of a service that systemd is going to start again, whether it has failed or not.
var RestartStates = []string{"auto-restart", "auto-restart-queued", "failed-before-auto-restart"}

// follower hears which units fail, from systemd's signals. It keeps of each what an event needs, for the last [maxFailures] that came between two readings.
type follower struct {
	mu       sync.Mutex
	owner    string // who systemd is on the bus; "" without a bus
	wanted   bool
	path     dbus.ObjectPath // of service
	service  Unit            // what the newest signal said of a service; that of the unit follows it
	failures []Unit
	lost     int // failures that there was no room for
}

// DeliverSignal takes a signal. It is called by the goroutine that reads the connection, one after the other and in the order of the answers.
func (f *follower) DeliverSignal(_, name string, s *dbus.Signal) {
	if name != "PropertiesChanged" || len(s.Body) < 2 {
		return
	}
	of, _ := s.Body[0].(string)
	values, _ := s.Body[1].(map[string]dbus.Variant)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.wanted || s.Sender != f.owner {
		return
	}
	switch of {
	case serviceInterface: // systemd tells of what is of the type of a unit first.
		f.path, f.service = s.Path, newService(values)
	case unitInterface:
		u := Unit{Restarts: Unknown, Accepted: Unknown, Refused: Unknown, ExitCode: Unknown, ExitKind: Unknown}
		if f.path == s.Path {
			u = f.service
		}
		f.path = ""
		u.Name, u.ActiveState, u.SubState = unitName(s.Path), textOf(values["ActiveState"]), textOf(values["SubState"])
		u.Changed, u.Invocation = timeOf(values["StateChangeTimestamp"]), bytesOf(values["InvocationID"])
		if u.Name != "" && u.Failed() {
			f.remember(&u)
		}
	}
}

func newService(values map[string]dbus.Variant) Unit {
	u := Unit{Restarts: Unknown, Accepted: Unknown, Refused: Unknown, ExitCode: Unknown, ExitKind: Unknown}
	if v, ok := values["NRestarts"]; ok {
		u.Restarts = numberOf(v)
	}
	u.Result = textOf(values["Result"])
	if v, ok := values["ExecMainCode"]; ok {
		u.ExitKind = numberOf(v)
	}
	if v, ok := values["ExecMainStatus"]; ok {
		u.ExitCode = numberOf(v)
	}
	return u
}

// remember keeps a failure. Signals about other properties of a unit that has failed tell of the same failure again.
func (f *follower) remember(u *Unit) {
	for i := len(f.failures) - 1; i >= max(0, len(f.failures)-maxRepeated); i-- {
		if f.failures[i].Name == u.Name && f.failures[i].FailureKey() == u.FailureKey() {
			return
		}
	}
	if len(f.failures) >= maxFailures {
		f.lost++
		return
	}
	f.failures = append(f.failures, *u)
}

// maxRepeated is among how many of the newest failures a signal is looked for that repeats one.
const maxRepeated = 64

// take returns the failures since the last call, the oldest first, and how many others there was no room for.
func (f *follower) take() (failures []Unit, lost int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	failures, lost = f.failures, f.lost
	f.failures, f.lost = nil, 0
	return failures, lost
}

// FailureKey tells one failure of a unit from another: a service that is started again fails once in each run.
func (u *Unit) FailureKey() string {
	if slices.Contains(RestartStates, u.SubState) && u.Invocation != "" {
		return u.Invocation // It goes through several states.
	}
	return stateFailed + " " + u.Changed.String()
}

// unitName gives the name of the unit of an object, "" if it is none.
func unitName(at dbus.ObjectPath) string {
	escaped, ok := strings.CutPrefix(string(at), unitPrefix)
	if !ok || len(escaped) > 3*maxText {
		return ""
	}
	var name strings.Builder
	for i := 0; i < len(escaped); i++ {
		if escaped[i] == '_' && i+2 < len(escaped) {
			if b, err := hex.DecodeString(escaped[i+1 : i+3]); err == nil {
				name.WriteByte(b[0])
				i += 2
				continue
			}
		}
		name.WriteByte(escaped[i])
	}
	return bounded(name.String())
}

// follow has systemd send signals, once for each systemd that the bus has. systemd sends them unasked to those that have a connection of their own.
// A systemd or a bus that refuses is not followed; that is no error.
func (c *connection) follow(ctx context.Context) error {
	owner := ""
	if !c.private {
		call := c.BusObject().CallWithContext(ctx, busName+".GetNameOwner", 0, destination)
		if err := refusedOr(call.Store(&owner)); err != nil || owner == "" {
			return err
		}
	}
	c.follower.mu.Lock()
	followed := c.follower.wanted && c.follower.owner == owner
	c.follower.wanted, c.follower.owner = true, owner
	c.follower.mu.Unlock()
	if followed {
		return nil
	}
	c.socket.listen()
	if !c.private {
		if err := refusedOr(c.BusObject().CallWithContext(ctx, busName+".AddMatch", 0, followMatch).Err); err != nil {
			return err
		}
	}
	return refusedOr(c.Object(destination, managerPath).CallWithContext(ctx, manager+".Subscribe", 0).Err)
}

// refusedOr leaves out an error that is an answer.
func refusedOr(err error) error {
	if _, ok := errors.AsType[dbus.Error](err); ok {
		return nil
	}
	return err
}

// onlyExpected takes away signals in the name of the bus: they only tell of names, and the library panics at one of a wrong form.
func onlyExpected(m *dbus.Message) {
	if of, _ := m.Headers[dbus.FieldInterface].Value().(string); m.Type == dbus.TypeSignal && of == busName {
		m.Type = 0 // Of a type that the library passes over.
	}
}

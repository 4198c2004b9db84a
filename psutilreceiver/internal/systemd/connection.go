package systemd

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	destination = "org.freedesktop.systemd1"
	managerPath = dbus.ObjectPath("/org/freedesktop/systemd1")
	manager     = "org.freedesktop.systemd1.Manager"
	getProperty = "org.freedesktop.DBus.Properties.Get"
	// inFlight is how many questions are sent before the first of their answers is awaited.
	inFlight = 64
	// maxText bounds a text of systemd.
	maxText = 256
)

// connection is an authenticated connection to systemd, or to the bus that it is on.
type connection struct {
	*dbus.Conn
	socket   *boundedSocket
	private  bool // without a bus
	follower *follower
}

// newConnection authenticates on a socket, and says hello to the bus if there is one.
func newConnection(ctx context.Context, peer net.Conn, private bool) (*connection, error) {
	socket, heard := newBoundedSocket(peer), &follower{}
	conn, err := dbus.NewConn(socket, dbus.WithSignalHandler(heard), dbus.WithIncomingInterceptor(onlyExpected))
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	c := &connection{Conn: conn, socket: socket, private: private, follower: heard}
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() }) // The handshake has no deadline of its own.
	err = conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))})
	if err == nil {
		if private {
			err = c.wake(ctx)
		} else {
			err = conn.Hello()
		}
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// wakeInterval is how long the first message has until another one is sent.
const wakeInterval = 10 * time.Millisecond

// wake sends messages until one is answered. systemd reads a first message that comes at once together with the end of the handshake, and looks at it
// only when another one comes.
func (c *connection) wake(ctx context.Context) error {
	const most = int(Deadline / wakeInterval)
	answers := make(chan *dbus.Call, most) // An answer that finds no room would stop the connection.
	ticker := time.NewTicker(wakeInterval)
	defer ticker.Stop()
	for sent := 0; ; {
		if sent < most {
			sent++
			c.Object(destination, managerPath).GoWithContext(ctx, "org.freedesktop.DBus.Peer.Ping", 0, answers)
		}
		select {
		case answer := <-answers:
			var refused dbus.Error // An answer, too.
			if answer.Err != nil && !errors.As(answer.Err, &refused) {
				return answer.Err
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// listedUnit is a unit as ListUnitsByPatterns has it.
type listedUnit struct {
	Name, Description, LoadState, ActiveState, SubState, Following string
	Path                                                           dbus.ObjectPath
	JobID                                                          uint32
	JobType                                                        string
	JobPath                                                        dbus.ObjectPath
}

// read asks all that a query wants.
func (c *connection) read(ctx context.Context, q Query) (*Snapshot, error) {
	// A peer that reads nothing lets a write wait, which no context ends.
	stop := context.AfterFunc(ctx, func() { _ = c.socket.Close() })
	defer stop()
	c.socket.allow()
	s := &Snapshot{Failed: Unknown}
	if q.Follow {
		if err := c.follow(ctx); err != nil {
			return nil, err
		}
		// Last, for the answers come after the signals of what was before them.
		defer func() { s.Failures, s.Lost = c.follower.take() }()
	}
	p := &properties{conn: c.Conn, ctx: ctx}
	if q.System {
		p.get(managerPath, manager, "SystemState", func(v dbus.Variant) { s.State = textOf(v) })
		p.get(managerPath, manager, "NFailedUnits", func(v dbus.Variant) { s.Failed = numberOf(v) })
	}
	if !q.Units {
		return s, p.await()
	}
	listed, tooMany, err := c.list(ctx, q)
	if err != nil {
		return nil, err
	}
	s.Units = make([]Unit, len(listed))
	for i := range listed {
		s.Units[i] = newUnit(&listed[i])
		p.ask(q, listed[i].Path, &s.Units[i])
	}
	if err := p.await(); err != nil {
		return nil, err
	}
	if tooMany {
		return s, ErrTooMany
	}
	return s, nil
}

func newUnit(l *listedUnit) Unit {
	return Unit{
		Name: bounded(l.Name), Description: bounded(l.Description), ActiveState: bounded(l.ActiveState), SubState: bounded(l.SubState),
		Restarts: Unknown, Accepted: Unknown, Refused: Unknown, ExitCode: Unknown, ExitKind: Unknown,
	}
}

// list gives the units that a query is about, and whether there are more than its limit.
func (c *connection) list(ctx context.Context, q Query) (units []listedUnit, tooMany bool, err error) {
	states, include := q.States, q.Include
	if states == nil {
		states = []string{}
	}
	if include == nil {
		include = []string{}
	}
	call := c.Object(destination, managerPath).CallWithContext(ctx, manager+".ListUnitsByPatterns", 0, states, include)
	if err := call.Store(&units); err != nil {
		return nil, false, err
	}
	kept := units[:0]
	for i := range units {
		// A unit that follows another is the same under another name, as devices have them.
		if units[i].Following != "" || units[i].LoadState == "not-found" || excluded(units[i].Name, q.Exclude) {
			continue
		}
		if len(kept) == q.Limit {
			return kept, true, nil
		}
		kept = append(kept, units[i])
	}
	return kept, false, nil
}

func excluded(name string, patterns []string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p, name); ok {
			return true
		}
	}
	return false
}

// properties asks for properties of objects, several at once.
type properties struct {
	conn    *dbus.Conn
	ctx     context.Context //nolint:containedctx // Of one reading, as the struct is.
	pending []pendingProperty
	err     error
}

type pendingProperty struct {
	call *dbus.Call
	set  func(dbus.Variant)
}

// ask asks for what a query wants to know of one unit.
func (p *properties) ask(q Query, at dbus.ObjectPath, u *Unit) {
	const unit, service, timer, socket = unitInterface, serviceInterface, destination + ".Timer", destination + ".Socket"
	if q.StartTime {
		p.get(at, unit, "ActiveEnterTimestamp", func(v dbus.Variant) { u.Started = timeOf(v) })
	}
	if q.ChangeTime {
		p.get(at, unit, "StateChangeTimestamp", func(v dbus.Variant) { u.Changed = timeOf(v) })
	}
	if q.Failure {
		p.get(at, unit, "InvocationID", func(v dbus.Variant) { u.Invocation = bytesOf(v) })
	}
	switch u.Name[strings.LastIndexByte(u.Name, '.')+1:] {
	case "service":
		if q.Restarts {
			p.get(at, service, "NRestarts", func(v dbus.Variant) { u.Restarts = numberOf(v) })
		}
		if q.Failure {
			p.get(at, service, "Result", func(v dbus.Variant) { u.Result = textOf(v) })
			p.get(at, service, "ExecMainCode", func(v dbus.Variant) { u.ExitKind = numberOf(v) })
			p.get(at, service, "ExecMainStatus", func(v dbus.Variant) { u.ExitCode = numberOf(v) })
		}
	case "timer":
		if q.Timers {
			p.get(at, timer, "LastTriggerUSec", func(v dbus.Variant) { u.LastTrigger = timeOf(v) })
		}
	case "socket":
		if q.Sockets {
			p.get(at, socket, "NAccepted", func(v dbus.Variant) { u.Accepted = numberOf(v) })
			p.get(at, socket, "NRefused", func(v dbus.Variant) { u.Refused = numberOf(v) })
		}
	}
}

// get asks for a property, and has it set once it is there. One that this systemd does not have is left as it is.
func (p *properties) get(at dbus.ObjectPath, of, name string, set func(dbus.Variant)) {
	if p.err != nil {
		return
	}
	call := p.conn.Object(destination, at).GoWithContext(p.ctx, getProperty, 0, make(chan *dbus.Call, 1), of, name)
	p.pending = append(p.pending, pendingProperty{call, set})
	if len(p.pending) == inFlight {
		p.err = p.await()
	}
}

// await waits for the answers that are due. Its error is one of the connection, or that the context ended.
func (p *properties) await() error {
	for _, a := range p.pending {
		if p.err != nil {
			break
		}
		done := <-a.call.Done
		var v dbus.Variant
		switch err := done.Store(&v); err.(type) { //nolint:errorlint // The library wraps none.
		case nil:
			a.set(v)
		case dbus.Error: // No such property, or the unit has gone meanwhile.
		default:
			p.err = err
		}
	}
	p.pending = p.pending[:0]
	return p.err
}

func textOf(v dbus.Variant) string {
	s, _ := v.Value().(string)
	return bounded(s)
}

// bounded cuts what is longer than any text that systemd gives.
func bounded(s string) string {
	if len(s) > maxText {
		return s[:maxText]
	}
	return s
}

// numberOf gives a number of any width; Unknown for what is none, and for one that no counter reaches.
func numberOf(v dbus.Variant) int64 {
	switch n := v.Value().(type) {
	case uint32:
		return int64(n)
	case int32:
		return int64(n)
	case uint64:
		if n <= maxCount {
			return int64(n)
		}
	}
	return Unknown
}

// maxCount is above every count and every time in microseconds that can be.
const maxCount = 1 << 62

// timeOf gives a time of systemd, microseconds since 1970, which is 0 or the largest number for never.
func timeOf(v dbus.Variant) time.Time {
	n := numberOf(v)
	if n <= 0 {
		return time.Time{}
	}
	return time.UnixMicro(n)
}

func bytesOf(v dbus.Variant) string {
	b, _ := v.Value().([]byte)
	if len(b) > maxText {
		b = b[:maxText]
	}
	return hex.EncodeToString(b)
}

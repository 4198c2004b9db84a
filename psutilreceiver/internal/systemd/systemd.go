// Package systemd asks the systemd of a host for its units, by D-Bus. It knows nothing of the Collector, and of the clock only what it is told.
//
// Root asks systemd itself, at /run/systemd/private; everybody else, and root where that socket is not there, asks over the system bus. Both sockets
// are those below the host's root. All that is asked needs no privilege.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
)

// Deadline is how long all questions of one reading may take together.
const Deadline = 5 * time.Second

// ErrTooMany is returned beside units that are not all, for there are more than the limit.
var ErrTooMany = errors.New("more units than the limit")

// Query says what is asked. What is not wanted costs nothing.
type Query struct {
	Include []string // patterns of names of units, as of a shell; none means all
	Exclude []string // patterns of names that are left out
	States  []string // load, active or sub states of units that are told of; none means all
	Limit   int      // units that are told of; more are left out

	Units      bool // the units
	System     bool // the state of the system and the number of failed units
	Restarts   bool // of services
	Timers     bool // last trigger of timers
	Sockets    bool // connections of sockets
	StartTime  bool // of all units that are told of
	ChangeTime bool // of all units that are told of
	Failure    bool // why a unit failed, of services
	Follow     bool // the failures between two readings
}

// Unknown is the value of a number that systemd does not have.
const Unknown = -1

// Unit is one unit as systemd has it.
type Unit struct {
	Name        string
	Description string
	ActiveState string // active, inactive, failed and so on
	SubState    string // running, dead, auto-restart and so on: depends on the type

	Restarts    int64     // automatic restarts of a service, Unknown without
	Accepted    int64     // connections of a socket, Unknown without
	Refused     int64     // connections of a socket, Unknown without
	Started     time.Time // when it became active last, zero if never
	Changed     time.Time // when its state changed last, zero if never
	LastTrigger time.Time // of a timer, zero if never

	Result     string // why a service failed: exit-code, signal, oom-kill and so on
	ExitCode   int64  // of the main process of a service: a code or a signal, by ExitKind; Unknown without
	ExitKind   int64  // as si_code of waitid(2): 1 exited, 2 killed, 3 dumped core; Unknown without
	Invocation string // which run of the unit this is
}

// Snapshot is what systemd said at one time.
type Snapshot struct {
	Units  []Unit
	State  string // of the system: running, degraded and so on; "" if unknown
	Failed int64  // units that have failed, of all; Unknown without

	// Failures are the units that failed since the reading before, as they were then, the oldest first; those of any name. A connection that was
	// opened for this reading has none.
	Failures []Unit
	Lost     int // how many failures there were beside them, which are not remembered
}

// Client asks systemd, over one connection that it keeps. It is not safe for concurrent use.
type Client struct {
	root    string
	address string // of a socket in place of those below the root, for tests
	conn    *connection
}

// NewClient returns a client for the systemd of the host whose / is root. It connects when it is first asked.
func NewClient(root string) *Client { return &Client{root: root} }

// Close closes the connection.
func (c *Client) Close() error {
	if c.conn == nil {
		return nil
	}
	conn := c.conn
	c.conn = nil
	return conn.Close()
}

// Read asks for what the query wants. The error is [errors.ErrUnsupported] where there is no systemd or no D-Bus, [ErrTooMany] beside a snapshot
// that lacks units, and os.ErrDeadlineExceeded if the answer has not come before the context ended.
func (c *Client) Read(ctx context.Context, q Query) (*Snapshot, error) {
	kept := c.conn != nil
	s, err := c.readOnce(ctx, q)
	if kept && q.Follow && err != nil && c.conn == nil && ctx.Err() == nil {
		// systemd went away since the last reading, as it does to run another version of itself: what happens now is to be heard of.
		return c.readOnce(ctx, q)
	}
	return s, err
}

func (c *Client) readOnce(ctx context.Context, q Query) (*Snapshot, error) {
	if c.conn == nil {
		conn, err := c.connect(ctx)
		if err != nil {
			return nil, deadlineOf(ctx, err)
		}
		c.conn = conn
	}
	s, err := c.conn.read(ctx, q)
	if err != nil && !errors.Is(err, ErrTooMany) {
		if why := c.conn.socket.refused.Load(); why != nil {
			err = *why // The library says only that the connection is closed.
		}
		// The connection may be in any state: the next reading has a new one.
		_ = c.Close()
		return nil, deadlineOf(ctx, fmt.Errorf("asking systemd: %w", err))
	}
	return s, err
}

// deadlineOf makes one kind of error of all that a deadline makes.
func deadlineOf(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", os.ErrDeadlineExceeded, err)
	}
	var refused dbus.Error
	if errors.As(err, &refused) && refused.Name == "org.freedesktop.DBus.Error.ServiceUnknown" {
		return errors.ErrUnsupported // A bus without systemd.
	}
	return err
}

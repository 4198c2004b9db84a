// Package systemdtest is a systemd for tests: it speaks D-Bus on a unix socket, as a peer or behind a bus, and answers for its units.
package systemdtest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// Unit is a unit of the manager, with the properties that it has, by name.
type Unit struct {
	Name, ActiveState, SubState string
	Properties                  map[string]any
}

// Manager answers as systemd does.
type Manager struct {
	mu      sync.Mutex
	units   []Unit
	state   string
	stalled bool
	calls   map[string]int
	conns   []*peer
}

// peer is a connection to the manager.
type peer struct {
	net.Conn
	writing    sync.Mutex
	bus        bool // The other side came over the bus, and has signals only after it asked for them.
	begun      bool // The handshake is over.
	matches    int
	subscribed bool
}

// Serve listens on the private socket below a root directory, and on that of its system bus, until the test ends.
func Serve(tb testing.TB, root string) *Manager {
	tb.Helper()
	m := &Manager{state: "running", calls: map[string]int{}}
	for _, name := range []string{"run/systemd/private", "run/dbus/system_bus_socket"} {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			tb.Fatal(err)
		}
		socket, err := net.Listen("unix", at)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = socket.Close() })
		go m.accept(socket, strings.HasSuffix(name, "bus_socket"))
	}
	tb.Cleanup(m.Disconnect)
	return m
}

// Set makes these the units and the state of the system.
func (m *Manager) Set(state string, units ...Unit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state, m.units = state, units
}

// Stall makes the manager answer no question, or answer again those that are asked from now on.
func (m *Manager) Stall(stalled bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stalled = stalled
}

// Calls tells how often a method or property was asked for.
func (m *Manager) Calls(name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[name]
}

// Disconnect closes all connections.
func (m *Manager) Disconnect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		_ = c.Close()
	}
	m.conns = nil
}

func (m *Manager) accept(socket net.Listener, bus bool) {
	for {
		accepted, err := socket.Accept()
		if err != nil {
			return
		}
		conn := &peer{Conn: accepted, bus: bus}
		m.mu.Lock()
		m.conns = append(m.conns, conn)
		m.mu.Unlock()
		go m.serve(conn)
	}
}

// serve authenticates the other side, and answers until it has gone.
func (m *Manager) serve(conn *peer) {
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.Trim(line, "\x00\r\n")
		answer := "REJECTED EXTERNAL"
		switch {
		case line == "BEGIN":
			first, err := dbus.DecodeMessage(in)
			if err != nil {
				return
			}
			// As systemd does, it looks at a message that came with the end of the handshake only when another one has come. A bus does not.
			if !conn.bus {
				_, err = in.Peek(1)
			}
			if err == nil && m.respond(conn, first) == nil {
				m.mu.Lock()
				conn.begun = true
				m.mu.Unlock()
				m.answer(conn, in)
			}
			return
		case strings.HasPrefix(line, "AUTH EXTERNAL"):
			answer = "DATA"
		case strings.HasPrefix(line, "DATA"):
			answer = "OK 0123456789abcdef0123456789abcdef"
		case strings.HasPrefix(line, "NEGOTIATE"):
			answer = "ERROR"
		}
		if _, err := conn.Write([]byte(answer + "\r\n")); err != nil {
			return
		}
	}
}

func (m *Manager) answer(conn *peer, in *bufio.Reader) {
	for {
		call, err := dbus.DecodeMessage(in)
		if err != nil {
			return
		}
		if m.respond(conn, call) != nil {
			return
		}
	}
}

// respond sends the answer to a call.
func (m *Manager) respond(conn *peer, call *dbus.Message) error {
	body, failure := m.reply(conn, call)
	if failure == "stalled" {
		return nil
	}
	answer := &dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{}, Body: body}
	if failure != "" {
		answer.Type = dbus.TypeError
		answer.Headers[dbus.FieldErrorName] = dbus.MakeVariant(failure)
		answer.Body = nil
	}
	answer.Headers[dbus.FieldReplySerial] = dbus.MakeVariant(call.Serial())
	if len(answer.Body) > 0 {
		answer.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(answer.Body...))
	}
	return conn.send(answer)
}

func (p *peer) send(m *dbus.Message) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	return m.EncodeTo(p, binary.LittleEndian)
}

// Send sends bytes to all that are connected.
func (m *Manager) Send(text []byte) {
	for _, p := range m.listeners() {
		p.writing.Lock()
		_, _ = p.Write(text)
		p.writing.Unlock()
	}
}

// Change makes a unit another, or adds it, and tells of it as systemd does: first of what is of its type, then of the unit.
func (m *Manager) Change(u Unit) {
	m.mu.Lock()
	if i := slices.IndexFunc(m.units, func(v Unit) bool { return v.Name == u.Name }); i >= 0 {
		m.units = slices.Clone(m.units)
		m.units[i] = u
	} else {
		m.units = append(m.units, u)
	}
	m.mu.Unlock()
	m.Signal(Sender, u)
}

// Sender is who the manager is on the bus.
const Sender = ":1.0"

// Signal tells of a unit in somebody's name.
func (m *Manager) Signal(sender string, u Unit) {
	service := map[string]dbus.Variant{}
	unit := map[string]dbus.Variant{"ActiveState": dbus.MakeVariant(u.ActiveState), "SubState": dbus.MakeVariant(u.SubState)}
	for key, v := range u.Properties {
		switch key {
		case "StateChangeTimestamp", "ActiveEnterTimestamp", "InvocationID":
			unit[key] = dbus.MakeVariant(v)
		default:
			service[key] = dbus.MakeVariant(v)
		}
	}
	for _, p := range m.listeners() {
		if strings.HasSuffix(u.Name, ".service") {
			_ = p.send(changed(p, sender, u.Name, "Service", service))
		}
		_ = p.send(changed(p, sender, u.Name, "Unit", unit))
	}
}

func (m *Manager) listeners() (list []*peer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.conns {
		if p.begun && (!p.bus || p.matches > 0 && p.subscribed) {
			list = append(list, p)
		}
	}
	return list
}

func changed(p *peer, sender, unit, of string, values map[string]dbus.Variant) *dbus.Message {
	body := []any{"org.freedesktop.systemd1." + of, values, []string{}}
	signal := &dbus.Message{Type: dbus.TypeSignal, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath:      dbus.MakeVariant(pathOf(unit)),
		dbus.FieldInterface: dbus.MakeVariant("org.freedesktop.DBus.Properties"),
		dbus.FieldMember:    dbus.MakeVariant("PropertiesChanged"),
		dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(body...)),
	}}
	if p.bus {
		signal.Headers[dbus.FieldSender] = dbus.MakeVariant(sender)
	}
	return signal
}

type listed struct {
	Name, Description, LoadState, ActiveState, SubState, Following string
	Path                                                           dbus.ObjectPath
	JobID                                                          uint32
	JobType                                                        string
	JobPath                                                        dbus.ObjectPath
}

// reply gives the answer to a call, or the name of its error.
func (m *Manager) reply(conn *peer, call *dbus.Message) (body []any, failure string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stalled {
		return nil, "stalled"
	}
	member, _ := call.Headers[dbus.FieldMember].Value().(string)
	at, _ := call.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	m.calls[member]++
	switch member {
	case "Hello":
		return []any{":1.1"}, ""
	case "GetNameOwner":
		return []any{Sender}, ""
	case "AddMatch":
		conn.matches++
		return nil, ""
	case "Subscribe":
		conn.subscribed = true
		return nil, ""
	case "ListUnitsByPatterns":
		return []any{m.list(call.Body[0].([]string), call.Body[1].([]string))}, ""
	case "Get":
		name, _ := call.Body[1].(string)
		m.calls[name]++
		if v, ok := m.property(string(at), name); ok {
			return []any{dbus.MakeVariant(v)}, ""
		}
		return nil, "org.freedesktop.DBus.Error.UnknownProperty"
	}
	return nil, "org.freedesktop.DBus.Error.UnknownMethod"
}

func (m *Manager) list(states, patterns []string) []listed {
	units := []listed{}
	for _, u := range m.units {
		if !anyOf(patterns, func(p string) bool { ok, _ := path.Match(p, u.Name); return ok }) ||
			!anyOf(states, func(s string) bool { return s == u.ActiveState || s == u.SubState }) {
			continue
		}
		units = append(units, listed{Name: u.Name, LoadState: "loaded", ActiveState: u.ActiveState, SubState: u.SubState, Path: pathOf(u.Name), JobPath: "/"})
	}
	return units
}

func anyOf(list []string, holds func(string) bool) bool {
	if slices.ContainsFunc(list, holds) {
		return true
	}
	return len(list) == 0
}

func pathOf(unit string) dbus.ObjectPath {
	var path strings.Builder
	path.WriteString("/org/freedesktop/systemd1/unit/")
	for i := range len(unit) {
		if c := unit[i]; 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' && i > 0 {
			path.WriteByte(c)
		} else {
			fmt.Fprintf(&path, "_%02x", c)
		}
	}
	return dbus.ObjectPath(path.String())
}

func (m *Manager) property(at, name string) (any, bool) {
	switch name {
	case "SystemState":
		return m.state, true
	case "NFailedUnits":
		n := uint32(0)
		for _, u := range m.units {
			if u.ActiveState == "failed" {
				n++
			}
		}
		return n, true
	}
	for _, u := range m.units {
		if string(pathOf(u.Name)) == at {
			v, ok := u.Properties[name]
			return v, ok
		}
	}
	return nil, false
}

// Package systemdtest is a systemd for tests: it speaks D-Bus on a unix socket, as a peer or behind a bus, and answers for its units.
package systemdtest

import (
	"bufio"
	"encoding/binary"
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
	conns   []net.Conn
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
		go m.accept(socket)
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

func (m *Manager) accept(socket net.Listener) {
	for {
		conn, err := socket.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.conns = append(m.conns, conn)
		m.mu.Unlock()
		go m.serve(conn)
	}
}

// serve authenticates the other side, and answers until it has gone.
func (m *Manager) serve(conn net.Conn) {
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
			// As systemd does, it looks at a message that came with the end of the handshake only when another one has come.
			if _, err = in.Peek(1); err == nil && m.respond(conn, first) == nil {
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

func (m *Manager) answer(conn net.Conn, in *bufio.Reader) {
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
func (m *Manager) respond(conn net.Conn, call *dbus.Message) error {
	body, failure := m.reply(call)
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
	return answer.EncodeTo(conn, binary.LittleEndian)
}

type listed struct {
	Name, Description, LoadState, ActiveState, SubState, Following string
	Path                                                           dbus.ObjectPath
	JobID                                                          uint32
	JobType                                                        string
	JobPath                                                        dbus.ObjectPath
}

// reply gives the answer to a call, or the name of its error.
func (m *Manager) reply(call *dbus.Message) (body []any, failure string) {
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
	return dbus.ObjectPath("/org/freedesktop/systemd1/unit/" + strings.NewReplacer(".", "_2e", "-", "_2d", "@", "_40").Replace(unit))
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

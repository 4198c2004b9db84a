package machine

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// monitor is the emulator's own control channel, QMP.
type monitor struct {
	conn    net.Conn
	answers chan reply
	ask     sync.Mutex // one question at a time

	mu     sync.Mutex
	events []string      // all that came, oldest first: names, and for those of a device name:device
	came   chan struct{} // closed and replaced at each event
}

type reply struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Desc string `json:"desc"`
	} `json:"error"`
	Event string `json:"event"`
	Data  struct {
		Device string `json:"device"`
	} `json:"data"`
}

func newMonitor(conn net.Conn) (*monitor, error) {
	m := &monitor{conn: conn, answers: make(chan reply, 1), came: make(chan struct{})}
	lines := bufio.NewReader(conn)
	if _, err := lines.ReadBytes('\n'); err != nil {
		return nil, fmt.Errorf("the emulator's greeting: %w", err)
	}
	go m.read(lines)
	err := m.do("qmp_capabilities", nil)
	return m, err
}

func (m *monitor) read(lines *bufio.Reader) {
	defer close(m.answers)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var r reply
		if err := json.Unmarshal(line, &r); err != nil {
			continue
		}
		if r.Event == "" {
			m.answers <- r
			continue
		}
		m.mu.Lock()
		m.events = append(m.events, eventName(r.Event, r.Data.Device))
		close(m.came)
		m.came = make(chan struct{})
		m.mu.Unlock()
	}
}

func eventName(event, device string) string {
	if device == "" {
		return event
	}
	return event + ":" + device
}

func (m *monitor) do(command string, arguments map[string]any) error {
	m.ask.Lock()
	defer m.ask.Unlock()
	request := map[string]any{"execute": command}
	if arguments != nil {
		request["arguments"] = arguments
	}
	if err := json.NewEncoder(m.conn).Encode(request); err != nil {
		return err
	}
	r, ok := <-m.answers
	switch {
	case !ok:
		return fmt.Errorf("%s: the emulator has gone", command)
	case r.Error != nil:
		return fmt.Errorf("%s: %s", command, r.Error.Desc)
	}
	return nil
}

// mark is a place in the list of events, for await.
func (m *monitor) mark() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.events)
}

// await waits for an event that comes after the mark.
func (m *monitor) await(event string, after int, limit time.Duration) error {
	deadline := time.After(limit)
	for {
		m.mu.Lock()
		if slices.Contains(m.events[after:], event) {
			m.mu.Unlock()
			return nil
		}
		after = len(m.events)
		came := m.came
		m.mu.Unlock()
		select {
		case <-came:
		case <-deadline:
			return fmt.Errorf("the emulator has not said %s within %v", event, limit)
		}
	}
}

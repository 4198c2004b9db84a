package machine

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/protocol"
)

// answerLimit is how long the agent may take beyond what the request allows itself.
const answerLimit = 20 * time.Second

// runLimit is how long a command may run. None is meant to take long.
const runLimit = time.Minute

type agentClient struct {
	conn net.Conn

	mu      sync.Mutex
	hung    error // the first request without an answer; those after it are not waited for
	last    int
	pending map[int]chan protocol.Response
}

func newAgentClient(conn net.Conn, limit time.Duration) (*agentClient, error) {
	a := &agentClient{conn: conn, pending: map[int]chan protocol.Response{0: make(chan protocol.Response, 1)}}
	ready := a.pending[0]
	go a.read()
	select {
	case _, ok := <-ready:
		if !ok {
			return nil, errors.New("the serial port was closed before the agent answered")
		}
		return a, nil
	case <-time.After(limit):
		return nil, fmt.Errorf("the agent in the guest has not answered within %v", limit)
	}
}

func (a *agentClient) read() {
	lines := bufio.NewReader(a.conn)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var r protocol.Response
		// The firmware may have written to the port before.
		if start := bytes.IndexByte(line, '{'); start < 0 || json.Unmarshal(line[start:], &r) != nil {
			continue
		}
		a.mu.Lock()
		if c := a.pending[r.ID]; c != nil {
			c <- r
			delete(a.pending, r.ID)
		}
		a.mu.Unlock()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, c := range a.pending {
		close(c)
		delete(a.pending, id)
	}
}

func (a *agentClient) do(r protocol.Request) (protocol.Response, error) {
	c := make(chan protocol.Response, 1)
	a.mu.Lock()
	if a.hung != nil {
		defer a.mu.Unlock()
		return protocol.Response{}, a.hung
	}
	a.last++
	r.ID = a.last
	a.pending[r.ID] = c
	text, err := json.Marshal(r)
	if err == nil {
		_, err = a.conn.Write(append(text, '\n'))
	}
	a.mu.Unlock()
	if err != nil {
		return protocol.Response{}, err
	}
	what := r.Op + " " + strings.Join(r.Args, " ") + r.Path
	limit := answerLimit
	if r.Op == protocol.OpRun || r.Op == protocol.OpWait {
		limit += r.Duration
	}
	select {
	case answer, ok := <-c:
		switch {
		case !ok:
			return answer, fmt.Errorf("%s: the machine has gone", what)
		case answer.Error != "":
			return answer, fmt.Errorf("%s: %s", what, answer.Error)
		}
		return answer, nil
	case <-time.After(limit):
		a.mu.Lock()
		defer a.mu.Unlock()
		a.hung = fmt.Errorf("%s: the agent has not answered within %v", what, limit)
		return protocol.Response{}, a.hung
	}
}

// Run runs a command in the guest and gives its output. A command that fails is an error that has the output.
func (m *Machine) Run(args ...string) (string, error) { return m.RunWithin(runLimit, args...) }

// RunWithin is Run for a command that may take as long as that.
func (m *Machine) RunWithin(limit time.Duration, args ...string) (string, error) {
	answer, err := m.agent.do(protocol.Request{Op: protocol.OpRun, Args: args, Duration: limit})
	if err == nil && answer.Code != 0 {
		err = fmt.Errorf("%s: exit code %d\n%s", strings.Join(args, " "), answer.Code, answer.Output)
	}
	return answer.Output, err
}

// Start starts a command in the guest, with new namespaces by the flags of clone(2); log gets its output.
func (m *Machine) Start(log string, unshare uintptr, args ...string) (pid int, err error) {
	answer, err := m.agent.do(protocol.Request{Op: protocol.OpStart, Args: args, Path: log, Unshare: unshare})
	return answer.PID, err
}

// Wait waits for the end of a started command, and gives its exit code.
func (m *Machine) Wait(pid int, limit time.Duration) (code int, err error) {
	answer, err := m.agent.do(protocol.Request{Op: protocol.OpWait, PID: pid, Duration: limit})
	return answer.Code, err
}

// Signal sends a signal to a process of the guest.
func (m *Machine) Signal(pid int, signal syscall.Signal) error {
	_, err := m.agent.do(protocol.Request{Op: protocol.OpSignal, PID: pid, Signal: int(signal)})
	return err
}

// Write writes a file in the guest.
func (m *Machine) Write(path, text string) error {
	_, err := m.agent.do(protocol.Request{Op: protocol.OpWrite, Path: path, Data: text})
	return err
}

// MoveClock sets the guest's wall clock forward, or back.
func (m *Machine) MoveClock(by time.Duration) error {
	_, err := m.agent.do(protocol.Request{Op: protocol.OpSetClock, Duration: by})
	return err
}

// Snapshot reads what the guest's kernel says now.
func (m *Machine) Snapshot(further ...string) (*protocol.Snapshot, error) {
	answer, err := m.agent.do(protocol.Request{Op: protocol.OpSnapshot, Files: further})
	return answer.Snapshot, err
}

// Record starts recording what the guest's kernel says, so often, to a file of the guest.
func (m *Machine) Record(path string, interval time.Duration, further ...string) error {
	_, err := m.agent.do(protocol.Request{Op: protocol.OpRecord, Path: path, Duration: interval, Files: further})
	return err
}

// StopRecording ends it and gives the snapshots.
func (m *Machine) StopRecording(path string) ([]*protocol.Snapshot, error) {
	if _, err := m.agent.do(protocol.Request{Op: protocol.OpStop}); err != nil {
		return nil, err
	}
	text, err := m.Fetch(path)
	if err != nil {
		return nil, err
	}
	var all []*protocol.Snapshot
	for line := range bytes.Lines(text) {
		s := &protocol.Snapshot{}
		if err := json.Unmarshal(line, s); err != nil {
			return nil, fmt.Errorf("a snapshot in %s: %w", path, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// Fetch gets a file of the guest through the results drive.
func (m *Machine) Fetch(path string) ([]byte, error) {
	answer, err := m.agent.do(protocol.Request{Op: protocol.OpFetch, Path: path})
	if err != nil {
		return nil, err
	}
	text := make([]byte, answer.Size)
	_, err = io.ReadFull(io.NewSectionReader(m.results, answer.Offset, answer.Size), text)
	return text, err
}

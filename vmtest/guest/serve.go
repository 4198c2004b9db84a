package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/protocol"
)

// maxOutput bounds what a command may answer through the slow serial port. Longer texts go to a file that is fetched.
const maxOutput = 64 << 10

type agent struct {
	drive  *os.File
	offset int64 // of the free part of the drive

	mu       sync.Mutex // guards started and answers
	out      *json.Encoder
	started  map[int]*process
	recorder *recorder
}

type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// serve answers requests from the serial port until it is closed. Each is answered when it is done, so that a command that hangs
// leaves the others going.
func serve(port, drive string) error {
	tty, err := openRaw(port)
	if err != nil {
		return err
	}
	results, err := os.OpenFile(drive, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	a := &agent{drive: results, out: json.NewEncoder(tty), started: make(map[int]*process)}
	a.answer(protocol.Response{}) // ready
	lines := bufio.NewReader(tty)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		var r protocol.Request
		if err := json.Unmarshal(line, &r); err != nil {
			fmt.Fprintf(os.Stderr, "guest: request %q: %v\n", line, err)
			continue
		}
		switch r.Op {
		case protocol.OpRun, protocol.OpWait:
			go a.do(&r)
		default:
			a.do(&r)
		}
	}
}

// openRaw opens a terminal without echo and line editing.
func openRaw(path string) (*os.File, error) {
	tty, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		return nil, err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB|unix.CBAUD) | unix.CS8 | unix.B115200
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return tty, unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, t)
}

func (a *agent) answer(r protocol.Response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.out.Encode(r); err != nil {
		fmt.Fprintln(os.Stderr, "guest: answering:", err)
	}
}

func (a *agent) do(r *protocol.Request) {
	answer := protocol.Response{ID: r.ID}
	if err := a.perform(r, &answer); err != nil {
		answer.Error = err.Error()
	}
	a.answer(answer)
}

func (a *agent) perform(r *protocol.Request, answer *protocol.Response) (err error) {
	switch r.Op {
	case protocol.OpRun:
		return a.run(r, answer)
	case protocol.OpStart:
		return a.start(r, answer)
	case protocol.OpWait:
		return a.wait(r, answer)
	case protocol.OpSignal:
		return unix.Kill(r.PID, syscall.Signal(r.Signal))
	case protocol.OpWrite:
		if err := os.MkdirAll(filepath.Dir(r.Path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(r.Path, []byte(r.Data), 0o644)
	case protocol.OpSetClock:
		return moveClock(r.Duration)
	case protocol.OpRecord:
		a.recorder, err = record(r.Path, r.Duration, r.Files)
		return err
	case protocol.OpStop:
		if a.recorder == nil {
			return errors.New("nothing is being recorded")
		}
		err, a.recorder = a.recorder.stop(), nil
		return err
	case protocol.OpSnapshot:
		answer.Snapshot = snapshot(r.Files)
		return nil
	case protocol.OpFetch:
		return a.fetch(r, answer)
	}
	return fmt.Errorf("unknown operation %q", r.Op)
}

func (a *agent) run(r *protocol.Request, answer *protocol.Response) error {
	cmd := exec.Command(r.Args[0], r.Args[1:]...)
	cmd.Env = append(os.Environ(), r.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Cloneflags: r.Unshare}
	timer := time.AfterFunc(r.Duration, func() {
		if cmd.Process != nil {
			_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		}
	})
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	if len(out) > maxOutput {
		out = out[len(out)-maxOutput:]
	}
	answer.Output = string(out)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		answer.Code = exit.ExitCode()
		return nil
	}
	return err
}

func (a *agent) start(r *protocol.Request, answer *protocol.Response) error {
	out, err := os.OpenFile(r.Path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(r.Args[0], r.Args[1:]...)
	cmd.Env = append(os.Environ(), r.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Cloneflags: r.Unshare}
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // What it was is in its state.
		close(p.done)
	}()
	answer.PID = cmd.Process.Pid
	a.mu.Lock()
	a.started[answer.PID] = p
	a.mu.Unlock()
	return nil
}

func (a *agent) wait(r *protocol.Request, answer *protocol.Response) error {
	a.mu.Lock()
	p := a.started[r.PID]
	a.mu.Unlock()
	if p == nil {
		return fmt.Errorf("process %d was not started", r.PID)
	}
	select {
	case <-p.done:
	case <-time.After(r.Duration):
		return fmt.Errorf("process %d has not ended after %v", r.PID, r.Duration)
	}
	answer.Code = p.cmd.ProcessState.ExitCode()
	return nil
}

// fetch copies a file to the results drive and says where on it.
func (a *agent) fetch(r *protocol.Request, answer *protocol.Response) error {
	f, err := os.Open(r.Path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	size, err := io.Copy(io.NewOffsetWriter(a.drive, a.offset), f)
	if err != nil {
		return err
	}
	answer.Offset, answer.Size = a.offset, size
	a.offset += (size + 4095) &^ 4095 // Drives are written in blocks.
	return a.drive.Sync()
}

// Package collector runs a Collector, or another program beside it, without a test: it starts the binary in a folder, tells what the kernel
// accounts to the process, reads the Collector's own telemetry, and ends it.
package collector

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// userHz is the unit of times in /proc/PID/stat.
	userHz = 100
	// stopTimeout is how long a Collector may take to end.
	stopTimeout = 30 * time.Second
)

// Process is a program that was started.
type Process struct {
	cmd    *exec.Cmd
	output string // path of what it printed
	exited chan struct{}
	err    error // how it ended; to be read after exited
}

// Start starts a command in a folder, or where it says itself. What it prints goes to a file in the folder, but for a standard output that
// is set already.
func Start(dir string, cmd *exec.Cmd) (*Process, error) {
	file, err := os.CreateTemp(dir, "output-*.log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	p := &Process{cmd: cmd, output: file.Name(), exited: make(chan struct{})}
	if cmd.Dir == "" {
		cmd.Dir = dir
	}
	cmd.Stderr = file
	if cmd.Stdout == nil {
		cmd.Stdout = file
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// PID is the process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal to the process.
func (p *Process) Signal(signal os.Signal) error { return p.cmd.Process.Signal(signal) }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Wait waits for the process to end, and returns how: nil for the status 0.
func (p *Process) Wait() error {
	<-p.exited
	return p.err
}

// Ended is nil while the process runs, and then an error that holds what it printed.
func (p *Process) Ended() error {
	select {
	case <-p.exited:
		return fmt.Errorf("the process ended: %w\n%s", p.how(), p.Output())
	default:
		return nil
	}
}

func (p *Process) how() error {
	if p.err == nil {
		return errors.New("status 0")
	}
	return p.err
}

// Output is what the process has printed so far.
func (p *Process) Output() string {
	text, err := os.ReadFile(p.output)
	if err != nil {
		return fmt.Sprintf("what it printed can't be read: %v", err) // Not empty: no output would look like no warning.
	}
	return string(text)
}

// Warnings counts the warnings and errors that the process has logged.
func (p *Process) Warnings() int {
	text := p.Output()
	return strings.Count(text, "\twarn\t") + strings.Count(text, "\terror\t")
}

// CPU is what the process has used of the CPUs, user and system, from /proc/PID/stat.
func (p *Process) CPU() (time.Duration, error) {
	text, err := os.ReadFile(p.proc("stat"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / userHz, errors.Join(err1, err2)
}

// Resident is the resident memory in bytes, VmRSS of /proc/PID/status.
func (p *Process) Resident() (float64, error) { return p.status("VmRSS") }

// PeakResident is the most that the resident memory has been so far, in bytes: VmHWM of /proc/PID/status.
func (p *Process) PeakResident() (float64, error) { return p.status("VmHWM") }

// Anonymous is what of the resident memory belongs to no file, in bytes: RssAnon of /proc/PID/status.
func (p *Process) Anonymous() (float64, error) { return p.status("RssAnon") }

// status reads a value of /proc/PID/status in bytes.
func (p *Process) status(name string) (float64, error) {
	text, err := os.ReadFile(p.proc("status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name+":" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib * 1024, err
		}
	}
	return 0, errors.New("no " + name + " in /proc/PID/status")
}

// Descriptors counts the open descriptors, and those of them that are files of a process in /proc, which come and go with the processes.
func (p *Process) Descriptors() (all, ofProcesses int, err error) {
	open, err := os.ReadDir(p.proc("fd"))
	for _, fd := range open {
		target, err := os.Readlink(filepath.Join(p.proc("fd"), fd.Name()))
		if err != nil {
			continue // Closed meanwhile.
		}
		all++
		if rest, ok := strings.CutPrefix(target, "/proc/"); ok && rest[0] >= '0' && rest[0] <= '9' {
			ofProcesses++
		}
	}
	return all, ofProcesses, err
}

func (p *Process) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), name)
}

// Usage is what the kernel accounted to a process that has ended.
type Usage struct {
	// CPU is user and system time.
	CPU time.Duration
	// Peak is the highest resident memory in bytes; 0 on other systems than Linux.
	Peak float64
}

// Stop asks the process to end, waits for it, and returns what it used. It is an error if the status is not 0.
func (p *Process) Stop() (Usage, error) {
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
		if p.err != nil {
			return Usage{}, p.Ended()
		}
		state := p.cmd.ProcessState
		return Usage{CPU: state.UserTime() + state.SystemTime(), Peak: peakMemory(state)}, nil
	case <-time.After(stopTimeout):
		p.Kill()
		return Usage{}, fmt.Errorf("the process did not end within %v", stopTimeout)
	}
}

// Kill ends the process at once, as a crash does, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

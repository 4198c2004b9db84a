// Package collector runs a Collector for a measurement: it starts the binary in a folder of its own, tells what the kernel accounts to it,
// reads its own telemetry, and ends it.
package collector

import (
	"errors"
	"fmt"
	"net"
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
	// patience is how long a Collector may take to end.
	patience = 30 * time.Second
)

// Process is a Collector that runs.
type Process struct {
	cmd    *exec.Cmd
	output string
	exited chan error
}

// Start starts a command in a folder. What it says goes to the file output.log there, but for an output that has a place already.
func Start(dir string, cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, output: filepath.Join(dir, "output.log"), exited: make(chan error, 1)}
	file, err := os.OpenFile(p.output, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd.Dir, cmd.Stderr = dir, file
	if cmd.Stdout == nil {
		cmd.Stdout = file
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.exited <- cmd.Wait() }()
	return p, nil
}

// Ended returns how the process ended, or nil while it runs.
func (p *Process) Ended() error {
	select {
	case err := <-p.exited:
		p.exited <- err
		return fmt.Errorf("the collector ended: %v\n%s", err, p.Output())
	default:
		return nil
	}
}

// Output is what the process has said so far.
func (p *Process) Output() string {
	text, _ := os.ReadFile(p.output)
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

// Anonymous is what of the resident memory belongs to no file, in bytes: RssAnon of /proc/PID/status.
func (p *Process) Anonymous() (float64, error) { return p.status("RssAnon") }

// status reads a figure of /proc/PID/status in bytes.
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
	// Peak is the highest resident memory in bytes.
	Peak float64
}

// Stop asks the process to end, and waits for it.
func (p *Process) Stop() (Usage, error) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.exited:
		p.exited <- err
		if err != nil {
			return Usage{}, fmt.Errorf("the collector ended: %w\n%s", err, p.Output())
		}
		usage := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
		cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		return Usage{CPU: cpu, Peak: float64(usage.Maxrss) * 1024}, nil
	case <-time.After(patience):
		p.Kill()
		return Usage{}, fmt.Errorf("the collector did not end within %v", patience)
	}
}

// Kill ends the process at once, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	err := <-p.exited
	p.exited <- err
}

// FreePort is a loopback port that nobody listens on.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Package protocol is what the test on the host and the agent in the guest say to each other: one JSON object a line on a serial port.
package protocol

import "time"

// The operations that the agent knows.
const (
	OpRun      = "run"      // run a command and wait for its end
	OpStart    = "start"    // start a command; the answer has its pid
	OpWait     = "wait"     // wait for the end of a started command
	OpSignal   = "signal"   // send Signal to PID
	OpWrite    = "write"    // write Data to Path
	OpSetClock = "clock"    // move the wall clock by Duration
	OpRecord   = "record"   // record what the kernel says to Path, every Duration
	OpStop     = "stop"     // end the recording
	OpSnapshot = "snapshot" // read the recorded files once
	OpFetch    = "fetch"    // copy the file Path to the results drive
)

// Request asks the agent to do something.
type Request struct {
	ID       int           `json:"id"`
	Op       string        `json:"op"`
	Args     []string      `json:"args,omitempty"`
	Env      []string      `json:"env,omitempty"`
	Path     string        `json:"path,omitempty"`  // start: where the output goes
	Files    []string      `json:"files,omitempty"` // record: further files to read
	Data     string        `json:"data,omitempty"`
	PID      int           `json:"pid,omitempty"`
	Signal   int           `json:"signal,omitempty"`
	Duration time.Duration `json:"duration,omitempty"` // run, wait: how long at most
	// Unshare has the flags of clone(2) for the namespaces that a started command gets.
	Unshare uintptr `json:"unshare,omitempty"`
}

// Response is the agent's answer to the request of the same ID.
type Response struct {
	ID       int       `json:"id"`
	Error    string    `json:"error,omitempty"`
	Output   string    `json:"output,omitempty"` // run: both outputs
	Code     int       `json:"code"`             // run, wait: the exit code, -1 after a signal
	PID      int       `json:"pid,omitempty"`
	Offset   int64     `json:"offset,omitempty"` // fetch: where on the results drive
	Size     int64     `json:"size,omitempty"`
	Snapshot *Snapshot `json:"snapshot,omitempty"`
}

// Snapshot is what the guest's kernel said between two readings of its clocks.
type Snapshot struct {
	Before Clocks            `json:"before"`
	After  Clocks            `json:"after"`
	Files  map[string]string `json:"files"` // by path; a file that can't be read is left out
}

// Clocks are the kernel's clocks at one instant, in nanoseconds.
type Clocks struct {
	Realtime  int64 `json:"realtime"`
	Monotonic int64 `json:"monotonic"` // does not run while the machine is suspended
	Boottime  int64 `json:"boottime"`  // does
}

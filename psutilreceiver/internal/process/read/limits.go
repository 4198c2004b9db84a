package read

import (
	"bytes"
	"errors"
	"math"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// A Limit names a resource that the kernel limits for each process, as setrlimit(2) does.
type Limit uint8

// The limits, in the order of the kernel's file.
const (
	LimitCPU              Limit = iota // CPU time, in seconds
	LimitFileSize                      // size of a file that it writes, in bytes
	LimitData                          // heap, in bytes
	LimitStack                         // stack of its first thread, in bytes
	LimitCore                          // core dump, in bytes
	LimitResident                      // resident set, in bytes; Linux ignores it
	LimitProcesses                     // threads of its user
	LimitDescriptors                   // highest file descriptor, plus one
	LimitLocked                        // locked memory, in bytes
	LimitAddressSpace                  // address space, in bytes
	LimitFileLocks                     // file locks; Linux ignores it
	LimitSignals                       // queued signals of its user
	LimitQueues                        // message queues of its user, in bytes
	LimitNice                          // 20 minus the lowest nice value
	LimitRealtimePriority              // real-time priority
	LimitRealtimeTime                  // CPU time in real time without a blocking call, in microseconds
	NumLimits
)

// limitNames are what lines of /proc/PID/limits begin with.
var limitNames = [NumLimits]string{
	"Max cpu time", "Max file size", "Max data size", "Max stack size", "Max core file size", "Max resident set", "Max processes", "Max open files",
	"Max locked memory", "Max address space", "Max file locks", "Max pending signals", "Max msgqueue size", "Max nice priority",
	"Max realtime priority", "Max realtime timeout",
}

// Unlimited is the value of a limit that there is not, or that could not be read.
const Unlimited = math.MaxInt64

// Limits holds the soft limit of each [Limit].
type Limits [NumLimits]int64

var errLimits = errors.New("no limits, or a text that is cut off")

// limitsLifetime is for how long limits hold once they were read: hardly a process has others after its start.
const limitsLifetime = 10 * time.Minute

// LimitReader reads the limits of processes that are shown, from /proc/PID/limits, and remembers them for some time. A nil reader has none.
type LimitReader struct {
	root  string
	now   time.Time
	known map[Key]*knownLimits
}

type knownLimits struct {
	limits   Limits
	readAt   time.Time
	lastUsed time.Time
}

// NewLimitReader returns a reader of the host whose root directory is root; "" stands for "/".
func NewLimitReader(root string) *LimitReader {
	return &LimitReader{root: root, known: map[Key]*knownLimits{}}
}

// Begin starts a scrape, and forgets processes that the last one did not ask for.
func (r *LimitReader) Begin(now time.Time) {
	if r == nil {
		return
	}
	for key, k := range r.known {
		if k.lastUsed.Before(r.now) {
			delete(r.known, key)
		}
	}
	r.now = now
}

// Of returns the limits of a process.
func (r *LimitReader) Of(key Key) (Limits, bool) {
	if r == nil {
		return Limits{}, false
	}
	k, known := r.known[key]
	if !known || r.now.Sub(k.readAt) >= limitsLifetime {
		limits, ok := r.read(key)
		if !ok {
			delete(r.known, key) // The next scrape tries again.
			return Limits{}, false
		}
		k = &knownLimits{limits: limits, readAt: r.now}
		r.known[key] = k
	}
	k.lastUsed = r.now
	return k.limits, true
}

// read reads the limits of a process, and then whether the pid is still its.
func (r *LimitReader) read(key Key) (Limits, bool) {
	text, err := readSmall(r.root, key.PID, "limits")
	if err != nil {
		return Limits{}, false
	}
	stat, err := readSmall(r.root, key.PID, "stat")
	var now Sample
	if err != nil || !parseStat(stat, 1, &now) || now.Key != key {
		return Limits{}, false
	}
	limits, err := parseLimits(text)
	return limits, err == nil
}

// parseLimits reads lines such as: "Max open files            1024                 1048576              files".
func parseLimits(text []byte) (Limits, error) {
	var limits Limits
	for i := range limits {
		limits[i] = Unlimited
	}
	found, whole := false, bytes.HasSuffix(text, []byte{'\n'})
	for len(text) > 0 {
		var line []byte
		line, text = proctext.Line(text)
		for i, name := range limitNames {
			rest, ok := bytes.CutPrefix(line, []byte(name))
			if !ok || len(rest) == 0 || !proctext.IsBlank(rest[0]) {
				continue
			}
			soft, after := proctext.Field(rest)
			if v, ok := proctext.Int(soft); ok && len(after) > 0 {
				limits[i] = v
				found = true
			} else if string(soft) == "unlimited" {
				found = true
			}
			break
		}
	}
	if !found || !whole {
		return Limits{}, errLimits
	}
	return limits, nil
}

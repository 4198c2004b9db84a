//go:build !linux

package read

import (
	"errors"
	"io/fs"
	"time"
)

// Reader is the [Source] of systems without Linux's /proc. A sample has only the fields that the system gives.
type Reader struct {
	commandLines
	sample Sample
	errors Errors
}

var _ Source = (*Reader)(nil)

// New returns a reader of this host. A host's root directory has a meaning on Linux only.
func New(string) *Reader { return &Reader{} }

// ReadErrors returns the errors of the reads since the last Scan began.
func (r *Reader) ReadErrors() *Errors { return &r.errors }

// HasMoved is false: there are no cgroups.
func (r *Reader) HasMoved(*Sample, string) bool { return false }

// Close does nothing: nothing is kept open.
func (r *Reader) Close() error { return nil }

// Created returns when the process started.
func (k Key) Created(time.Time) time.Time { return time.UnixMilli(int64(k.Start)) }

// begin clears the sample for the next process.
func (r *Reader) begin(pid, ppid int32, comm string) *Sample {
	r.sample = Sample{ProcessState: ProcessState{Key: Key{PID: pid}, PPID: ppid}}
	r.sample.SetComm(comm)
	return &r.sample
}

// countError counts an error, under the file of /proc that has the same on Linux. It reports whether there was none.
func (r *Reader) countError(f File, err error) bool {
	switch {
	case err == nil:
		return true
	case isGone(err):
	case errors.Is(err, fs.ErrPermission):
		r.errors.Denied[f]++
	default:
		r.errors.Failed[f]++
	}
	return false
}

const microsecondsPerSecond = 1_000_000

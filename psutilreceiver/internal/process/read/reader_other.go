//go:build !linux

package read

import (
	"errors"
	"io/fs"
	"time"
)

// Reader is the [Source] of systems without Linux's /proc. What a system does not tell is not held by any sample.
type Reader struct {
	sample Sample
	tally  Tally
}

var _ Source = (*Reader)(nil)

// New returns a reader of this host. A host's root directory has a meaning on Linux only.
func New(string) *Reader { return &Reader{} }

// Tally returns what the reads since the last Scan began ran into.
func (r *Reader) Tally() *Tally { return &r.tally }

// Close does nothing: nothing is held open.
func (r *Reader) Close() error { return nil }

// Created returns when the process started.
func (k Key) Created(time.Time) time.Time { return time.UnixMilli(int64(k.Start)) }

// begin clears the sample for the next process.
func (r *Reader) begin(pid, ppid int32, comm string) *Sample {
	r.sample = Sample{Vitals: Vitals{Key: Key{PID: pid}, PPID: ppid}}
	r.sample.SetComm(comm)
	return &r.sample
}

// count keeps book of an error, under the file of /proc that would have told on Linux. It reports whether there was none.
func (r *Reader) count(f File, err error) bool {
	switch {
	case err == nil:
		return true
	case isGone(err):
	case errors.Is(err, fs.ErrPermission):
		r.tally.Denied[f]++
	default:
		r.tally.Failed[f]++
	}
	return false
}

const microsecondsPerSecond = 1_000_000

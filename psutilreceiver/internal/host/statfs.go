package host

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"
	"time"
)

// statfsPool makes the calls that may hang. One worker makes one after the other while all of them are fast. A worker whose call takes too
// long is left alone: it ends after its result, and another takes its place.
type statfsPool struct {
	statfs func(path string) (Space, error)
	worker chan statfsRequest // to the one that is free; nil without
	soft   deadline           // of one filesystem
	read   deadline           // of the whole read
}

type statfsRequest struct {
	path    string
	results chan<- statfsResult
}

type statfsResult struct {
	space Space
	err   error
}

// deadline is a timer that remembers that it has fired.
type deadline struct {
	timer   *time.Timer
	expired bool
}

func (d *deadline) start(limit time.Duration) *deadline {
	d.expired = false
	if d.timer == nil {
		d.timer = time.NewTimer(limit)
	} else {
		d.timer.Reset(limit)
	}
	return d
}

// begin starts a read that has to end within limit.
func (p *statfsPool) begin(statfs func(path string) (Space, error), limit time.Duration) {
	p.statfs = statfs
	p.read.start(limit)
}

// end releases the free worker: after a read only those whose calls hang are left.
func (p *statfsPool) end() {
	p.releaseWorker()
	p.read.timer.Stop()
}

func (p *statfsPool) request(m *mountState) {
	if p.worker == nil {
		p.worker = make(chan statfsRequest)
		go serveStatfs(p.statfs, p.worker)
	}
	p.worker <- statfsRequest{m.path, m.results}
}

func serveStatfs(statfs func(path string) (Space, error), requests <-chan statfsRequest) {
	for r := range requests {
		space, err := statfs(r.path)
		r.results <- statfsResult{space, err}
	}
}

// releaseWorker makes the worker end after its current call.
func (p *statfsPool) releaseWorker() {
	if p.worker != nil {
		close(p.worker)
		p.worker = nil
	}
}

// requestAll requests the space of every filesystem that has no call under way: one after the other while they are fast, concurrently when one
// is not.
func (f *Filesystems) requestAll(now time.Time) {
	p := &f.pool
	p.begin(f.statfs, min(readDeadline, f.timeout))
	defer p.end()
	late := false
	for _, m := range f.mounts {
		if !m.requestedAt.IsZero() || now.Before(m.retryAt) {
			continue
		}
		m.requestedAt = now
		p.request(m)
		if m.slow || !m.await(p.soft.start(min(softDeadline, f.timeout))) {
			p.releaseWorker()
			late = true
		}
	}
	if !late {
		return
	}
	for _, m := range f.mounts {
		if m.requestedAt.Equal(now) && !m.slow && !m.await(&p.read) {
			m.slow = true
			m.stuck = m.stuck || f.timeout <= readDeadline
		}
	}
	p.soft.start(softDeadline)
	for _, m := range f.mounts {
		if m.requestedAt.Equal(now) && m.slow && m.await(&p.soft) {
			m.slow = false
		}
	}
}

// await takes the result if it comes before the deadline.
func (m *mountState) await(d *deadline) bool {
	select {
	case result := <-m.results:
		m.take(result)
		return true
	default:
	}
	if d.expired {
		return false
	}
	select {
	case result := <-m.results:
		m.take(result)
		return true
	case <-d.timer.C:
		d.expired = true
		return false
	}
}

func (m *mountState) take(result statfsResult) {
	m.answered, m.space, m.err = true, result.space, result.err
	m.requestedAt = time.Time{}
	m.stuck, m.failed = false, 0
}

// takeLateResult takes a result that came after the deadline of the last read. If it is an error, such as a soft NFS mount returns
// after minutes, the mount stays stuck and is tried again after increasing intervals.
func (m *mountState) takeLateResult(now time.Time, timeout time.Duration) {
	stuck, failed := m.stuck, m.failed
	select {
	case result := <-m.results:
		m.take(result)
	default:
		return
	}
	if stuck && m.err != nil {
		m.stuck, m.failed = true, failed+1
		m.retryAt = now.Add(min(timeout<<min(m.failed, 16), maxBackOff))
	}
}

// problem returns the error of the mount at the end of a read.
func (m *mountState) problem(now time.Time, timeout time.Duration) error {
	if !m.requestedAt.IsZero() && now.Sub(m.requestedAt) >= timeout {
		m.stuck = true
	}
	switch {
	case m.stuck:
		return fmt.Errorf("no answer within %v: %w", timeout, os.ErrDeadlineExceeded)
	case m.answered && m.err != nil && !errors.Is(m.err, os.ErrNotExist): // That is no error: unmounted since the table was read.
		return m.err
	}
	return nil
}

// spaceOf divides the blocks of a filesystem, of which bfree are free and bavail free for any user. Numbers that contradict each
// other, as some FUSE filesystems and servers return, are cut to fit, so that the parts sum to the total; a size of 2^63 bytes or more is
// ignored. What ran below 0 is 0: a filesystem that is more than full for ordinary users has no space for them.
func spaceOf(blocks, bfree, bavail, blockSize, files, ffree uint64) Space {
	s := Space{Inodes: absent, InodesUsed: absent, InodesFree: absent}
	if high, total := bits.Mul64(blocks, blockSize); high == 0 && total <= math.MaxInt64 {
		bavail = countOf(bavail, blocks, blockSize)
		if bfree > blocks && !isNegative(bfree, blockSize) {
			bfree = bavail // No count of this filesystem; what is free for all is free.
		}
		bfree = countOf(bfree, blocks, blockSize)
		bavail = min(bavail, bfree)
		s.Total = int64(total)
		s.Free = int64(bavail * blockSize)
		s.Reserved = int64((bfree - bavail) * blockSize)
		s.Used = s.Total - s.Free - s.Reserved
	}
	if files > 0 && files <= math.MaxInt64 {
		s.Inodes = int64(files)
		s.InodesFree = int64(countOf(ffree, files, 1))
		s.InodesUsed = s.Inodes - s.InodesFree
	}
	return s
}

// countOf is what a count of free blocks or inodes means: none if it ran below 0, and never more than all.
func countOf(count, all, unit uint64) uint64 {
	if count > all && isNegative(count, unit) {
		return 0
	}
	return min(count, all)
}

// isNegative tells whether a count is one that ran below 0: of 64 bits or of 32, or of bytes of 64 bits that were divided into blocks since.
func isNegative(count, unit uint64) bool {
	high, bytes := bits.Mul64(count, max(unit, 1))
	return count > math.MaxInt64 || count >= 1<<31 && count < 1<<32 || high == 0 && bytes > math.MaxInt64
}

package host

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"
	"time"
)

// asker makes the calls that may hang. A worker makes one after the other while all are prompt; one that is held up is left: it
// ends after its answer, and another takes its place.
type asker struct {
	statfs func(path string) (Space, error)
	worker chan question // to the one that is free; nil without
	prompt deadline      // of one filesystem
	whole  deadline      // of the read
}

type question struct {
	path    string
	answers chan<- spaceAnswer
}

type spaceAnswer struct {
	space Space
	err   error
}

// deadline is a timer that remembers that it has fired.
type deadline struct {
	timer *time.Timer
	over  bool
}

func (d *deadline) starting(limit time.Duration) *deadline {
	d.over = false
	if d.timer == nil {
		d.timer = time.NewTimer(limit)
	} else {
		d.timer.Reset(limit)
	}
	return d
}

// begin opens a read that is to be over after limit.
func (a *asker) begin(statfs func(path string) (Space, error), limit time.Duration) {
	a.statfs = statfs
	a.whole.starting(limit)
}

// end lets the free worker go: none outlives a read but those that are held up.
func (a *asker) end() {
	a.leave()
	a.whole.timer.Stop()
}

func (a *asker) ask(m *mountState) {
	if a.worker == nil {
		a.worker = make(chan question)
		go work(a.statfs, a.worker)
	}
	a.worker <- question{m.path, m.answers}
}

func work(statfs func(path string) (Space, error), questions <-chan question) {
	for q := range questions {
		space, err := statfs(q.path)
		q.answers <- spaceAnswer{space, err}
	}
}

func (a *asker) leave() {
	if a.worker != nil {
		close(a.worker)
		a.worker = nil
	}
}

// askAll asks every filesystem that is to be asked, one after the other while they are prompt, side by side where they are not.
func (f *Filesystems) askAll(now time.Time) {
	a := &f.asker
	a.begin(f.statfs, min(patience, f.timeout))
	defer a.end()
	late := false
	for _, m := range f.mounts {
		if !m.asked.IsZero() || now.Before(m.retryAt) {
			continue
		}
		m.asked = now
		a.ask(m)
		if m.slow || !m.await(a.prompt.starting(min(promptness, f.timeout))) {
			a.leave()
			late = true
		}
	}
	if !late {
		return
	}
	for _, m := range f.mounts {
		if m.asked.Equal(now) && !m.slow && !m.await(&a.whole) {
			m.slow = true
			m.stuck = m.stuck || f.timeout <= patience
		}
	}
	a.prompt.starting(promptness)
	for _, m := range f.mounts {
		if m.asked.Equal(now) && m.slow && m.await(&a.prompt) {
			m.slow = false
		}
	}
}

// await takes the answer if it comes before the deadline.
func (m *mountState) await(d *deadline) bool {
	select {
	case answer := <-m.answers:
		m.take(answer)
		return true
	default:
	}
	if d.over {
		return false
	}
	select {
	case answer := <-m.answers:
		m.take(answer)
		return true
	case <-d.timer.C:
		d.over = true
		return false
	}
}

func (m *mountState) take(answer spaceAnswer) {
	m.answered, m.space, m.err = true, answer.space, answer.err
	m.asked = time.Time{}
	m.stuck, m.failed = false, 0
}

// takeLate takes an answer that came after the last read had given up on it. One that is an error, as a soft NFS mount gives
// after minutes, does not free a stuck mount, which is tried again after longer and longer times.
func (m *mountState) takeLate(now time.Time, timeout time.Duration) {
	stuck, failed := m.stuck, m.failed
	select {
	case answer := <-m.answers:
		m.take(answer)
	default:
		return
	}
	if stuck && m.err != nil {
		m.stuck, m.failed = true, failed+1
		m.retryAt = now.Add(min(timeout<<min(m.failed, 16), maxBackOff))
	}
}

// judge tells what is wrong with the mount at the end of a read.
func (m *mountState) judge(now time.Time, timeout time.Duration) error {
	if !m.asked.IsZero() && now.Sub(m.asked) >= timeout {
		m.stuck = true
	}
	switch {
	case m.stuck:
		return fmt.Errorf("no answer within %v: %w", timeout, os.ErrDeadlineExceeded)
	case m.answered && m.err != nil && !errors.Is(m.err, os.ErrNotExist): // Without an error: unmounted since the table was read.
		return m.err
	}
	return nil
}

// spaceOf divides the blocks of a filesystem, of which bfree are free and bavail free for any user. Numbers that contradict each
// other, as some FUSE filesystems give, are cut to fit; a size beyond 2^63 bytes is no size.
func spaceOf(blocks, bfree, bavail, blockSize, files, ffree uint64) Space {
	s := Space{Inodes: absent, InodesUsed: absent, InodesFree: absent}
	if high, total := bits.Mul64(blocks, blockSize); high == 0 && total <= math.MaxInt64 {
		bfree = min(bfree, blocks)
		bavail = min(bavail, bfree)
		s.Total = int64(total)
		s.Free = int64(bavail * blockSize)
		s.Reserved = int64((bfree - bavail) * blockSize)
		s.Used = s.Total - s.Free - s.Reserved
	}
	if files > 0 && files <= math.MaxInt64 {
		s.Inodes = int64(files)
		s.InodesFree = int64(min(ffree, files))
		s.InodesUsed = s.Inodes - s.InodesFree
	}
	return s
}

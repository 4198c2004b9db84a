package host

import (
	"errors"
	"io/fs"
)

// MountHealth is what is known of a mount, whether or not its space is.
type MountHealth struct {
	*Mount
	// Answer: whether the filesystem gave its space.
	Answer     Answer
	filesystem string // st_dev as major:minor
}

// Answer is what came of asking a filesystem for its space.
type Answer int

// What can come of it.
const (
	AnswerUnknown Answer = iota // none yet, or this process may not ask
	AnswerSpace
	AnswerError // an error, or none in time
)

// Health gives the filesystems of the last Read, each once as Read does. Those without any space are left out. The slice is valid until the next Read.
func (f *Filesystems) Health() []MountHealth { return f.health }

// addHealth notes what the last read has shown of a mount, whose problem was as given.
func (f *Filesystems) addHealth(m *mountState, problem error) {
	h := MountHealth{Mount: &m.Mount, filesystem: m.filesystem}
	switch {
	case errors.Is(problem, fs.ErrPermission): // The way to the mount point is closed to this process; that says nothing of the filesystem.
	case problem != nil:
		h.Answer = AnswerError
	case m.answered && m.err != nil, m.answered && m.space.Total <= 0:
		return // Unmounted meanwhile, or without any space.
	case m.answered:
		h.Answer = AnswerSpace
	}
	f.health = append(f.health, h)
}

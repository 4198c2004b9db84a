package host

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestHealthOfFilesystems: each is there once, whether or not it gives its space, unless nothing is known of it.
func TestHealthOfFilesystems(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/1/mountinfo": `1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 8:2 / /ro ro - ext4 /dev/sda2 ro
3 1 8:3 / /broken rw - xfs /dev/sda3 rw
4 1 8:4 / /closed rw - ext4 /dev/sda4 rw
5 1 8:5 / /gone rw - ext4 /dev/sda5 rw
6 1 8:6 / /empty rw - ext4 /dev/sda6 rw
7 1 8:2 / /again rw - ext4 /dev/sda2 ro
`})
	fs := NewFilesystems(h, time.Minute, func(*Mount) bool { return true })
	fs.statfs = func(path string) (Space, error) {
		switch strings.TrimPrefix(path, h.Root()) {
		case "/broken":
			return Space{}, unix.EIO
		case "/closed":
			return Space{}, unix.EACCES
		case "/gone":
			return Space{}, os.ErrNotExist
		case "/empty":
			return Space{}, nil
		}
		return Space{Total: 1}, nil
	}
	_, err := fs.Read(time.Now())
	require.ErrorIs(t, err, unix.EIO)
	type health struct {
		readOnly bool
		answer   Answer
	}
	got := make(map[string]health)
	for _, m := range fs.Health() {
		got[m.Mountpoint] = health{m.ReadOnly, m.Answer}
	}
	assert.Equal(t, map[string]health{
		"/": {false, AnswerSpace}, "/ro": {true, AnswerSpace}, "/broken": {false, AnswerError}, "/closed": {false, AnswerUnknown},
	}, got)
}

func TestAMountThatDoesNotAnswerIsAnError(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/1/mountinfo": "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"})
	fs := NewFilesystems(h, time.Millisecond, func(*Mount) bool { return true })
	release := make(chan struct{})
	fs.statfs = func(string) (Space, error) { <-release; return Space{Total: 1}, nil }
	_, err := fs.Read(time.Now())
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.Equal(t, AnswerError, fs.Health()[0].Answer)
	close(release)
	require.Eventually(t, func() bool {
		h.Begin()
		_, err = fs.Read(time.Now())
		return err == nil && fs.Health()[0].Answer == AnswerSpace
	}, time.Minute, time.Millisecond)
}

func TestErrorsOfExt4(t *testing.T) {
	h := hostWith(t, map[string]string{"sys/fs/ext4/dm-3/errors_count": "7\n", "sys/devices/virtual/block/dm-3/dev": "253:3\n"})
	link(t, h.Root(), "sys/dev/block/253:3", "../../devices/virtual/block/dm-3")
	e := NewExt4Errors(h)
	read := func(device, kind string) int64 {
		return e.Read(&MountHealth{Mount: &Mount{Type: kind}, filesystem: device})
	}
	e.Begin()
	assert.EqualValues(t, 7, read("253:3", "ext4"), "by the name that the kernel has for the device")
	assert.EqualValues(t, absent, read("253:3", "xfs"))
	assert.EqualValues(t, absent, read("8:1", "ext4"))
	e.End()
	assert.Len(t, e.known, 2)
	e.Begin()
	put(t, h.Root(), "sys/fs/ext4/dm-3/errors_count", "8\n")
	assert.EqualValues(t, 8, read("253:3", "ext4"))
	e.End()
	assert.Len(t, e.known, 1, "what is unmounted is forgotten")
	require.NoError(t, e.Close())
}

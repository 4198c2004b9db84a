// Package boundedfile reads the files that a configuration names: regular ones of a bounded size. A FIFO in the place of one would hang the start of the
// Collector, and a device or a huge file take all memory.
package boundedfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrNotRegular is returned for what is no regular file: a directory, a FIFO, a socket or a device.
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLarge is returned for a file with more bytes than are allowed.
var ErrTooLarge = errors.New("file too large")

// Read returns the content of the regular file at path, which may have limit bytes. It follows links. It does not wait for a file that is no regular one.
// The error names the path.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // Nothing was written.
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.Size() > limit:
		return nil, tooLarge(path, limit)
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit { // It grew, or its size is not known before it is read.
		return nil, tooLarge(path, limit)
	}
	return text, nil
}

// Open opens the regular file at path for reading, whatever its size. It follows links, and does not wait for a file that is no regular one. The error
// names the path.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	if err != nil {
		_ = f.Close() // Nothing was written.
		return nil, err
	}
	return f, nil
}

func tooLarge(path string, limit int64) error {
	return &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: it may have %d bytes", ErrTooLarge, limit)}
}

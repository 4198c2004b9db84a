//go:build !linux

package host

// TextFiles is for Linux.
func (*Host) TextFiles(string, string, int) ([]TextFile, error) { return nil, ErrUnsupported }

// ReadTextFile is for Linux.
func (*Host) ReadTextFile(string, string, int64) ([]byte, error) { return nil, ErrUnsupported }

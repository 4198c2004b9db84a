//go:build !linux

package host

import (
	"errors"
	"fmt"
	"time"
)

// platform is what the portable reader keeps between scrapes.
type platform struct {
	boot  time.Time
	cores int
}

func (p *platform) init(string) {}

// Begin starts a scrape. Gopsutil reads each statistic when it is requested, so there is nothing to reset.
func (h *Host) Begin() {}

// KeepOpen does nothing: no file is read here.
func (h *Host) KeepOpen() {}

// Close does nothing: nothing is kept open.
func (h *Host) Close() error { return nil }

// read and those below it are what the readers of Linux's files call. Here there are no such files, so that a statistic that only
// Linux has is ErrUnsupported, and its reader needs no build constraint.
func (h *Host) read(string) ([]byte, error) { return nil, ErrUnsupported }

func (h *Host) readHeld(string) ([]byte, error) { return nil, ErrUnsupported }

func (h *Host) readOnce(_ string, buf []byte) ([]byte, error) { return buf[:0], ErrUnsupported }

func (h *Host) exists(string) bool { return false }

func (h *Host) readInRoot(string) ([]byte, error) { return nil, ErrUnsupported }

func (h *Host) list(string) []string { return nil }

// optional has nothing to turn: the error is ErrUnsupported already.
func optional(err error) error { return err }

func checkRootPlatform(root string) error {
	return fmt.Errorf("opening the host's root: %s: another root than the system's own can be read on Linux only: %w", root, ErrUnsupported)
}

// portable gives an error of gopsutil its class. ErrUnsupported is returned as it is, because it is no error of reading. Gopsutil keeps its own error for
// that in an internal package, so that only the text can tell.
func portable(operation string, err error) error {
	if errors.Is(err, errors.ErrUnsupported) || err.Error() == "not implemented yet" {
		return ErrUnsupported
	}
	return fmt.Errorf("%s: %w", operation, err)
}

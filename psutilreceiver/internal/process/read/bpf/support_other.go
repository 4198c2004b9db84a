//go:build !linux || (!amd64 && !arm64)

package bpf

import (
	"errors"
	"runtime"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// Reader does not exist on this system.
type Reader struct{ *read.Reader }

// Exists tells whether this system has the reader at all.
const Exists = false

// Supported says that there is no such reader on this system.
func Supported(string) error {
	return errors.New("it takes Linux on amd64 or arm64, and this is " + runtime.GOOS + " on " + runtime.GOARCH)
}

// New fails: see [Supported].
func New(*read.Reader) (*Reader, error) { return nil, Supported("") }

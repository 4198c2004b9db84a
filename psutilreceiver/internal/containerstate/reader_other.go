//go:build !linux

package containerstate

import "time"

// Reader knows of no containers.
type Reader struct{}

// NewReader returns a Reader.
func NewReader(string) *Reader { return &Reader{} }

// Begin does nothing.
func (*Reader) Begin(time.Time) {}

// Container returns nothing.
func (*Reader) Container(string) Container { return Container{Complete: true} }

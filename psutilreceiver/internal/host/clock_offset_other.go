//go:build !linux

package host

import "time"

// ClockOffset is ErrUnsupported here.
func ClockOffset() (time.Duration, error) { return 0, ErrUnsupported }

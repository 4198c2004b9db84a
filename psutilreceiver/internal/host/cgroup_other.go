//go:build !linux

package host

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
)

// Cgroups reads control groups, which only Linux has.
type Cgroups struct{}

// NewCgroups returns a reader of nothing.
func NewCgroups(*Host, CgroupOptions) *Cgroups { return &Cgroups{} }

// Read returns ErrUnsupported.
func (*Cgroups) Read() ([]*Cgroup, error) { return nil, ErrUnsupported }

// FileErrors is nil.
func (*Cgroups) FileErrors() error { return nil }

// Whole is empty.
func (*Cgroups) Whole() (now, before *cgroup.Sample) { return nil, nil }

// Device is "".
func (*Cgroups) Device(uint32, uint32) string { return "" }

// Close does nothing.
func (*Cgroups) Close() error { return nil }

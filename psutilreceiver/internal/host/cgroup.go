package host

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
)

// Cgroup is a control group: a container, a service, or any other, none of which lies in another that is read.
type Cgroup struct {
	cgroup.Name
	// Identity distinguishes the group from a later one of the same path.
	Identity uint64
	// Created is when the group was made, as far as the kernel keeps it: when it first looked the directory up.
	Created time.Time
	// New tells that the group was not there in the last scan.
	New bool
	// Now is what this scan read, and Before what the last one did, nil if that did not read the group.
	Now, Before *cgroup.Sample
}

// CgroupOptions say what is read of control groups.
type CgroupOptions struct {
	Wanted cgroup.Wanted
	// Depth is how far below the root groups are distinguished; 0 is as far as there are services and containers.
	Depth int
}

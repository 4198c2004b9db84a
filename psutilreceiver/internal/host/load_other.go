//go:build !linux

package host

import (
	"context"

	"github.com/shirou/gopsutil/v3/load"
)

// Load gives the load averages. The number of tasks is not known: gopsutil would start ps to count them.
func (h *Host) Load() (Load, error) {
	// On Windows the first call starts the sampler that makes up the averages, and ends it with the context of that call. It
	// must outlive the scrape.
	avg, err := load.AvgWithContext(context.Background())
	if err != nil {
		return Load{}, portable("reading the load average", err)
	}
	return Load{Avg1: avg.Load1, Avg5: avg.Load5, Avg15: avg.Load15, Tasks: absent}, nil
}

package psutilreceiver

import (
	"errors"
	"fmt"
	"slices"
)

// CgroupConfig configures the cgroup scraper.
type CgroupConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// Include and Exclude select groups before their files are read. A group is included if every list of Include that is not empty has a match
	// for it, and no list of Exclude has one.
	Include CgroupMatch `mapstructure:"include"`
	Exclude CgroupMatch `mapstructure:"exclude"`

	// Depth is how far below the root groups are distinguished; 0 is as far as there are services and containers.
	Depth int `mapstructure:"depth"`
	// Top shows the first N groups by each key.
	Top ProcessTop `mapstructure:"top"`
	// Other adds what Top leaves out as one resource with linux.cgroup.path `other`.
	Other bool `mapstructure:"other"`
}

// CgroupMatch lists values of attributes of groups; within one list any value will do.
type CgroupMatch struct {
	// Paths has paths from the root of the hierarchy, such as /system.slice/nginx.service, or patterns of them.
	Paths []string `mapstructure:"paths"`
	// Units has names of units of systemd.
	Units []string `mapstructure:"units"`
	// Containers has names or identifiers of containers.
	Containers []string `mapstructure:"containers"`
	// MatchType is strict, the default, or regexp.
	MatchType MatchType `mapstructure:"match_type"`
}

// Validate checks the match type and that every pattern compiles.
func (m *CgroupMatch) Validate() error {
	return checkMatch(slices.Concat(m.Paths, m.Units, m.Containers), m.MatchType)
}

func (m *CgroupMatch) isEmpty() bool { return len(m.Paths)+len(m.Units)+len(m.Containers) == 0 }

func defaultCgroupConfig() CgroupConfig {
	return CgroupConfig{
		Top:   ProcessTop{N: 100, By: []string{rankCPU, rankMemory, rankDiskIO}, Hysteresis: 1.5},
		Other: true,
	}
}

// The keys that groups are ranked by.
const (
	rankCPU    = "cpu"     // CPU time since the last scrape
	rankMemory = "memory"  // the working set
	rankDiskIO = "disk_io" // bytes since the last scrape
)

// Validate checks the depth and the ranking.
func (c *CgroupConfig) Validate() error {
	var errs []error
	if c.Depth < 0 {
		errs = append(errs, fmt.Errorf("depth is %d: must be 1 or more, or 0 for services and containers wherever they are", c.Depth))
	}
	return errors.Join(append(errs, c.Top.validate())...)
}

func (t *ProcessTop) validate() error {
	switch {
	case t.N < 0:
		return fmt.Errorf("top::n is %d: must not be negative", t.N)
	case t.N > 0 && len(t.By) == 0:
		return fmt.Errorf("top::by is empty: must name %s, %s or %s", rankCPU, rankMemory, rankDiskIO)
	case t.N > 0 && !(t.Hysteresis >= 1):
		return fmt.Errorf("top::hysteresis is %v: must be at least 1", t.Hysteresis)
	}
	for i, key := range t.By {
		if key != rankCPU && key != rankMemory && key != rankDiskIO {
			return fmt.Errorf("top::by has %q: must be %s, %s or %s", key, rankCPU, rankMemory, rankDiskIO)
		}
		if slices.Contains(t.By[:i], key) {
			return fmt.Errorf("top::by has %q twice", key)
		}
	}
	return nil
}

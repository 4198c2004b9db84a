package psutilreceiver

import (
	"errors"
	"fmt"
	"regexp"

	"go.opentelemetry.io/collector/filter"

	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// MatchType is how names are compared with those in the configuration.
type MatchType string

// The match types.
const (
	MatchStrict MatchType = "strict" // the whole name; the default
	MatchRegexp MatchType = "regexp" // a regular expression, anywhere in the name unless it is anchored
)

// DeviceMatch lists devices.
type DeviceMatch struct {
	// Devices has names, such as sda, or patterns of them.
	Devices []string `mapstructure:"devices"`
	// MatchType is strict, the default, or regexp.
	MatchType MatchType `mapstructure:"match_type"`
}

// InterfaceMatch lists network interfaces.
type InterfaceMatch struct {
	// Interfaces has names, such as eth0, or patterns of them.
	Interfaces []string `mapstructure:"interfaces"`
	// MatchType is strict, the default, or regexp.
	MatchType MatchType `mapstructure:"match_type"`
}

// FSTypeMatch lists filesystem types.
type FSTypeMatch struct {
	// FSTypes has types, such as ext4, or patterns of them.
	FSTypes []string `mapstructure:"fs_types"`
	// MatchType is strict, the default, or regexp.
	MatchType MatchType `mapstructure:"match_type"`
}

// MountPointMatch lists mount points, as the host sees them.
type MountPointMatch struct {
	// MountPoints has paths, such as /var, or patterns of them.
	MountPoints []string `mapstructure:"mount_points"`
	// MatchType is strict, the default, or regexp.
	MatchType MatchType `mapstructure:"match_type"`
}

// Validate checks the match type and that every pattern compiles.
func (m *DeviceMatch) Validate() error { return checkMatch(m.Devices, m.MatchType) }

// Validate checks the match type and that every pattern compiles.
func (m *InterfaceMatch) Validate() error { return checkMatch(m.Interfaces, m.MatchType) }

// Validate checks the match type and that every pattern compiles.
func (m *FSTypeMatch) Validate() error { return checkMatch(m.FSTypes, m.MatchType) }

// Validate checks the match type and that every pattern compiles.
func (m *MountPointMatch) Validate() error { return checkMatch(m.MountPoints, m.MatchType) }

func checkMatch(patterns []string, matchType MatchType) error {
	switch matchType {
	case "", MatchStrict:
		return nil
	case MatchRegexp:
		var errs []error
		for _, p := range patterns {
			if _, err := regexp.Compile(p); err != nil {
				errs = append(errs, fmt.Errorf("pattern %q: %w", p, err))
			}
		}
		return errors.Join(errs...)
	}
	return fmt.Errorf("match_type is %q: allowed are %s, %s", matchType, MatchStrict, MatchRegexp)
}

// selection is a choice of names: all, or those included, less those excluded.
type selection struct {
	include, exclude filter.Filter // nil without a list
}

func newSelection(include []string, includeType MatchType, exclude []string, excludeType MatchType) selection {
	return selection{include: newFilter(include, includeType), exclude: newFilter(exclude, excludeType)}
}

// newFilter takes patterns that have been validated.
func newFilter(patterns []string, matchType MatchType) filter.Filter {
	if len(patterns) == 0 {
		return nil
	}
	configs := make([]filter.Config, len(patterns))
	for i, p := range patterns {
		if matchType == MatchRegexp {
			configs[i].Regex = p
		} else {
			configs[i].Strict = p
		}
	}
	return filter.CreateFilter(configs)
}

// included is whether the list of what to include matches the name; false without a list.
func (s *selection) included(name string) bool {
	return s.include != nil && s.include.Matches(printable.Name(name))
}

// matches is whether the name is chosen. What is matched is the name as metrics have it.
func (s *selection) matches(name string) bool {
	name = printable.Name(name)
	return (s.include == nil || s.include.Matches(name)) && (s.exclude == nil || !s.exclude.Matches(name))
}

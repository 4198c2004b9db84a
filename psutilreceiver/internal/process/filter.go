package process

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// A Match lists values of a process's attributes. Within one list any value will do.
type Match struct {
	PIDs         []int32
	Names        []string // of Identity.Executable or of the kernel's comm: either may match
	Executables  []string // of Identity.ExecutablePath
	Owners       []string
	Cgroups      []string // of Identity.Cgroup
	CommandLines []string // of Identity.CommandLine, with its secrets masked
	Regexp       bool     // The strings are regular expressions, which match anywhere in the value unless they are anchored.
}

// filterKey is one row of the table of filter keys: a list of strings of a [Match].
type filterKey struct {
	name   string
	values func(*Match) []string
	needs  read.Attributes // which have the value that is compared
	value  func(*read.Identity) string
	orComm bool // the kernel's comm is compared, too
}

// filterKeys is the table of filter keys, the cheapest to evaluate first. Beside them there are pids.
var filterKeys = []filterKey{
	{
		name: "names", values: func(m *Match) []string { return m.Names }, needs: read.AttributeExecutable, orComm: true,
		value: func(id *read.Identity) string { return id.Executable },
	},
	{
		name: "executables", values: func(m *Match) []string { return m.Executables }, needs: read.AttributeExecutable,
		value: func(id *read.Identity) string { return id.ExecutablePath },
	},
	{
		name: "owners", values: func(m *Match) []string { return m.Owners }, needs: read.AttributeOwner,
		value: func(id *read.Identity) string { return id.Owner },
	},
	{
		name: "cgroups", values: func(m *Match) []string { return m.Cgroups }, needs: read.AttributeCgroup,
		value: func(id *read.Identity) string { return id.Cgroup },
	},
	{
		name: "command_lines", values: func(m *Match) []string { return m.CommandLines }, needs: read.AttributeCommandLine,
		value: func(id *read.Identity) string { return id.CommandLine },
	},
}

// A Filter says which processes are included. A process is included if it is at least MinAge old, every list of Include that is not empty has
// a match for it, and no list of Exclude has one.
type Filter struct {
	Include, Exclude Match
	MinAge           time.Duration
}

// matcher compares one attribute. The zero matcher stands for an empty list.
type matcher struct {
	exact       []string
	expressions []*regexp.Regexp
}

func (m *matcher) empty() bool { return len(m.exact) == 0 && len(m.expressions) == 0 }

func (m *matcher) matches(value string) bool {
	if slices.Contains(m.exact, value) {
		return true
	}
	return slices.ContainsFunc(m.expressions, func(e *regexp.Regexp) bool { return e.MatchString(value) })
}

// attributeRule compares one attribute with both sides of a filter.
type attributeRule struct {
	filterKey
	include, exclude matcher
}

// filter is a compiled [Filter], with the rules of the keys that are used.
type filter struct {
	minAge                   time.Duration
	includePIDs, excludePIDs []int32
	rules                    []attributeRule
}

func newFilter(f Filter) (*filter, error) {
	out := &filter{minAge: f.MinAge, includePIDs: f.Include.PIDs, excludePIDs: f.Exclude.PIDs}
	var errs []error
	for _, key := range filterKeys {
		r := attributeRule{filterKey: key}
		var err error
		if r.include, err = newMatcher(key.values(&f.Include), f.Include.Regexp); err != nil {
			errs = append(errs, fmt.Errorf("include %s: %w", key.name, err))
		}
		if r.exclude, err = newMatcher(key.values(&f.Exclude), f.Exclude.Regexp); err != nil {
			errs = append(errs, fmt.Errorf("exclude %s: %w", key.name, err))
		}
		if !r.include.empty() || !r.exclude.empty() {
			out.rules = append(out.rules, r)
		}
	}
	return out, errors.Join(errs...)
}

func newMatcher(values []string, expressions bool) (matcher, error) {
	if !expressions {
		return matcher{exact: values}, nil
	}
	var m matcher
	for _, v := range values {
		e, err := regexp.Compile(v)
		if err != nil {
			return matcher{}, err
		}
		m.expressions = append(m.expressions, e)
	}
	return m, nil
}

// needs returns the attributes that rules compare.
func (f *filter) needs() (needs read.Attributes) {
	for i := range f.rules {
		needs |= f.rules[i].needs
	}
	return needs
}

// includesEnd tells whether the filter includes processes that ended before any scan saw them, and of which id has what is known. Where a rule asks for
// something that is not known, they are taken to be as their ancestor is. They are younger than the age, if that is positive. Nobody names their pids.
func (f *filter) includesEnd(comm string, id *read.Identity, younger time.Duration, ancestorIncluded bool) bool {
	if younger > 0 && f.minAge >= younger || len(f.includePIDs) > 0 {
		return false
	}
	for i := range f.rules {
		r := &f.rules[i]
		value := r.value(id)
		known := value != ""
		excluded := known && r.exclude.matches(value) || r.orComm && r.exclude.matches(comm)
		included := r.include.empty() || known && r.include.matches(value) || r.orComm && r.include.matches(comm)
		if excluded || !included && (known || !ancestorIncluded) {
			return false
		}
	}
	return true
}

// includes tells whether the filter includes a process. identify is called only for attributes that a rule needs, and only when cheaper rules
// have included the process.
func (f *filter) includes(s *read.Sample, id *read.Identity, identify func(read.Attributes)) bool {
	if len(f.includePIDs) > 0 && !slices.Contains(f.includePIDs, s.PID) || slices.Contains(f.excludePIDs, s.PID) {
		return false
	}
	for i := range f.rules {
		r := &f.rules[i]
		included := r.include.empty()
		if r.orComm {
			comm := s.Comm()
			if r.exclude.matches(comm) {
				return false
			}
			included = included || r.include.matches(comm)
			if included && r.exclude.empty() {
				continue
			}
		}
		identify(r.needs)
		value := r.value(id)
		if r.exclude.matches(value) || !included && !r.include.matches(value) {
			return false
		}
	}
	return true
}

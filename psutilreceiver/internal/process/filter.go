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

// A Filter says which processes count. A process is kept if it is at least MinAge old, every list of Include that is not empty has a match
// for it, and no list of Exclude has one.
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

// rule compares one attribute with both sides of a filter.
type rule struct {
	needs            read.Attributes
	include, exclude matcher
	value            func(*read.Identity) string
	orComm           bool
}

// filter is a [Filter] made ready: its rules in the order of what they cost to judge.
type filter struct {
	minAge                   time.Duration
	includePIDs, excludePIDs []int32
	rules                    []rule
}

func newFilter(f Filter) (*filter, error) {
	out := &filter{minAge: f.MinAge, includePIDs: f.Include.PIDs, excludePIDs: f.Exclude.PIDs}
	var errs []error
	add := func(key string, include, exclude []string, r rule) {
		var err error
		if r.include, err = newMatcher(include, f.Include.Regexp); err != nil {
			errs = append(errs, fmt.Errorf("include %s: %w", key, err))
		}
		if r.exclude, err = newMatcher(exclude, f.Exclude.Regexp); err != nil {
			errs = append(errs, fmt.Errorf("exclude %s: %w", key, err))
		}
		if !r.include.empty() || !r.exclude.empty() {
			out.rules = append(out.rules, r)
		}
	}
	in, ex := &f.Include, &f.Exclude
	add("names", in.Names, ex.Names,
		rule{needs: read.AttributeExecutable, orComm: true, value: func(id *read.Identity) string { return id.Executable }})
	add("executables", in.Executables, ex.Executables,
		rule{needs: read.AttributeExecutable, value: func(id *read.Identity) string { return id.ExecutablePath }})
	add("owners", in.Owners, ex.Owners, rule{needs: read.AttributeOwner, value: func(id *read.Identity) string { return id.Owner }})
	add("cgroups", in.Cgroups, ex.Cgroups, rule{needs: read.AttributeCgroup, value: func(id *read.Identity) string { return id.Cgroup }})
	add("command_lines", in.CommandLines, ex.CommandLines,
		rule{needs: read.AttributeCommandLine, value: func(id *read.Identity) string { return id.CommandLine }})
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

// keeps judges a process. identify is asked only for attributes that a rule needs and only once cheaper rules have let the process pass.
func (f *filter) keeps(s *read.Sample, id *read.Identity, identify func(read.Attributes)) bool {
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

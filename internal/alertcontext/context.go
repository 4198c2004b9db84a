package alertcontext

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Alert is the alert that is asked about.
type Alert struct {
	// ID and Episode are those of the alert's records.
	ID, Episode string
	// Metric is the name of the metric of the rule: of a rule about a share it is "of / to".
	Metric string
	// Unit is that of the rule's values in UCUM, "1" for a share, and Value the newest of them, NaN where it is not known.
	Unit  string
	Value float64
	// Resource has the attributes of the host or service, as far as they identify it, and Group those of the alert's group.
	Resource, Group map[string]string
	// LowIsBad tells that a low value is what the rule looks for: of several series the lowest decides, else the highest.
	LowIsBad bool
	// Started is when the episode began, and Until when the hour ends that is asked for.
	Started, Until time.Time
}

// Context is what was around an alert.
type Context struct {
	// Metric and Unit are those of Values: a counter's are a second. Unit is in UCUM.
	Metric, Unit string
	// From and Until are the time that Values divide into equal parts. A part without a value is NaN. None: the series is not known.
	From, Until time.Time
	Values      []float64
	// Processes are those that took the most when the episode began, the largest first.
	Processes []Process
	// Moved are the series whose values changed most when the episode began.
	Moved []Change
}

// Process is what a process took.
type Process struct {
	Name string
	Pid  int64
	// CPU is in CPUs: 1 is one that is busy. NaN: not known.
	CPU float64
	// Memory is in bytes. NaN: not known.
	Memory float64
}

// Change is how a series moved, from the ten minutes before to the minute of the fire.
type Change struct {
	// Metric is its name, Part the values of its attributes, Unit that of its values.
	Metric, Part, Unit string
	Before, After      float64
}

// Describer knows the history of alerts. It is safe for concurrent use, and gives up when the context ends.
type Describer interface {
	// Describe returns what was around an alert; false when nothing is known.
	Describe(ctx context.Context, a Alert) (Context, bool)
}

var offered = struct {
	sync.Mutex
	describers []Describer
}{}

// Offer has a describer be asked, until withdraw is called.
func Offer(d Describer) (withdraw func()) {
	offered.Lock()
	defer offered.Unlock()
	offered.describers = append(offered.describers, d)
	return func() {
		offered.Lock()
		defer offered.Unlock()
		offered.describers = slices.DeleteFunc(offered.describers, func(other Describer) bool { return other == d })
	}
}

// maxAsked is how many answers are waited for at once. A describer that hangs must not pile up work.
const maxAsked = 8

var asked = make(chan struct{}, maxAsked)

// Describe asks the describers one after the other until one knows the alert. It returns no later than when the context ends; false when none has
// answered by then, or none knows the alert.
func Describe(ctx context.Context, a Alert) (Context, bool) {
	offered.Lock()
	all := slices.Clone(offered.describers)
	offered.Unlock()
	if len(all) == 0 {
		return Context{}, false
	}
	select {
	case asked <- struct{}{}:
	default:
		return Context{}, false
	}
	answers := make(chan *Context, 1)
	go func() {
		defer func() { <-asked }()
		for _, d := range all {
			if ctx.Err() != nil {
				break
			}
			if c, ok := d.Describe(ctx, a); ok {
				answers <- &c
				return
			}
		}
		answers <- nil
	}()
	select {
	case c := <-answers:
		if c == nil {
			return Context{}, false
		}
		return *c, true
	case <-ctx.Done():
		return Context{}, false
	}
}

package compat

import (
	"testing"
	"time"
)

// TestCompare: what a stall does to values is no difference, and what differs all the time is one.
func TestCompare(t *testing.T) {
	const counter, gauge = "By sum monotonic=true Cumulative Int", "By gauge Int"
	made := func(shape string, offset time.Duration, value func(i int) float64) *series {
		s := &series{metric: "made", shape: shape}
		for i := range 14 {
			s.points = append(s.points, point{time.Unix(int64(i), 0).Add(offset), value(i)})
		}
		return s
	}
	grows := func(i int) float64 { return 1000 * float64(i) }
	swings := func(i int) float64 { return []float64{1000, 1500, 800}[i%3] }
	for name, c := range map[string]struct {
		shape    string
		was, is  func(i int) float64
		accepted bool
	}{
		"the same counter":                       {counter, grows, func(i int) float64 { return grows(i) + 500 }, true},
		"read long after its time, now and then": {counter, grows, func(i int) float64 { return grows(i) + 5000*float64(i%2) }, true},
		"a counter that does not grow":           {counter, func(int) float64 { return 7 }, func(int) float64 { return 7 }, true},
		"and is one more":                        {counter, func(int) float64 { return 7 }, func(int) float64 { return 8 }, false},
		"another counter":                        {counter, grows, func(i int) float64 { return grows(i) + 100_000 }, false},
		"one that stands still":                  {counter, grows, func(int) float64 { return 0 }, false},
		"in other units":                         {counter, func(i int) float64 { return grows(i + 5) }, func(i int) float64 { return grows(i+5) / 1024 }, false},
		"one that crosses the other":             {counter, grows, func(i int) float64 { return 50_000 * float64(i-6) }, false},
		"the same level":                         {gauge, swings, func(i int) float64 { return swings(i + 1) }, true},
		"a level with peaks of its own":          {gauge, swings, func(i int) float64 { return swings(i) + 9000*float64(i%4/3) }, true},
		"a level that is another":                {gauge, swings, func(i int) float64 { return swings(i) + 2000 }, false},
		"a level that is seldom right":           {gauge, swings, func(i int) float64 { return swings(i) + 2000*float64(min(1, i%7)) }, false},
	} {
		was, is := made(c.shape, 0, c.was), made(c.shape, 500*time.Millisecond, c.is)
		if why := compare(was, is); (why == "") != c.accepted {
			t.Errorf("%s: %q", name, why)
		}
	}
	if compare(made(gauge, 0, grows), &series{metric: "made", shape: gauge}) == "" {
		t.Error("without a point there is nothing to compare")
	}
}

// Package ruletest runs alert rules on written-down series, in the notation of promtool's rule unit tests, and
// tells what the rules did: when each alert fired, changed and resolved. A command for rule tests stands on it; it reads
// no files and asks no clock.
package ruletest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Sample is one value of a written series.
type Sample struct {
	// Value is the value; it means nothing when Missing or Stale is set.
	Value float64
	// Missing is "_": no sample.
	Missing bool
	// Stale is "stale": the marker that the series has ended.
	Stale bool
}

// maxSamples bounds one series, so that a slip of the finger such as 1+1x999999999 fails and does not eat the memory.
const maxSamples = 1_000_000

// ParseValues reads series notation: values with blanks between them.
//
//	1      a value, as Go writes floats; NaN, Inf and -Inf too
//	_      no sample
//	stale  the series has ended
//	1+2x3  1 3 5 7: a start, a step, and how many more
//	1-2x3  1 -1 -3 -5
//	1x3    1 1 1 1
//	_x3    _ _ _
func ParseValues(text string) ([]Sample, error) {
	var out []Sample
	for item := range strings.FieldsSeq(text) {
		var err error
		if out, err = appendItem(out, item); err != nil {
			return nil, fmt.Errorf("parsing %q: %w", item, err)
		}
	}
	return out, nil
}

func appendItem(out []Sample, item string) ([]Sample, error) {
	switch {
	case strings.HasPrefix(item, "{{"):
		return nil, fmt.Errorf("histograms are not supported")
	case item == "_":
		return appendRun(out, Sample{Missing: true}, 0, 1)
	case item == "stale":
		return appendRun(out, Sample{Stale: true}, 0, 1)
	}
	head, times, repeated := strings.Cut(item, "x")
	if !repeated {
		v, err := parseFloat(head)
		if err != nil {
			return nil, err
		}
		return appendRun(out, Sample{Value: v}, 0, 1)
	}
	n, err := strconv.ParseUint(times, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("expected a count after x, got %q", times)
	}
	if head == "_" {
		return appendRun(out, Sample{Missing: true}, 0, int(n))
	}
	if head == "stale" {
		return nil, fmt.Errorf("stale cannot be repeated")
	}
	start, step, err := splitStep(head)
	if err != nil {
		return nil, err
	}
	return appendRun(out, Sample{Value: start}, step, int(n)+1)
}

// splitStep reads "1+2", "1-2" or "1". A sign that begins a number or follows its exponent is the number's own.
func splitStep(s string) (start, step float64, err error) {
	for i := 1; i < len(s); i++ {
		if (s[i] == '+' || s[i] == '-') && s[i-1] != 'e' && s[i-1] != 'E' {
			if start, err = parseFloat(s[:i]); err != nil {
				return 0, 0, err
			}
			if step, err = parseFloat(s[i+1:]); err != nil {
				return 0, 0, err
			}
			if s[i] == '-' {
				step = -step
			}
			return start, step, nil
		}
	}
	start, err = parseFloat(s)
	return start, 0, err
}

func parseFloat(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.ContainsAny(s, "_pP") {
		return 0, fmt.Errorf("expected a number, got %q", s)
	}
	return v, nil
}

// appendRun appends n samples, each a step further than the one before.
func appendRun(out []Sample, s Sample, step float64, n int) ([]Sample, error) {
	if len(out)+n > maxSamples {
		return nil, fmt.Errorf("more than %d samples", maxSamples)
	}
	for range n {
		out = append(out, s)
		if step != 0 && !math.IsNaN(s.Value) {
			s.Value += step
		}
	}
	return out, nil
}

package textfile

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode"

	dto "github.com/prometheus/client_model/go"
)

// Reserved are names that files must not have, for others give them a meaning.
type Reserved struct {
	metrics map[string]string // By how a backend that knows no dots writes them, without units.
	labels  map[string]struct{}
}

// NewReserved returns the reserved names: of metrics in every spelling that a backend makes of them, of labels as they are.
func NewReserved(metrics, labels iter.Seq[string]) *Reserved {
	r := &Reserved{metrics: map[string]string{}, labels: map[string]struct{}{}}
	for name := range metrics {
		r.metrics[plain(name)] = name
		if bare := withoutUnits(plain(name)); r.metrics[bare] == "" {
			r.metrics[bare] = name
		}
	}
	for name := range labels {
		r.labels[name] = struct{}{}
	}
	return r
}

// plain is a name as backends write it that take letters, digits and underscores.
func plain(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '_'
	}, name)
}

// unitSuffixes are what backends add to a name by its unit and type.
var unitSuffixes = [...]string{
	"_total", "_ratio", "_percent", "_bytes", "_seconds", "_milliseconds", "_celsius", "_hertz", "_watts", "_joules", "_volts", "_amperes", "_info",
}

func withoutUnits(name string) string {
	for i := 0; i < len(unitSuffixes); i++ {
		if short, ok := strings.CutSuffix(name, unitSuffixes[i]); ok && short != "" {
			name, i = short, -1
		}
	}
	return name
}

// check tells what is wrong with the names of a metric and its labels. Without a Reserved none is reserved.
func (r *Reserved) check(mf *dto.MetricFamily) error {
	if r == nil {
		r = &Reserved{}
	}
	name := mf.GetName()
	if err := readable(name); err != nil {
		return fmt.Errorf("%q is no name of a metric: %w", cut(name), err)
	}
	bare := withoutUnits(plain(name))
	if own, there := r.metrics[bare]; there {
		return fmt.Errorf("%s is a metric of the receiver's own, %s: choose another name", cut(name), own)
	}
	for _, m := range mf.GetMetric() {
		for i, l := range m.GetLabel() {
			if err := readable(l.GetName()); err != nil {
				return fmt.Errorf("%q of %s is no name of a label: %w", cut(l.GetName()), cut(name), err)
			}
			if _, there := r.labels[l.GetName()]; there {
				return fmt.Errorf("the label %q of %s is an attribute of the resource: choose another name", l.GetName(), cut(name))
			}
			for _, other := range m.GetLabel()[:i] {
				if plain(other.GetName()) == plain(l.GetName()) {
					return fmt.Errorf("the labels %q and %q of %s are the same in Prometheus", cut(other.GetName()), cut(l.GetName()), cut(name))
				}
			}
		}
	}
	return nil
}

var (
	errNoLetter    = errors.New("it has neither a letter from A to Z nor a digit")
	errUnprintable = errors.New("it has characters that can't be printed")
	errLong        = fmt.Errorf("it has more than %d bytes", maxName)
)

// maxName bounds the names of metrics and labels, in bytes.
const maxName = 256

func readable(name string) error {
	switch {
	case len(name) > maxName:
		return errLong
	case strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) }):
		return errUnprintable
	case strings.Trim(plain(name), "_") == "":
		return errNoLetter
	}
	return nil
}

// maxQuoted bounds what a message quotes of a file, in bytes.
const maxQuoted = 200

// cut bounds a text.
func cut(text string) string {
	if len(text) > maxQuoted {
		return strings.ToValidUTF8(text[:maxQuoted], "") + "…"
	}
	return text
}

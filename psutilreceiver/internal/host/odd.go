package host

import (
	"errors"
	"fmt"
)

// Odd is the value of a statistic for which the kernel gave something that it can't be: negative, too large, empty, no number. It is left out
// alone: what else the same file or line has is right. The next scrape may have it again. See docs/odd-hosts.md.
const Odd = -2

// errOdd is the class of errors about single values that were left out. It is malformed text, too.
var errOdd = fmt.Errorf("a value that can't be: %w", errMalformed)

// IsOdd tells whether an error says that no more than single values, each of which is Odd, were left out.
func IsOdd(err error) bool { return errors.Is(err, errOdd) }

// oddValues notes the values of one file that were left out.
type oddValues struct {
	file string
	err  error // of the first
}

// add notes a value that was left out of a line. One for each file is enough: the error is counted and logged, not the values.
func (o *oddValues) add(line []byte) {
	if o.err == nil {
		o.err = oddText(o.file, line)
	}
}

// addFact notes values that were left out for what the file says or lacks as a whole.
func (o *oddValues) addFact(what string) {
	if o.err == nil {
		o.err = fmt.Errorf("parsing /%s: %s: %w", o.file, what, errOdd)
	}
}

// oddText is the error for a value that was left out alone.
func oddText(file string, text []byte) error {
	if len(text) == 0 {
		return fmt.Errorf("parsing /%s: the file is empty: %w", file, errOdd)
	}
	return fmt.Errorf("parsing /%s: in %q: %w", file, shortened(text), errOdd)
}

package host

import (
	"bytes"
	"fmt"
	"math"
)

// maxNames bounds the strings kept for names of devices, so that hosts whose interfaces come and go do not grow it.
const maxNames = 4096

// names keeps one string for each name that recurs from scrape to scrape.
type names struct{ byText map[string]string }

// of gives the string for the bytes, without allocating when it was seen before.
func (n *names) of(b []byte) string {
	if s, ok := n.byText[string(b)]; ok {
		return s
	}
	if n.byText == nil {
		n.byText = make(map[string]string)
	}
	s := string(b)
	n.byText[s] = s
	return s
}

func (n *names) trim() {
	if len(n.byText) > maxNames {
		clear(n.byText)
	}
}

// line splits the first line, without its newline, from text.
func line(text []byte) (first, rest []byte) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return text[:i], text[i+1:]
	}
	return text, nil
}

// field splits the first run of non-blanks from text.
func field(text []byte) (first, rest []byte) {
	i := 0
	for i < len(text) && isBlank(text[i]) {
		i++
	}
	j := i
	for j < len(text) && !isBlank(text[j]) {
		j++
	}
	return text[i:j], text[j:]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// uintOf parses a decimal number. ok is false for anything else, overflow included.
func uintOf(b []byte) (v uint64, ok bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || v > (math.MaxUint64-d)/10 {
			return 0, false
		}
		v = v*10 + d
	}
	return v, true
}

// intOf is uintOf for figures that are kept as int64.
func intOf(b []byte) (v int64, ok bool) {
	u, ok := uintOf(b)
	if !ok || u > math.MaxInt64 {
		return 0, false
	}
	return int64(u), true
}

// decimalOf parses a decimal number with an optional fraction, such as 1234.56.
func decimalOf(b []byte) (v float64, ok bool) {
	whole, fraction, dotted := bytes.Cut(b, []byte{'.'})
	u, ok := uintOf(whole)
	if !ok {
		return 0, false
	}
	v = float64(u)
	if !dotted {
		return v, true
	}
	f, ok := uintOf(fraction)
	if !ok {
		return 0, false
	}
	return v + float64(f)/math.Pow10(len(fraction)), true
}

// malformed is the error for text that is not what proc(5) promises.
func malformed(file string, text []byte) error {
	const shown = 40
	if len(text) > shown {
		text = text[:shown]
	}
	return fmt.Errorf("parsing /%s: unexpected text %q: %w", file, text, errMalformed)
}

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
	first, rest, _ = bytes.Cut(text, []byte{'\n'})
	return first, rest
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

// unescape undoes what the kernel does to blanks and backslashes within a name: \040 and so on, in octal.
func unescape(name []byte) []byte {
	if bytes.IndexByte(name, '\\') < 0 {
		return name
	}
	plain := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+3 < len(name) && isOctal(name[i+1], '3') && isOctal(name[i+2], '7') && isOctal(name[i+3], '7') {
			plain = append(plain, (name[i+1]-'0')<<6|(name[i+2]-'0')<<3|(name[i+3]-'0'))
			i += 3
			continue
		}
		plain = append(plain, name[i])
	}
	return plain
}

func isOctal(c, highest byte) bool { return c >= '0' && c <= highest }

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

// decimalOf parses a decimal number with an optional fraction, such as 1234.56, to the nearest float64.
func decimalOf(b []byte) (v float64, ok bool) {
	whole, fraction, dotted := bytes.Cut(b, []byte{'.'})
	u, ok := uintOf(whole)
	if !ok || !dotted {
		return float64(u), ok
	}
	f, ok := uintOf(fraction)
	if !ok {
		return 0, false
	}
	// One division of two exact numbers rounds once; as a sum of two parts 3.97 would become 3.9699999999999998.
	scale := math.Pow10(len(fraction))
	if float64(u) < (1<<53)/scale {
		return (float64(u)*scale + float64(f)) / scale, true
	}
	return float64(u) + float64(f)/scale, true
}

// malformed is the error for text that is not what proc(5) promises.
func malformed(file string, text []byte) error {
	const shown = 40
	if len(text) > shown {
		text = text[:shown]
	}
	return fmt.Errorf("parsing /%s: unexpected text %q: %w", file, text, errMalformed)
}

// Package proctext reads what the kernel writes as text in /proc and /sys: lines, words, numbers and escaped names. Only undoing an escape
// allocates.
package proctext

import (
	"bytes"
	"math"
)

// TicksPerSecond is the unit of the kernel's times in /proc. It is USER_HZ, which is part of the kernel's interface and 100 on every
// architecture that Go runs on, whatever CONFIG_HZ the kernel's own clock ticks at; sysconf(_SC_CLK_TCK) would need the C library.
const TicksPerSecond = 100

// Line splits the first line, without its newline, from text.
func Line(text []byte) (first, rest []byte) {
	first, rest, _ = bytes.Cut(text, []byte{'\n'})
	return first, rest
}

// Field splits the first run of non-blanks from text.
func Field(text []byte) (first, rest []byte) {
	i := 0
	for i < len(text) && IsBlank(text[i]) {
		i++
	}
	j := i
	for j < len(text) && !IsBlank(text[j]) {
		j++
	}
	return text[i:j], text[j:]
}

// Column splits the first column from text in which one blank stands between two columns, so that one of them may be empty. It reports false at
// the end.
func Column(text []byte) (first, rest []byte, ok bool) {
	if len(text) == 0 {
		return nil, nil, false
	}
	first, rest, _ = bytes.Cut(text, []byte{' '})
	return first, rest, true
}

// IsBlank tells whether a byte separates words.
func IsBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// Unescape undoes what the kernel does to blanks and backslashes within a name: \040 and so on, in octal.
func Unescape(name []byte) []byte {
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

// Uint parses a decimal number. ok is false for anything else, overflow included.
func Uint(b []byte) (v uint64, ok bool) {
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

// Int is Uint for numbers that are kept as int64.
func Int(b []byte) (v int64, ok bool) {
	u, ok := Uint(b)
	if !ok || u > math.MaxInt64 {
		return 0, false
	}
	return int64(u), true
}

// Decimal parses a decimal number with an optional fraction, such as 1234.56, to the nearest float64.
func Decimal(b []byte) (v float64, ok bool) {
	whole, fraction, dotted := bytes.Cut(b, []byte{'.'})
	u, ok := Uint(whole)
	if !ok || !dotted {
		return float64(u), ok
	}
	f, ok := Uint(fraction)
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

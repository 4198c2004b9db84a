// Package printable makes text that others chose, such as names of processes, into text that every protocol, backend and terminal can take.
package printable

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Name returns a name of the kernel as text that every protocol and terminal can take. The kernel's names are bytes: only zero, and in some
// of them the slash, can't be part of them. In the result
//
//   - each byte that is not part of valid UTF-8,
//   - each byte of a control character, of a line or paragraph separator of a character that changes the direction of text, of one that can't
//     be seen and of a code point that is no character, and
//   - each byte of U+FFFD itself
//
// is U+FFFD followed by the byte's two hexadecimal digits: "caf\xe9" becomes "caf�E9". So different names stay different, and the name can be had
// back. All other text is returned as it is, without an allocation. It must not be applied twice.
func Name(name string) string { return escaped(name, firstHarmful) }

// Text returns a text as [Name] does, but for U+FFFD, which stays: it may be applied to what Name returned, and to what it returned itself. It is for text
// from elsewhere, such as attributes of a sender, which is not compared any more.
func Text(text string) string {
	return escaped(text, func(text string) int { return firstOf(text, "") })
}

// Lines returns a text as [Text] does, but for line feeds and tabs, which stay. It is for text that a configuration made.
func Lines(text string) string {
	return escaped(text, func(text string) int { return firstOf(text, "\n\t") })
}

// firstOf is where the first character is that has to be written in another way, beside those that are kept.
func firstOf(text, kept string) int {
	for i, r := range text {
		if r >= ' ' && r < 0x7F || r < ' ' && strings.ContainsRune(kept, r) {
			continue
		}
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return i
			}
			continue
		}
		if r < ' ' || isHarmful(r) {
			return i
		}
	}
	return -1
}

func escaped(name string, firstHarmful func(string) int) string {
	if isPlain(name) {
		return name
	}
	at := firstHarmful(name)
	if at < 0 {
		return name
	}
	var out strings.Builder
	out.Grow(len(name) + 16)
	for rest := name; ; {
		out.WriteString(rest[:at])
		_, size := utf8.DecodeRuneInString(rest[at:])
		for _, c := range []byte(rest[at : at+size]) {
			const digits = "0123456789ABCDEF"
			out.WriteString("\uFFFD")
			out.WriteByte(digits[c>>4])
			out.WriteByte(digits[c&0xF])
		}
		rest = rest[at+size:]
		if at = firstHarmful(rest); at < 0 {
			out.WriteString(rest)
			return out.String()
		}
	}
}

// isPlain tells whether text is printable ASCII, as nearly all names are.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i]-0x20 >= 0x5F {
			return false
		}
	}
	return true
}

// firstHarmful is where the first character is that has to be written in another way; -1 without.
func firstHarmful(text string) int {
	for i, r := range text {
		// An invalid byte is U+FFFD here, too.
		if r < ' ' || r >= 0x7F && isHarmful(r) {
			return i
		}
	}
	return -1
}

func isHarmful(r rune) bool {
	switch {
	case r == utf8.RuneError, unicode.IsControl(r):
		return true
	case r < 0x061C:
		return r == 0x00AD
	case r&0xFFFE == 0xFFFE, r >= 0xFDD0 && r <= 0xFDEF: // No characters.
		return true
	case isInvisible(r):
		return true
	}
	// Direction marks, line and paragraph separators, embeddings and overrides, isolates: https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing.
	return r == 0x061C || r == 0x200E || r == 0x200F || r >= 0x2028 && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// isInvisible tells whether a character has no shape and no effect on those beside it, so that two names look alike. The zero width joiner and
// non-joiner, U+200C and U+200D, are not among them: scripts such as Persian and Hindi need them.
func isInvisible(r rune) bool {
	switch r {
	case 0x180E, 0x200B, 0x3164, 0xFEFF, 0xFFA0: // Mongolian vowel separator, zero width space, Hangul fillers, byte order mark.
		return true
	}
	// Word joiner, invisible operators and deprecated marks; annotation marks; marks of musical notation; tags.
	return r >= 0x2060 && r <= 0x206F || r >= 0xFFF9 && r <= 0xFFFB || r >= 0x1D173 && r <= 0x1D17A || r >= 0xE0000 && r <= 0xE007F
}

// Writer returns a writer that passes on each text that is written to it at once, such as a line, as [Lines] makes it.
func Writer(to io.Writer) io.Writer { return writer{to} }

type writer struct{ to io.Writer }

// Write passes on a text.
func (w writer) Write(text []byte) (int, error) {
	if _, err := io.WriteString(w.to, Lines(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

package notifyexporter

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// unitsOf is the length of a text as the strictest of the servers count it: in units of UTF-16. There are at least as many of these as characters.
func unitsOf(text string) (n int) {
	for _, r := range text {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// cutLines joins lines as far as they fit into limit units of UTF-16.
func cutLines(lines []string, limit int) string {
	var text strings.Builder
	left := limit - 2
	for i, line := range lines {
		if i > 0 {
			line = "\n" + line
		}
		if left -= unitsOf(line); left < 0 {
			text.WriteString("\n…")
			break
		}
		text.WriteString(line)
	}
	return text.String()
}

// cutTo cuts a text to so many characters.
func cutTo(text string, limit int) string {
	return cutBy(text, limit, 1, func(rune) int { return 1 })
}

// cutBy cuts a text to so much, where size tells how much a character is, and more how much the sign is that says that something is cut.
func cutBy(text string, limit, more int, size func(rune) int) string {
	used, keep := 0, 0 // keep is how many bytes stay if the rest does not fit.
	for i, r := range text {
		used += size(r)
		if used > limit {
			return strings.ToValidUTF8(text[:keep], "\uFFFD") + alertschema.Ellipsis
		}
		if used <= limit-more {
			keep = i + max(utf8.RuneLen(r), 1)
			if r == utf8.RuneError {
				keep = i + sizeAt(text[i:])
			}
		}
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// sizeAt is how many bytes the first character of a text takes.
func sizeAt(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	return n
}

// oneLine makes a text one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// unitsTo cuts a text to so many units of UTF-16.
func unitsTo(text string, limit int) string {
	return cutBy(text, limit, 1, func(r rune) int { return max(utf16.RuneLen(r), 1) })
}

// bytesOf cuts a text to so many bytes.
func bytesOf(text string, limit int) string {
	return cutBy(text, limit, len(alertschema.Ellipsis), func(r rune) int { return max(utf8.RuneLen(r), 1) })
}

// maxShortAlerts is how many alerts are in the short form of a message.
const maxShortAlerts = 3

// short is the message in a few lines, for a server that refuses it as it is: without markup, pictures and links, and of limit units of UTF-16 at most.
func (m *message) short(limit int) string {
	lines := []string{unitsTo(oneLine(m.Title), limit/4)}
	for i := range m.Alerts[:min(len(m.Alerts), maxShortAlerts)] {
		for _, text := range []string{m.Alerts[i].Lead, m.Alerts[i].Text} {
			if text != "" {
				lines = append(lines, unitsTo(oneLine(text), limit/8))
			}
		}
	}
	return cutLines(lines, limit)
}

// bounded takes as many of the pairs, in order of their keys, as have no more than limit characters in all.
func bounded(pairs map[string]string, limit int) map[string]string {
	out := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		value := cutTo(pairs[key], 1000)
		if limit -= unitsOf(key) + unitsOf(value); limit < 0 {
			break
		}
		out[key] = value
	}
	return out
}

// sizeOf is how many bytes a value takes as JSON.
func sizeOf(value any) int {
	encoded, err := json.Marshal(value)
	if err != nil {
		return 0
	}
	return len(encoded)
}

package printable

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxQuoted is how many bytes of a text that somebody wrote an error repeats.
const maxQuoted = 64

// longQuotes are texts in quotes of the three kinds that errors use, and words without quotes.
var longQuotes = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`|[^\\s\"`]+")

// ShortQuotes returns the text of an error with what it quotes cut to 64 bytes: a threshold of a hundred thousand digits tells no more than its
// beginning. Words without quotes are cut where they are longer than twice that.
func ShortQuotes(text string) string {
	if len(text) <= maxQuoted {
		return text
	}
	return longQuotes.ReplaceAllStringFunc(text, func(found string) string {
		quote := ""
		if found[0] == '"' || found[0] == '`' {
			quote = found[:1]
		}
		if len(found) <= maxQuoted+2*len(quote) || quote == "" && len(found) <= 2*maxQuoted {
			return found
		}
		end := maxQuoted
		for end > 0 && !utf8.RuneStart(found[end]) {
			end--
		}
		return strings.TrimRight(found[:end], `\`) + "…" + quote
	})
}

package alertschema

import (
	"strings"
	"unicode/utf8"
)

// Bounds of texts.
const (
	// MaxText is how long a text of a record may be, in bytes: a body, a label, an annotation. What attributes of the data put into it is cut.
	MaxText = 8 << 10
	// Ellipsis stands at the end of a text that was cut.
	Ellipsis = "…"
)

// CutText returns a text of at most limit bytes that is valid UTF-8: a longer one is cut between two characters, and an ellipsis says so.
// The limit must be longer than the ellipsis. What is no UTF-8 becomes the replacement character.
func CutText(text string, limit int) string {
	if len(text) > limit {
		end := limit - len(Ellipsis)
		for back := 0; back < utf8.UTFMax && end > 0 && !utf8.RuneStart(text[end]); back++ {
			end--
		}
		text = text[:end] + Ellipsis
	}
	if utf8.ValidString(text) {
		return text
	}
	if valid := strings.ToValidUTF8(text, "\uFFFD"); len(valid) <= limit {
		return valid
	}
	return CutText(strings.ToValidUTF8(text, ""), limit)
}

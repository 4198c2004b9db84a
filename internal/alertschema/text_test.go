package alertschema

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestCutText(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "short": "short", "one byte": strings.Repeat("a", 300), "two bytes": strings.Repeat("é", 300), "three bytes": strings.Repeat("…", 300),
		"four bytes": strings.Repeat("😀", 300), "no UTF-8": strings.Repeat("\xff", 300), "halves of characters": strings.Repeat("\xf0\x9f", 300),
		"continuations": strings.Repeat("\x80", 300), "mixed": strings.Repeat("a\xffé😀", 60),
	} {
		for limit := 4; limit < 400; limit++ {
			got := CutText(text, limit)
			assert.True(t, utf8.ValidString(got), "%s at %d", name, limit)
			assert.LessOrEqual(t, len(got), limit, "%s at %d", name, limit)
			if utf8.ValidString(text) {
				if len(text) <= limit {
					assert.Equal(t, text, got)
					continue
				}
				kept, cut := strings.CutSuffix(got, Ellipsis)
				assert.True(t, cut && strings.HasPrefix(text, kept), "%s at %d", name, limit)
				assert.GreaterOrEqual(t, len(got), limit-utf8.UTFMax, "%s at %d: no more is cut than must be", name, limit)
			}
		}
	}
}

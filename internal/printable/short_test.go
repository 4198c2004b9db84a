package printable

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestShortQuotes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "short", `threshold "12": expected a number, alone or with a unit, such as 80%, 5GiB, 30s, 100Mbit/s, 10k, and so on and on`} {
		assert.Equal(t, text, ShortQuotes(text))
	}
	for _, long := range []string{strings.Repeat("9", 100_000), strings.Repeat(`"\`, 9000), strings.Repeat("ä ", 9000), strings.Repeat("(a", 1500)} {
		got := ShortQuotes(fmt.Sprintf("rules[0] \"x\": threshold %q: expected a number: `%s`", long, strings.ReplaceAll(long, "`", "")))
		assert.Less(t, len(got), 250, got)
		assert.True(t, strings.HasPrefix(got, `rules[0] "x": threshold "`+strconvStart(long)), got)
		assert.Contains(t, got, `…": expected a number: `)
		assert.True(t, utf8.ValidString(got))
	}
	assert.Less(t, len(ShortQuotes("threshold "+strings.Repeat("9", 100_000)+" needs")), 100)
}

func strconvStart(long string) string { return fmt.Sprintf("%q", long[:8])[1:8] }

package alertpipe

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
)

// TestRecordsArePrintable pins that no text of a sender steers the terminal of who reads a record, or makes a backend refuse it.
func TestRecordsArePrintable(t *testing.T) {
	for _, text := range []string{"a\x1b[31mb", "a\nb", "a\xffb", "a\x00b", "a\u202eb", "a\u009b31m", "a\x7f", "a\u200bb"} {
		attrs := []attr.Attr{attr.String("key"+text, text), attr.String("host.name", text)}
		logs := makeLogs([]event.Event{{Body: "disk full on x" + strings.ReplaceAll(text, "\n", " "), Resource: attrs, Group: attrs, Rule: text}})
		rl := logs.ResourceLogs().At(0)
		r := rl.ScopeLogs().At(0).LogRecords().At(0)
		all := []string{r.Body().Str()}
		for k, v := range rl.Resource().Attributes().All() {
			all = append(all, k, v.AsString())
		}
		for k, v := range r.Attributes().All() {
			all = append(all, k, v.AsString())
		}
		for _, got := range all {
			assert.True(t, utf8.ValidString(got), "%q", got)
			assert.False(t, strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' || r == '\u200b' }), "%q", got)
		}
	}
}

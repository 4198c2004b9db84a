package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

func TestFormats(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "5.0 GiB", formatBytes(5<<30))
	assert.Equal(t, "12 B", formatBytes(12))
	assert.Equal(t, "15m15s", FormatSeconds(915))
	assert.Equal(t, "24h", FormatDuration(24*time.Hour))
	assert.Equal(t, "1h30m", FormatDuration(90*time.Minute))
	assert.Equal(t, "10m", FormatDuration(10*time.Minute))
	assert.Equal(t, "96.2%", formatPercent(0.962))
}

func TestLongTextIsCut(t *testing.T) {
	t.Parallel()
	m, err := compileTemplate("message", `{{ .Resource "big" }}`)
	require.NoError(t, err)
	big := fmt.Sprintf("%0*d", 3*maxRendered, 1)
	s, err := m.Render(TemplateData{resource: []attr.Attr{attr.String("big", big)}})
	require.NoError(t, err)
	assert.Len(t, s, maxRendered)

	s, err = m.Render(TemplateData{resource: []attr.Attr{attr.String("big", strings.Repeat("€", maxRendered))}})
	require.NoError(t, err)
	assert.True(t, utf8.ValidString(s))
	assert.LessOrEqual(t, len(s), maxRendered+2)
}

// TestVariablesOfPrometheus: who writes templates as for Prometheus is told what stands here for its variables.
func TestVariablesOfPrometheus(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{{ $value }}":               "{{.ValueText}}",
		"{{ $labels.instance }}":     `{{.Attr "key"}}`,
		"{{ $other }}":               `undefined variable "$other"`,
		"{{ $value | printf \"\" }}": "{{.ValueText}}",
	} {
		_, err := compileTemplate("message", text)
		require.ErrorContains(t, err, want)
	}
}

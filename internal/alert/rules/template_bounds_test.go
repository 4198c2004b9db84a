package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/templatesteps"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// chain defines templates each of which calls the next one twice: 2^n calls.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{{define "t%d"}}{{template "t%d"}}{{template "t%d"}}{{end}}`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `{{define "t%d"}}x{{end}}{{template "t0"}}`, n)
	return b.String()
}

// No template runs for ever or fills the memory: each of these took minutes, gigabytes or both.
func TestTemplatesAreBounded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a loop":                  `{{range 9999999999999}}{{end}}`,
		"a loop that writes":      `{{range 9999999999999}}x{{end}}`,
		"a loop of its variable":  `{{range $i := 9999999999999}}{{$i}}{{end}}`,
		"a loop that goes on":     `{{range 9999999999999}}{{continue}}{{end}}`,
		"loops in loops":          strings.Repeat(`{{range 99}}`, 12) + "x" + strings.Repeat(`{{end}}`, 12),
		"loops in branches":       `{{range 99999}}{{if true}}{{with 1}}{{range 99999}}x{{end}}{{end}}{{end}}{{end}}`,
		"a loop of a length":      `{{range len (printf "%999d" 1)}}{{range len (printf "%999d" 1)}}{{range 999}}{{end}}{{end}}{{end}}`,
		"calls that double":       chain(60),
		"a call of itself":        `{{define "t"}}{{template "t"}}{{end}}{{template "t"}}`,
		"a loop behind an else":   `{{range 0}}{{else}}{{range 9999999999999}}{{end}}{{end}}`,
		"a loop behind a message": strings.Repeat("x", 3*maxRendered) + `{{range 9999999999999}}{{end}}`,
		"a wide number":           `{{printf "%999999999d" 1}}`,
		"wide numbers":            `{{printf "` + strings.Repeat("%999999d", 2000) + `" 1}}`,
		"a width of an argument":  `{{printf "%*d" 999999 1}}`,
		"a negative width":        `{{printf "%*d" -999999 1}}`,
		"a precision":             `{{printf "%.999999f" 1.5}}`,
		"a width by index":        `{{printf "%[2]*[1]d" 1 999999}}`,
	} {
		_, err := compileTemplate("message", text)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), templatesteps.Name, name)
		assert.Less(t, len(err.Error()), 300, name)
	}
	double := `{{$x := "xxxxxxxx"}}` + strings.Repeat(`{{$x = print $x $x}}`, 60) + `{{$x}}`
	for name, text := range map[string]string{
		"a text that doubles":     double,
		"by printf":               strings.ReplaceAll(double, "print ", `printf "%s%s" `),
		"by escaping":             `{{"\\" ` + strings.Repeat("| js ", 60) + `}}`,
		"by escaping for a query": `{{"%" ` + strings.Repeat("| urlquery ", 60) + `}}`,
		"by escaping for a page":  `{{"<" ` + strings.Repeat("| html ", 60) + `}}`,
		"by lines":                `{{$x := "x"}}` + strings.Repeat(`{{$x = println $x $x}}`, 60) + `{{$x}}`,
	} {
		m, err := compileTemplate("message", text)
		require.NoError(t, err, name)
		s, err := m.Render(TemplateData{})
		require.NoError(t, err, name)
		assert.LessOrEqual(t, len(s), maxRendered, name)
	}
}

// What data brings is bounded as well: a long attribute, and as many loops over labels as there are.
func TestTemplatesOfLargeDataAreBounded(t *testing.T) {
	t.Parallel()
	data := TemplateData{Labels: map[string]string{}, StartedAt: time.Unix(0, 0)}.With([]attr.Attr{attr.String("big", strings.Repeat("x", 20<<20))}, nil)
	m, err := compileTemplate("message", `{{range 50}}{{.}}{{$.Attr "big"}}{{printf "%q" ($.Attr "big")}}{{end}}`)
	require.NoError(t, err)
	s, err := m.Render(data)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(s), maxRendered)

	for i := range 100 {
		data.Labels[fmt.Sprint("label", i)] = "x"
	}
	loops := strings.Repeat(`{{range $.Labels}}`, 8) + "x" + strings.Repeat(`{{end}}`, 8)
	m, err = compileTemplate("message", loops)
	require.NoError(t, err, "there are no labels yet")
	_, err = m.Render(data)
	require.ErrorContains(t, err, "steps")
}

// What people write is as before.
func TestOrdinaryTemplatesAreAsBefore(t *testing.T) {
	t.Parallel()
	data := TemplateData{Value: 0.9631, Rule: "cpu", Labels: map[string]string{"team": "db", "tier": "1"}, StartedAt: time.Unix(0, 0)}.
		With([]attr.Attr{attr.String("cpu.mode", "user")}, []attr.Attr{attr.String("host.name", "db1")})
	for text, want := range map[string]string{
		`{{ .Value | percent }} on {{ .Resource "host.name" }}`:                        "96.3% on db1",
		`{{ printf "%.2f %8s|%-8s|%5d %03d" .Value "a" "b" 3 7 }}`:                     "0.96        a|b       |    3 007",
		`{{ printf "%d%%" 5 }}`:                                                        "5%",
		`{{ printf "%*d" 5 1 }}`:                                                       "    1",
		`{{ printf "100%" }}`:                                                          "100%!(NOVERB)",
		`{{range $k, $v := .Labels}}{{$k}}={{$v}},{{end}}`:                             "team=db,tier=1,",
		`{{range 3}}x{{end}}`:                                                          "xxx",
		`{{if eq .Rule "cpu"}}CPU{{else}}{{.Rule}}{{end}}`:                             "CPU",
		`{{define "who"}}{{.Attr "cpu.mode"}}{{end}}{{template "who" .}}`:              "user",
		`{{print "a" 1 2 "b"}}{{println "x"}}{{html "<"}}{{js "'"}}{{urlquery "a b"}}`: "a1 2bx\n&lt;\\'a+b",
		`{{with .Attr "none"}}{{.}}{{else}}none{{end}}`:                                "none",
	} {
		m, err := compileTemplate("message", text)
		require.NoError(t, err, text)
		for range 3 {
			s, err := m.Render(data)
			require.NoError(t, err, text)
			assert.Equal(t, want, s, text)
		}
	}
}

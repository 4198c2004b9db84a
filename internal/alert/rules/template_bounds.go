package rules

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"text/template"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/templatesteps"
)

const (
	// maxSteps bounds what one rendering does: actions and texts, those of loops and of templates within counted each time.
	maxSteps = 10_000
	// maxIntermediate bounds what a function of a template returns, in bytes.
	maxIntermediate = 2 * alertschema.MaxText
	// maxWidth bounds a width or a precision of printf.
	maxWidth = 1000
)

// errTooWide ends the rendering of a template that does too much.
var errTooWide = errors.New("too wide")

// boundedFuncs are the functions of templates. Those of text/template that make texts are bounded here, for one may be given what another returned.
func boundedFuncs(b *templatesteps.Budget) template.FuncMap {
	funcs := template.FuncMap{
		templatesteps.Name: b.Step,
		"print":            func(args ...any) string { return cutIntermediate(fmt.Sprint(args...)) },
		"println":          func(args ...any) string { return cutIntermediate(fmt.Sprintln(args...)) },
		"printf":           boundedPrintf,
		"html":             func(args ...any) string { return cutIntermediate(template.HTMLEscaper(args...)) },
		"js":               func(args ...any) string { return cutIntermediate(template.JSEscaper(args...)) },
		"urlquery":         func(args ...any) string { return cutIntermediate(template.URLQueryEscaper(args...)) },
	}
	maps.Copy(funcs, templateFuncs)
	return funcs
}

func cutIntermediate(text string) string { return alertschema.CutText(text, maxIntermediate) }

// boundedPrintf is fmt.Sprintf without wide fields.
func boundedPrintf(format string, args ...any) (string, error) {
	if err := checkWidths(format, args); err != nil {
		return "", err
	}
	return cutIntermediate(fmt.Sprintf(format, args...)), nil
}

// checkWidths finds a width or a precision that is too large, written or among the arguments.
func checkWidths(format string, args []any) error {
	for rest := format; ; {
		_, directive, found := strings.Cut(rest, "%")
		if !found {
			return nil
		}
		end := strings.IndexFunc(directive, func(r rune) bool { return !strings.ContainsRune("+-# 0123456789.*[]", r) })
		if end < 0 {
			end = len(directive)
		}
		number := 0
		for _, c := range directive[:end] {
			switch {
			case c == '*':
				for _, arg := range args {
					if n, isInt := arg.(int); isInt && (n > maxWidth || n < -maxWidth) {
						return errTooWide
					}
				}
			case c >= '0' && c <= '9':
				if number = 10*number + int(c-'0'); number > maxWidth {
					return errTooWide
				}
				continue
			}
			number = 0
		}
		rest = directive[end:]
		rest = strings.TrimPrefix(rest, "%")
	}
}

// execute renders a template within its budget.
func (m *Template) execute(out *limitedText, data TemplateData) error {
	tmpl := m.tmpl
	if data.inPercent {
		tmpl = m.ofPercent
	}
	err := m.budget.Within(maxSteps, func() error { return tmpl.Execute(out, data) })
	switch {
	case errors.Is(err, templatesteps.ErrTooMany):
		return fmt.Errorf("template: %s: it takes more than %d steps: no loop may go round so often", m.tmpl.Name(), maxSteps)
	case errors.Is(err, errTooWide):
		return fmt.Errorf("template: %s: printf: a width or a precision may be at most %d", m.tmpl.Name(), maxWidth)
	default:
		return err
	}
}

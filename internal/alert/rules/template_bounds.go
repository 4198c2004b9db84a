package rules

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

const (
	// maxSteps bounds what one rendering does: actions and texts, those of loops and of templates within counted each time.
	maxSteps = 10_000
	// maxIntermediate bounds what a function of a template returns, in bytes.
	maxIntermediate = 2 * alertschema.MaxText
	// maxWidth bounds a width or a precision of printf.
	maxWidth = 1000
)

// These end the rendering of a template that does too much.
var (
	errTooMuch = errors.New("too many steps")
	errTooWide = errors.New("too wide")
)

// stepper is the name of the function that counts steps. No rule has to know it.
const stepper = "_step"

// budget is what is left of the steps of the rendering that goes on.
type budget struct {
	mu   sync.Mutex // Held while a template is rendered.
	left int
}

// step counts the nodes of a list that is about to be rendered. It renders nothing.
func (b *budget) step(n int) (string, error) {
	if b.left -= n; b.left < 0 {
		return "", errTooMuch
	}
	return "", nil
}

// boundedFuncs are the functions of templates. Those of text/template that make texts are bounded here, for one may be given what another returned.
func (b *budget) boundedFuncs() template.FuncMap {
	funcs := template.FuncMap{
		stepper:    b.step,
		"print":    func(args ...any) string { return cutIntermediate(fmt.Sprint(args...)) },
		"println":  func(args ...any) string { return cutIntermediate(fmt.Sprintln(args...)) },
		"printf":   boundedPrintf,
		"html":     func(args ...any) string { return cutIntermediate(template.HTMLEscaper(args...)) },
		"js":       func(args ...any) string { return cutIntermediate(template.JSEscaper(args...)) },
		"urlquery": func(args ...any) string { return cutIntermediate(template.URLQueryEscaper(args...)) },
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

// countSteps puts a call of the stepper before every list of nodes: the template itself, those that it defines, and the bodies of its branches.
func countSteps(t *template.Template) error {
	for _, part := range t.Templates() {
		if part.Tree != nil {
			if err := countList(part.Root); err != nil {
				return err
			}
		}
	}
	return nil
}

func countList(list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, n := range list.Nodes {
		var err error
		switch x := n.(type) {
		case *parse.IfNode:
			err = countBranch(&x.BranchNode)
		case *parse.WithNode:
			err = countBranch(&x.BranchNode)
		case *parse.RangeNode:
			err = countBranch(&x.BranchNode)
		}
		if err != nil {
			return err
		}
	}
	trees, err := parse.Parse("steps", fmt.Sprintf("{{%s %d}}", stepper, len(list.Nodes)+1), "", "", map[string]any{stepper: (*budget)(nil).step})
	if err != nil {
		return err
	}
	list.Nodes = append([]parse.Node{trees["steps"].Root.Nodes[0]}, list.Nodes...)
	return nil
}

func countBranch(b *parse.BranchNode) error {
	return errors.Join(countList(b.List), countList(b.ElseList))
}

// execute renders a template within its budget.
func (m *Template) execute(out *limitedText, data TemplateData) error {
	m.budget.mu.Lock()
	defer m.budget.mu.Unlock()
	m.budget.left = maxSteps
	tmpl := m.tmpl
	if data.inPercent {
		tmpl = m.ofPercent
	}
	err := tmpl.Execute(out, data)
	switch {
	case errors.Is(err, errTooMuch):
		return fmt.Errorf("template: %s: it takes more than %d steps: no loop may go round so often", m.tmpl.Name(), maxSteps)
	case errors.Is(err, errTooWide):
		return fmt.Errorf("template: %s: printf: a width or a precision may be at most %d", m.tmpl.Name(), maxWidth)
	default:
		return err
	}
}

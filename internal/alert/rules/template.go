package rules

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
	"github.com/otelcol-psutil/otelcol-psutil/internal/templatesteps"
)

// maxRendered bounds one rendered text, so that a template cannot fill the outbox. There is room for what records put around it.
const maxRendered = alertschema.MaxText - 256

// Template is a parsed template; text without actions is kept as it is.
type Template struct {
	plain string
	tmpl  *template.Template
	// ofPercent is tmpl for values that are percentages already.
	ofPercent *template.Template
	budget    *templatesteps.Budget
}

// NamedTemplate is the template of one label or annotation.
type NamedTemplate struct {
	Name     string
	Template *Template
}

// TemplateData is what a template sees as dot.
type TemplateData struct {
	// Value is the compared value and Threshold its bound, in the metric's unit.
	Value, Threshold float64
	// ValueText is the value in the unit of its threshold, such as 96.2%, "" when there is none.
	ValueText string
	// Condition says on which side of its threshold the value is, as in "> 80.0%", and when it is back, "≤ 80.0%, clears at ≤ 70.0%".
	Condition string
	// Duration is the time since the alert fired, in seconds.
	Duration float64
	// Rule, Metric, Unit, Severity, Transition and State are as in the record.
	Rule, Metric, Unit, Severity, Transition, State string
	// StartedAt is when the alert fired.
	StartedAt time.Time
	// Labels are the rule's labels.
	Labels map[string]string

	group, resource []attr.Attr
	inPercent       bool
}

// InPercent returns the data, with Value and Threshold as percentages or not: the function percent makes percentages of shares, and leaves these.
func (d TemplateData) InPercent(is bool) TemplateData {
	d.inPercent = is
	return d
}

// With returns the data with the attributes of the alert's group and resource.
func (d TemplateData) With(group, resource []attr.Attr) TemplateData {
	d.group, d.resource = group, resource
	return d
}

// Resource returns a resource attribute as text, or "".
func (d TemplateData) Resource(key string) string {
	v, _ := attr.Lookup(d.resource, key)
	return cutIntermediate(printable.Text(v.AsString()))
}

// Attr returns an attribute of the group as text, or "".
func (d TemplateData) Attr(key string) string {
	v, _ := attr.Lookup(d.group, key)
	return cutIntermediate(printable.Text(v.AsString()))
}

var templateFuncs = template.FuncMap{
	"percent":  formatPercent,
	"bytes":    formatBytes,
	"duration": FormatSeconds,
}

// templateLine is the line number that text/template puts after the template's name.
var templateLine = regexp.MustCompile(`^(template: [^:]+):\d+(?::\d+)?: (?:executing "[^"]*" at )?`)

// templateType is the Go type that text/template names where there is no such field.
var templateType = regexp.MustCompile(` in type \w+\.TemplateData`)

// maxTemplateError bounds the text of an error, which quotes the template, in bytes.
const maxTemplateError = 256

// prometheusVariables are those of Prometheus' templates, by name, and what stands here for them.
var prometheusVariables = map[string]string{"value": "{{.ValueText}}", "labels": `{{.Attr "key"}} or {{.Resource "key"}}`}

// undefinedVariable is the error of a variable that a template does not have.
var undefinedVariable = regexp.MustCompile(`undefined variable "\$(\w+)"`)

// templateError returns the error without the line number and the Go type, of which a rule knows nothing.
func templateError(err error) error {
	text := templateType.ReplaceAllString(templateLine.ReplaceAllString(err.Error(), "$1: "), "")
	if m := undefinedVariable.FindStringSubmatch(text); m != nil && prometheusVariables[m[1]] != "" {
		text += fmt.Sprintf(" (that is Prometheus' name: write %s)", prometheusVariables[m[1]])
	}
	return errors.New(alertschema.CutText(text, maxTemplateError))
}

// compileTemplate parses a template and tries it once, so that an unknown function or field fails at load.
func compileTemplate(name, text string) (*Template, error) {
	if !strings.Contains(text, "{{") {
		return &Template{plain: text}, nil
	}
	m := &Template{budget: &templatesteps.Budget{}}
	var err error
	m.tmpl, err = template.New(name).Option("missingkey=zero").Funcs(boundedFuncs(m.budget)).Parse(text)
	if err == nil {
		err = templatesteps.Count(m.tmpl)
	}
	if err == nil {
		err = m.execute(&limitedText{}, TemplateData{Labels: map[string]string{}, StartedAt: time.Unix(0, 0)})
	}
	if err != nil {
		return nil, templateError(err)
	}
	ofPercent, err := m.tmpl.Clone()
	if err != nil {
		return nil, templateError(err)
	}
	m.ofPercent = ofPercent.Funcs(template.FuncMap{"percent": percentText})
	return m, nil
}

// Render returns the text for the data, at most maxRendered bytes of it.
func (m *Template) Render(data TemplateData) (string, error) {
	if m.tmpl == nil {
		return m.plain, nil
	}
	var out limitedText
	if err := m.execute(&out, data); err != nil {
		return "", templateError(err)
	}
	return alertschema.CutText(out.b.String(), maxRendered), nil
}

// limitedText is a writer that keeps the first bytes: one more than a text may have, by which it is known that there were more.
type limitedText struct{ b strings.Builder }

func (l *limitedText) Write(p []byte) (int, error) {
	room := max(0, maxRendered+1-l.b.Len())
	l.b.Write(p[:min(room, len(p))])
	return len(p), nil
}

// changingField returns the first field in the template that changes while an alert lives, or "".
func (m *Template) changingField() string {
	if m.tmpl == nil {
		return ""
	}
	return changingField(m.tmpl.Root)
}

func changingField(n parse.Node) string {
	switch x := n.(type) {
	case *parse.ListNode:
		if x == nil {
			return ""
		}
		for _, child := range x.Nodes {
			if f := changingField(child); f != "" {
				return f
			}
		}
	case *parse.ActionNode:
		return changingField(x.Pipe)
	case *parse.PipeNode:
		for _, c := range x.Cmds {
			for _, arg := range c.Args {
				if f := changingField(arg); f != "" {
					return f
				}
			}
		}
	case *parse.IfNode:
		return changingBranch(&x.BranchNode)
	case *parse.RangeNode:
		return changingBranch(&x.BranchNode)
	case *parse.WithNode:
		return changingBranch(&x.BranchNode)
	case *parse.FieldNode:
		switch x.Ident[0] {
		case "Value", "ValueText", "Threshold", "Condition", "Duration", "Severity", "Transition", "State", "StartedAt":
			return x.Ident[0]
		}
	}
	return ""
}

func changingBranch(b *parse.BranchNode) string {
	for _, n := range []parse.Node{b.Pipe, b.List, b.ElseList} {
		if f := changingField(n); f != "" {
			return f
		}
	}
	return ""
}

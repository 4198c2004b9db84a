package ruletest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// Selector is the written name of a series.
type Selector struct {
	// Metric is the metric's name.
	Metric string
	// Attributes are the data point's attributes, Resource and Scope those that were written with "resource." or
	// "scope." in front.
	Attributes, Resource, Scope []attr.Attr
}

// ParseSelector reads the name of a series: metric{key="value", …}. Names may hold dots, as OpenTelemetry's do; the
// metric may as well be the first, quoted item inside the braces: {"metric.name", key="value"}. Values are text.
func ParseSelector(text string) (Selector, error) {
	var s Selector
	p := selectorParser{rest: strings.TrimSpace(text)}
	s.Metric = p.name()
	if p.take("{") {
		for !p.take("}") {
			if err := p.item(&s); err != nil {
				return Selector{}, fmt.Errorf("parsing series %q: %w", text, err)
			}
		}
	}
	switch {
	case p.rest != "":
		return Selector{}, fmt.Errorf("parsing series %q: unexpected %q", text, p.rest)
	case s.Metric == "":
		return Selector{}, fmt.Errorf("parsing series %q: no metric name", text)
	}
	return s, nil
}

type selectorParser struct{ rest string }

// take skips blanks and, when it comes next, the token.
func (p *selectorParser) take(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\n")
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = strings.TrimLeft(rest, " \t\n")
	}
	return ok
}

// name takes an unquoted name, "" when none comes.
func (p *selectorParser) name() string {
	i := 0
	for i < len(p.rest) && (p.rest[i] >= 'a' && p.rest[i] <= 'z' || p.rest[i] >= 'A' && p.rest[i] <= 'Z' ||
		p.rest[i] >= '0' && p.rest[i] <= '9' || strings.IndexByte("_.:/-", p.rest[i]) >= 0) {
		i++
	}
	name := p.rest[:i]
	p.rest = p.rest[i:]
	return name
}

func (p *selectorParser) quoted() (string, error) {
	prefix, err := strconv.QuotedPrefix(p.rest)
	if err != nil {
		return "", fmt.Errorf("expected a quoted text at %q", p.rest)
	}
	p.rest = p.rest[len(prefix):]
	return strconv.Unquote(prefix)
}

// item reads key="value" or a quoted metric name, and the comma after it.
func (p *selectorParser) item(s *Selector) error {
	key, err := p.name(), error(nil)
	if key == "" {
		if key, err = p.quoted(); err != nil {
			return err
		}
	}
	if !p.take("=") {
		if s.Metric != "" {
			return fmt.Errorf("expected = after %q", key)
		}
		s.Metric = key
		return p.separator()
	}
	value, err := p.quoted()
	if err != nil {
		return err
	}
	set := &s.Attributes
	if name, ok := strings.CutPrefix(key, "resource."); ok {
		set, key = &s.Resource, name
	} else if name, ok := strings.CutPrefix(key, "scope."); ok {
		set, key = &s.Scope, name
	}
	for _, a := range *set {
		if a.Key == key {
			return fmt.Errorf("duplicate %q", key)
		}
	}
	*set = append(*set, attr.Attr{Key: key, Value: attr.StringValue(value)})
	return p.separator()
}

func (p *selectorParser) separator() error {
	if p.take(",") || strings.HasPrefix(p.rest, "}") {
		return nil
	}
	return fmt.Errorf("expected , or } at %q", p.rest)
}

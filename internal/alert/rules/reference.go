package rules

import (
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// ReferenceConfig names alerts of another rule.
type ReferenceConfig struct {
	// Rule is the other rule's name.
	Rule string `mapstructure:"rule"`
	// Equal are attributes that both alerts must have, with the same value: of the group, or else of the resource. "resource." in front asks for
	// those of the resource alone. Absent: any alert of the other rule.
	Equal []string `mapstructure:"equal"`
	// Severity is the least severity that the other alert must have. Absent: any.
	Severity string `mapstructure:"severity"`
}

// Reference is a compiled ReferenceConfig.
type Reference struct {
	// Rule is the index of the other rule.
	Rule int
	// Equal are the attributes that both alerts must have with the same value.
	Equal []EqualKey
	// Severity is the index into Set.Severities of the least severity, 0 for any.
	Severity int
	// Flapping has an alert count as firing for as long as it is flapping, also while it is at rest.
	Flapping bool
	// name is the other rule's name, and severity how the severity was written: rule versions are made of these.
	name, severity string
}

// EqualKey is an attribute that two alerts are compared by.
type EqualKey struct {
	// Key is the attribute's key.
	Key string
	// OfResource asks for an attribute of the resource alone.
	OfResource bool
}

// Name is the other rule's name.
func (f *Reference) Name() string { return f.name }

// canonical is what the reference says, as text.
func (f *Reference) canonical() string {
	keys := make([]string, len(f.Equal))
	for i, k := range f.Equal {
		if keys[i] = k.Key; k.OfResource {
			keys[i] = "resource." + k.Key
		}
	}
	slices.Sort(keys)
	return f.name + " [" + strings.Join(keys, " ") + "] " + f.severity
}

// compileReferences resolves what rules say of each other, refuses circles, and finds an order in which a rule comes after those that it
// refers to.
func (c *compiler) compileReferences(out *Set) {
	for i, d := range c.drafts {
		r := out.Rules[i]
		if d.config.Unless != nil {
			r.Unless = c.compileReference("unless", d.config.Unless, r, out, d.report)
		}
		if d.config.And != nil {
			r.And = c.compileReference("and", d.config.And, r, out, d.report)
		}
	}
	out.Order = c.order(out)
}

func (c *compiler) compileReference(key string, rc *ReferenceConfig, r *Rule, out *Set, report func(string, ...any)) *Reference {
	f := &Reference{name: rc.Rule, severity: rc.Severity, Flapping: key == "unless"}
	names := out.Names()
	f.Rule = slices.Index(names, rc.Rule)
	switch {
	case rc.Rule == "":
		report("%s.rule is required", key)
		return nil
	case f.Rule < 0:
		report("%s.rule: there is no rule %q %s", key, rc.Rule, suggest.DidYouMean(rc.Rule, names))
		return nil
	case f.Rule == r.Index:
		report("%s.rule: a rule can't refer to itself", key)
		return nil
	}
	other := out.Rules[f.Rule]
	if rc.Severity != "" {
		f.Severity = slices.IndexFunc(c.severities, func(s Severity) bool { return s.Name == rc.Severity })
		most := 0
		for i := range other.Levels {
			most = max(most, other.Levels[i].Severity)
		}
		if f.Severity < 0 || f.Severity > most {
			report("%s.severity: rule %q has no level of severity %q or above", key, rc.Rule, rc.Severity)
			return nil
		}
	}
	for _, name := range rc.Equal {
		k := EqualKey{Key: name}
		if name, ok := strings.CutPrefix(name, "resource."); ok {
			k = EqualKey{Key: name, OfResource: true}
		}
		if k.Key == "" || slices.Contains(f.Equal, k) {
			report("%s.equal: %q is empty or a duplicate", key, name)
			continue
		}
		for _, of := range []*Rule{r, other} {
			if !of.mayHave(k) {
				report("%s.equal: alerts of rule %q never have %q: it is neither in group_by, nor can it be an attribute of one resource", key, of.Name, name)
			}
		}
		f.Equal = append(f.Equal, k)
	}
	return f
}

// mayHave tells whether an alert of the rule may have the attribute. A group by nothing has no resource of its own, but the one that decided.
func (r *Rule) mayHave(k EqualKey) bool {
	if !r.GroupGiven || r.ByResource || k.OfResource {
		return true
	}
	if slices.ContainsFunc(r.GroupBy, func(f GroupField) bool { return f.Key == k.Key }) || r.Pinned() {
		return true
	}
	// A bare name may be an attribute of the resource, unless it is known as one of points.
	return !r.Value.Selector.testsPoint(k.Key)
}

// testsPoint tells whether the selector looks at an attribute of the data point.
func (s *Selector) testsPoint(key string) bool {
	return slices.ContainsFunc(s.point, func(m matcher) bool { return m.key == key })
}

// references are the rules that the rule refers to.
func (r *Rule) references() []int {
	var out []int
	for _, f := range []*Reference{r.And, r.Unless} {
		if f != nil {
			out = append(out, f.Rule)
		}
	}
	return out
}

// order returns the indices of the rules such that each comes after those that it refers to, otherwise as they stand. It reports circles.
func (c *compiler) order(out *Set) []int {
	const (
		unseen = iota
		open
		done
	)
	state := make([]int, len(out.Rules))
	var order, path []int
	var visit func(i int)
	visit = func(i int) {
		switch state[i] {
		case done:
			return
		case open:
			var names []string
			for _, k := range append(path[slices.Index(path, i):], i) {
				names = append(names, `"`+out.Rules[k].Name+`"`)
			}
			c.drafts[i].report("rules refer to each other in a circle by and or unless: %s", strings.Join(names, " → "))
			return
		}
		state[i] = open
		path = append(path, i)
		for _, other := range out.Rules[i].references() {
			visit(other)
		}
		path = path[:len(path)-1]
		state[i] = done
		order = append(order, i)
	}
	for i := range out.Rules {
		visit(i)
	}
	return order
}

// ValueOf returns the attribute of an alert with that group key and resource.
func (k EqualKey) ValueOf(group []attr.Located, resource []attr.Attr) (attr.Value, bool) {
	for _, a := range group {
		if a.Key == k.Key && (!k.OfResource || a.Location == attr.InResource) {
			return a.Value, true
		}
	}
	return attr.Lookup(resource, k.Key)
}

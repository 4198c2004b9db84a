package rules

import (
	"fmt"
	"slices"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// groupLister is a kind that lists groups which it expects.
type groupLister interface{ expectedGroups() []string }

func (k *absence) expectedGroups() []string { return k.expected }

// ExpectedGroups returns the keys of the groups that the rule expects, seen or not.
func (r *Rule) ExpectedGroups() []string {
	if k, own := r.Kind.(groupLister); own {
		return k.expectedGroups()
	}
	return nil
}

// lists tells whether groups are listed.
func (a *AbsentConfig) lists() bool { return len(a.Expected) > 0 || a.ExpectedFile != "" }

// compileExpected makes group keys of the list of what is expected.
func (k *absence) compileExpected(c *compiler, rc RuleConfig, report func(string, ...any)) {
	a, r := rc.Absent, k.rule
	if !a.lists() {
		if a.Expected != nil {
			report("absent.expected is empty: list at least one group, or leave it out")
		}
		return
	}
	k.expect = true
	switch {
	case len(r.GroupBy) == 0 || r.ByResource:
		report("absent.expected needs group_by with the attributes that it lists values of, such as [resource.host.name]")
		return
	case a.ExpectedFile != "" && len(r.GroupBy) > 1:
		report("absent.expected_file lists values of one attribute, and group_by has %d", len(r.GroupBy))
	case len(a.Expected) > c.cfg.Limits.Series:
		report("absent.expected lists %d groups, and limits::series is %d: raise it or shorten the list", len(a.Expected), c.cfg.Limits.Series)
	}
	for i, item := range a.Expected {
		key, err := expectedKey(r.GroupBy, rc.GroupBy, item)
		switch {
		case err != nil:
			report("absent.expected[%d]: %w", i, err)
		case !slices.Contains(k.expected, key):
			k.expected = append(k.expected, key)
		}
	}
}

// expectedKey is the group key of one item of the list. names are the fields as they were written.
func expectedKey(fields []GroupField, names []string, item any) (string, error) {
	values, isMap := item.(map[string]any)
	if !isMap {
		if len(fields) > 1 {
			return "", fmt.Errorf("%v: expected a map with the values of %v", item, names)
		}
		values = map[string]any{names[0]: item}
	}
	if len(values) != len(fields) {
		return "", fmt.Errorf("%v: expected the values of %v and no others", item, names)
	}
	located := make([]attr.Located, len(fields))
	for i, f := range fields {
		given, found := values[names[i]]
		if !found {
			return "", fmt.Errorf("%v: expected the values of %v and no others", item, names)
		}
		a, err := attributeOf(f.Key, given)
		if err != nil {
			return "", err
		}
		located[i] = attr.Located{Location: f.Location, Attr: a}
	}
	return attr.EncodeGroup(located), nil
}

// attributeOf makes an attribute of a value of the configuration.
func attributeOf(key string, v any) (attr.Attr, error) {
	switch x := v.(type) {
	case string:
		if x == "" {
			return attr.Attr{}, fmt.Errorf("%s is empty", key)
		}
		return attr.String(key, x), nil
	case int:
		return attr.Int(key, int64(x)), nil
	case int64:
		return attr.Int(key, x), nil
	case bool:
		return attr.Bool(key, x), nil
	default:
		return attr.Attr{}, fmt.Errorf("%s: %v is neither text nor an integer nor a truth value", key, v)
	}
}

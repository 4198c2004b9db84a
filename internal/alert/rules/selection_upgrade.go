package rules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Stored alerts have the selection of their rule as text. Builds have written it in several forms: as the operator wrote it, then with lists and
// numbers in one spelling, then with patterns that had to match whole values. Here such a text is read again, and compared by what it means.

// SelectedAs tells whether a stored selection, of this build or of one before, is that of the rule. Builds before patterns had to match whole values
// stored "^sd" for what is "sd.*" today: who writes it so has changed nothing, and keeps the alerts.
func (r *Rule) SelectedAs(stored string) bool {
	if stored == r.Selection || stored == r.WrittenSelection {
		return true
	}
	today := selectionMeaning(r.Selection, wholeValue)
	return selectionMeaning(stored, wholeValue) == today || selectionMeaning(stored, partOfValue) == today
}

// writtenSelection is the selection as builds have stored it that stored it as it was written.
func writtenSelection(r *Rule) string {
	return selectionWith(r, r.GroupBy, func(s *Selector) string { return matchText(s.match) })
}

// selectionBefore is the selection as builds have stored it for which {in: [p]} was another match than p.
func selectionBefore(r *Rule) string {
	return selectionWith(r, sortedFields(r), func(s *Selector) string { return matchText(matchBefore(s.match)) })
}

// selectionWith is the selection with its matches in another form. The kind writes them as they stand in the selectors.
func selectionWith(r *Rule, fields []GroupField, write func(*Selector) string) string {
	selectors := []*Selector{&r.Value.Selector}
	for _, in := range r.Kind.Inputs() {
		selectors = append(selectors, &in.Selector)
	}
	canonical := make([]string, len(selectors))
	for i, s := range selectors {
		canonical[i] = s.canonical
	}
	for _, s := range selectors {
		s.canonical = write(s)
	}
	text := selectionOfFields(r, fields)
	for i, s := range selectors {
		s.canonical = canonical[i]
	}
	return text
}

// matchBefore is a match map as builds had it for which {in: [p]} was another match than p: values as text, lists of them in order and without
// duplicates, and without maps in which nothing is asked.
func matchBefore(match map[string]any) map[string]any {
	out := map[string]any{}
	for key, v := range match {
		switch x := v.(type) {
		case map[string]any:
			if inner := matchBefore(x); len(inner) > 0 {
				out[key] = inner
			}
		case []any:
			out[key] = listBefore(x)
		default:
			out[key] = scalarBefore(v)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func listBefore(list []any) []any {
	texts := make([]string, 0, len(list))
	for _, item := range list {
		texts = append(texts, fmt.Sprint(scalarBefore(item)))
	}
	slices.Sort(texts)
	out := make([]any, 0, len(texts))
	for _, text := range slices.Compact(texts) {
		out = append(out, text)
	}
	return out
}

// scalarBefore is the text that an attribute equal to the value has.
func scalarBefore(v any) any {
	text, err := scalarText(v)
	if err != nil {
		return v // It is refused.
	}
	return text
}

func wholeValue(pattern string) string { return pattern }

// partOfValue is the pattern for whole values that matches what a pattern for parts of them does.
func partOfValue(pattern string) string { return ".*(?:" + pattern + ").*" }

// selectionMeaning is a selection with its matches in today's form and its group_by in order. spell says what a pattern means.
func selectionMeaning(text string, spell func(string) string) string {
	var b strings.Builder
	for text != "" {
		switch quoted, err := strconv.QuotedPrefix(text); {
		case err == nil:
			b.WriteString(quoted)
			text = text[len(quoted):]
		case strings.HasPrefix(text, storedMap):
			match, rest, err := readStoredMap(text)
			if err != nil {
				return b.String() + text
			}
			b.WriteString(storedMatchText(match, text[:len(text)-len(rest)], spell))
			text = rest
		case strings.HasPrefix(text, "[{"):
			end := strings.Index(text, "}]")
			if end < 0 {
				return b.String() + text
			}
			fields := strings.Split(text[2:end], "} {")
			slices.Sort(fields)
			b.WriteString("[{" + strings.Join(fields, "} {") + "}]")
			text = text[end+2:]
		default:
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	return b.String()
}

// storedMatchText is the text of a stored match in today's form, written where it can't be understood.
func storedMatchText(match map[string]any, written string, spell func(string) string) string {
	var s Selector
	var errs [3]error
	point := map[string]any{}
	for key, v := range match {
		of, isMap := v.(map[string]any)
		switch {
		case key == "resource" && isMap:
			s.resource, errs[0] = storedTests(of, spell)
		case key == "scope" && isMap:
			s.scope, errs[1] = storedTests(of, spell)
		default:
			point[key] = v
		}
	}
	s.point, errs[2] = storedTests(point, spell)
	if errors.Join(errs[:]...) != nil {
		return written
	}
	s.normalize()
	return s.canonical
}

// storedTests are the tests of a stored match, in which truth values may be text and patterns of one attribute a list.
func storedTests(match map[string]any, spell func(string) string) (tests []matcher, err error) {
	for _, key := range sortedKeys(match) {
		ops, isMap := match[key].(map[string]any)
		if !isMap {
			text, err := scalarText(match[key])
			if err != nil {
				return nil, err
			}
			tests = append(tests, matcher{key: key, text: text})
			continue
		}
		for _, op := range sortedKeys(ops) {
			args := []any{ops[op]}
			if list, several := ops[op].([]any); several && op != "in" {
				args = list
			}
			for _, arg := range args {
				text, isText := arg.(string)
				switch {
				case isText && op == "exists":
					arg = text == "true"
				case isText && strings.HasSuffix(op, "regex"):
					arg = spell(text)
				}
				m, err := compileMatcher(key, op, arg)
				if err != nil {
					return nil, err
				}
				tests = append(tests, m)
			}
		}
	}
	return tests, nil
}

// storedMap and storedList begin a map and a list in the text of a selection, as writeMatch writes them.
const (
	storedMap  = "map[string]interface {}"
	storedList = "[]interface {}"
)

// readStoredMap is the inverse of writeMatch. It returns what comes after the map.
func readStoredMap(text string) (match map[string]any, rest string, err error) {
	rest = strings.TrimPrefix(text, storedMap)
	if after, isNil := strings.CutPrefix(rest, "(nil)"); isNil {
		return nil, after, nil
	}
	match = map[string]any{}
	rest, err = readStoredItems(rest, func(item string) (string, error) {
		quoted, err := strconv.QuotedPrefix(item)
		if err != nil {
			return "", err
		}
		key, err := strconv.Unquote(quoted)
		if err != nil {
			return "", err
		}
		value, found := strings.CutPrefix(item[len(quoted):], ":")
		if !found {
			return "", fmt.Errorf("expected a value of %s", quoted)
		}
		match[key], value, err = readStoredValue(value)
		return value, err
	})
	return match, rest, err
}

// readStoredItems reads what stands in braces.
func readStoredItems(text string, item func(string) (string, error)) (rest string, err error) {
	rest, found := strings.CutPrefix(text, "{")
	if !found {
		return "", errors.New("expected {")
	}
	for {
		if after, end := strings.CutPrefix(rest, "}"); end {
			return after, nil
		}
		if rest, err = item(strings.TrimPrefix(rest, ", ")); err != nil {
			return "", err
		}
	}
}

func readStoredValue(text string) (v any, rest string, err error) {
	switch {
	case strings.HasPrefix(text, storedMap):
		return readStoredMap(text)
	case strings.HasPrefix(text, storedList):
		list := []any{}
		rest, err = readStoredItems(strings.TrimPrefix(text, storedList), func(item string) (string, error) {
			v, rest, err := readStoredValue(item)
			list = append(list, v)
			return rest, err
		})
		return list, rest, err
	case strings.HasPrefix(text, `"`):
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return nil, "", err
		}
		v, err := strconv.Unquote(quoted)
		return v, text[len(quoted):], err
	}
	end := strings.IndexAny(text, ",}")
	if end <= 0 {
		return nil, "", errors.New("expected a value")
	}
	word, rest := text[:end], text[end:]
	if b, err := strconv.ParseBool(word); err == nil && len(word) > 1 {
		return b, rest, nil
	}
	if i, err := strconv.ParseInt(word, 10, 64); err == nil {
		return i, rest, nil
	}
	f, err := strconv.ParseFloat(word, 64)
	return f, rest, err
}

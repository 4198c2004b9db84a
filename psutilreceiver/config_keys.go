package psutilreceiver

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// checkKeys reports keys that the receiver does not know, each with what is allowed in its place.
func checkKeys(conf *confmap.Conf) error {
	return checkBlock(conf.ToStringMap(), "", reflect.TypeFor[Config]())
}

// checkBlock compares the keys of the block at path, and of those within it, with the fields of a configuration struct.
func checkBlock(block map[string]any, path string, t reflect.Type) error {
	fields := fieldsByKey(t)
	known := slices.Sorted(maps.Keys(fields))
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(block)) {
		field, ok := fields[key]
		if !ok {
			errs = append(errs, fmt.Errorf("unknown key %q: %s", path+key, allowedInstead(key, known)))
			continue
		}
		if field.Kind() != reflect.Struct || block[key] == nil {
			continue
		}
		inner, ok := block[key].(map[string]any)
		if !ok {
			errs = append(errs, fmt.Errorf("%s is %v: it must be a block of keys; allowed are %s",
				path+key, block[key], listOf(slices.Sorted(maps.Keys(fieldsByKey(field))))))
			continue
		}
		errs = append(errs, checkBlock(inner, path+key+confmap.KeyDelimiter, field))
	}
	return errors.Join(errs...)
}

// allowedInstead says what may stand in place of key: all that is known, or, of a long list, what is most like it.
func allowedInstead(key string, known []string) string {
	const longList = 20
	if len(known) <= longList {
		return "allowed are " + listOf(known)
	}
	alike := slices.Clone(known)
	slices.SortStableFunc(alike, func(a, b string) int { return editDistance(key, a) - editDistance(key, b) })
	return fmt.Sprintf("the most similar of the %d that are allowed are %s", len(known), listOf(alike[:3]))
}

func listOf(keys []string) string { return strings.Join(keys, ", ") }

// keysOf lists the configuration keys of a struct type, embedded ones included, sorted.
func keysOf(t reflect.Type) []string { return slices.Sorted(maps.Keys(fieldsByKey(t))) }

// fieldsByKey gives the types of a struct's fields by their configuration keys. What is optional has the type of its value.
func fieldsByKey(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type)
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
		switch {
		case options == "squash":
			maps.Copy(fields, fieldsByKey(f.Type))
		case name != "" && name != "-":
			fields[name] = valueType(f.Type)
		}
	}
	return fields
}

// valueType is T for configoptional.Optional[T], and any other type as it is.
func valueType(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Optional[") {
		if value, ok := t.FieldByName("value"); ok {
			return value.Type
		}
	}
	return t
}

// editDistance counts the single-character changes from a to b (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

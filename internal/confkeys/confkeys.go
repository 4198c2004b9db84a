// Package confkeys refuses keys of a configuration that the struct which it is decoded into does not have, and says which may have been
// meant, or what a key of an older version is called now. The Collector refuses them, too, and says no more than that. It refuses durations
// without a unit as well, which the Collector takes for nanoseconds.
package confkeys

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/suggest"
)

// Check compares the keys of a configuration with those of the struct that into points to, and so for each block, list and map within.
// The errors, joined, are in the order of the keys.
func Check(conf *confmap.Conf, into any) error {
	return (&checker{keys: true}).check(conf.ToStringMap(), reflect.TypeOf(into).Elem(), "")
}

// CheckDurations refuses durations without a unit, as Check does, and leaves keys that are not known to the decoder. It is for structs of
// which not all keys can be seen.
func CheckDurations(conf *confmap.Conf, into any) error {
	return (&checker{}).check(conf.ToStringMap(), reflect.TypeOf(into).Elem(), "")
}

// checker walks a configuration beside the type that it is decoded into.
type checker struct {
	keys  bool        // Refuse keys that are not known.
	outer []namedType // The blocks around the one that is looked at, the outermost first.
}

// namedType is the type of a block, and its path.
type namedType struct {
	path string
	t    reflect.Type
}

// Of returns the keys of a struct type, those of embedded structs included, sorted.
func Of(t reflect.Type) []string { return slices.Sorted(maps.Keys(fields(t))) }

// check compares the keys of the value at path with its type. What else may be wrong with the value is for the decoder to find.
func (c *checker) check(value any, t reflect.Type, path string) error {
	t = valueType(t)
	var errs []error
	switch raw := value.(type) {
	case nil:
	case []any:
		if t.Kind() == reflect.Slice {
			for i, item := range raw {
				errs = append(errs, c.check(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i)))
			}
		}
	case map[string]any:
		switch t.Kind() {
		case reflect.Struct:
			return c.checkBlock(raw, t, path)
		case reflect.Map:
			for _, key := range slices.Sorted(maps.Keys(raw)) {
				errs = append(errs, c.check(raw[key], t.Elem(), below(path, key)))
			}
		case reflect.Slice:
			if c.keys && isListOfBlocks(t) {
				return c.noList(path, slices.Sorted(maps.Keys(raw)))
			}
		}
	default:
		if isDuration(t) {
			return checkDuration(value, t, path)
		}
		if err := checkNumber(value, t, path); err != nil {
			return err
		}
		if c.keys && isListOfBlocks(t) {
			return fmt.Errorf("%s is %v: it must be a list, each entry of it a block of keys behind \"- \"", path, value)
		}
		if c.keys && isBlock(t) {
			return fmt.Errorf("%s is %v: it must be a block of keys; allowed are %s", path, value, strings.Join(Of(t), ", "))
		}
	}
	return errors.Join(errs...)
}

// durationText stands for the type of a field that is a duration or a word, which is text with the tag confkeys:"duration".
type durationText string

// isDuration tells whether values of the type are durations.
func isDuration(t reflect.Type) bool {
	return t == reflect.TypeFor[time.Duration]() || t == reflect.TypeFor[durationText]()
}

// checkDuration refuses a number where a duration stands, unless it is 0, and text that is no duration, unless it may be a word.
func checkDuration(value any, t reflect.Type, path string) error {
	text := strings.TrimSpace(fmt.Sprint(value))
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d, err := time.ParseDuration(text)
		if err != nil && text != "" && t == reflect.TypeFor[time.Duration]() {
			return fmt.Errorf("%s is %v: invalid duration: write a number with a unit, as in 90s, 15m or 24h", path, value)
		}
		if err == nil && d < 0 {
			return fmt.Errorf("%s is %v: a duration must not be negative", path, value)
		}
		return nil
	}
	if number == 0 {
		return nil
	}
	return fmt.Errorf("%s is %s: a duration has a unit, as in %ss", path, text, strings.TrimLeft(text, "+-"))
}

// checkBlock compares the keys of a block with the fields of a struct.
func (c *checker) checkBlock(block map[string]any, t reflect.Type, path string) error {
	c.outer = append(c.outer, namedType{path, t})
	defer func() { c.outer = c.outer[:len(c.outer)-1] }()
	known := fields(t)
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(block)) {
		if field, ok := known[key]; ok {
			errs = append(errs, c.check(block[key], field, below(path, key)))
			continue
		}
		if !c.keys {
			continue
		}
		err := fmt.Errorf("unknown key %q %s", key, suggest.DidYouMean(key, Of(t)))
		if place := c.placeOf(key, path); place != "" {
			err = fmt.Errorf("unknown key %q: its place is %s", key, place)
		}
		if path != "" {
			err = fmt.Errorf("%s: %w", path, err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// isBlock tells whether values of the type are blocks of keys.
func isBlock(t reflect.Type) bool {
	t = valueType(t)
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// isListOfBlocks tells whether the type is a list of blocks. A slice type with a name may be decoded from something else.
func isListOfBlocks(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Name() == "" && isBlock(t.Elem())
}

// noList is the error of a block of keys where a list of such blocks stands.
func (c *checker) noList(path string, keys []string) error {
	for _, key := range keys {
		if place := c.placeOf(key, path); place != "" {
			return fmt.Errorf("%s is a block of keys: it must be a list, each entry of it behind \"- \"; the place of %q is %s", path, key, place)
		}
	}
	return fmt.Errorf("%s is a block of keys: it must be a list, each entry of it behind \"- \"", path)
}

// placeOf says where a key that a block at path does not have would be known: in a block around it; "" if it is in none.
func (c *checker) placeOf(key, path string) string {
	for _, block := range slices.Backward(c.outer) {
		if block.path == path {
			continue
		}
		if _, known := fields(block.t)[key]; known {
			inner := strings.TrimPrefix(strings.TrimPrefix(path, block.path), confmap.KeyDelimiter)
			inner = inner[:strings.IndexAny(inner+"[", "[:")]
			return fmt.Sprintf("beside %q, not in it", inner)
		}
	}
	return ""
}

// Durations returns the paths of all durations in a struct type, as Leaves does. Tests hold by it that none is forgotten.
func Durations(t reflect.Type) []string {
	var paths []string
	for _, leaf := range Leaves(t) {
		if isDuration(leaf.Type) {
			paths = append(paths, leaf.Path)
		}
	}
	return paths
}

// Leaf is a key of a configuration that is no block of keys. Type is time.Duration for all durations.
type Leaf struct {
	Path string
	Type reflect.Type
}

// Leaves returns the keys of a struct type that hold values, in the order of their paths, with * for the keys of a map, and [0] for the items of a list.
func Leaves(t reflect.Type) []Leaf {
	var leaves []Leaf
	var walk func(t reflect.Type, path string, within []reflect.Type)
	walk = func(t reflect.Type, path string, within []reflect.Type) {
		t = valueType(t)
		switch {
		case isDuration(t):
			leaves = append(leaves, Leaf{path, reflect.TypeFor[time.Duration]()})
		case slices.Contains(within, t):
		case isBlock(t):
			known := fields(t)
			for _, key := range slices.Sorted(maps.Keys(known)) {
				walk(known[key], below(path, key), append(slices.Clip(within), t))
			}
		case t.Kind() == reflect.Map:
			walk(t.Elem(), below(path, "*"), within)
		case t.Kind() == reflect.Slice:
			walk(t.Elem(), path+"[0]", within)
		default:
			leaves = append(leaves, Leaf{path, t})
		}
	}
	walk(t, "", nil)
	return leaves
}

// below is the path of a key in the block at path.
func below(path, key string) string {
	return strings.TrimPrefix(path+confmap.KeyDelimiter+key, confmap.KeyDelimiter)
}

// knownFields has what fields has found, by type: a list of a thousand blocks asks a thousand times.
var knownFields sync.Map

// fields gives the types of a struct's fields by their configuration keys. The map is for reading.
func fields(t reflect.Type) map[string]reflect.Type {
	if known, ok := knownFields.Load(t); ok {
		return known.(map[string]reflect.Type)
	}
	byKey := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
		switch {
		case options == "squash":
			maps.Copy(byKey, fields(f.Type))
		case f.Tag.Get("confkeys") == "duration":
			byKey[name] = reflect.TypeFor[durationText]()
		case f.Tag.Get("confkeys") == "share":
			byKey[name] = reflect.TypeFor[shareText]()
		case name != "" && name != "-":
			byKey[name] = f.Type
		}
	}
	knownFields.Store(t, byKey)
	return byKey
}

// valueType is T for a pointer to T and for configoptional.Optional[T], and any other type as it is.
func valueType(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return valueType(t.Elem())
	}
	if t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Optional[") {
		if value, ok := t.FieldByName("value"); ok {
			return value.Type
		}
	}
	return t
}

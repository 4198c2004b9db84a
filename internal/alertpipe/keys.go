package alertpipe

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
)

// Unmarshal decodes the settings. A key that is not known is answered with the one that may have been meant, or with all.
func (c *Config) Unmarshal(conf *confmap.Conf) error { return decode(conf, c) }

// decode decodes settings into a pointer to a struct, and refuses keys that the struct does not have.
func decode(conf *confmap.Conf, into any) error {
	if problems := unknownKeys(conf.ToStringMap(), reflect.TypeOf(into).Elem(), ""); len(problems) > 0 {
		return errors.Join(problems...)
	}
	return conf.Unmarshal(into)
}

// unknownKeys reports the keys of a value that its type has no field for; path is where the value stands.
func unknownKeys(value any, t reflect.Type, path string) []error {
	var problems []error
	switch raw := value.(type) {
	case []any:
		if t.Kind() == reflect.Slice {
			for i, item := range raw {
				problems = append(problems, unknownKeys(item, pointedTo(t.Elem()), fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
	case map[string]any:
		fields := map[string]reflect.Type{}
		switch t.Kind() {
		case reflect.Struct:
			addFields(fields, t)
		case reflect.Map:
			for key := range raw {
				fields[key] = pointedTo(t.Elem())
			}
		default:
			return nil
		}
		for _, key := range slices.Sorted(maps.Keys(raw)) {
			field, known := fields[key]
			if !known {
				problems = append(problems, fmt.Errorf("%sunknown key %q %s", prefixOf(path), key, alert.DidYouMean(key, slices.Sorted(maps.Keys(fields)))))
				continue
			}
			problems = append(problems, unknownKeys(raw[key], field, strings.TrimPrefix(path+"."+key, "."))...)
		}
	}
	return problems
}

func prefixOf(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func pointedTo(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// addFields adds the keys of a struct, with the types of their values.
func addFields(to map[string]reflect.Type, t reflect.Type) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
		switch {
		case options == "squash":
			addFields(to, f.Type)
		case name != "":
			to[name] = pointedTo(f.Type)
		}
	}
}

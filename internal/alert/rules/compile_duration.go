package rules

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// checkDurations refuses what is almost certainly a duration that lost its unit before it was decoded, and is nanoseconds now. Path is the key of v.
func checkDurations(v reflect.Value, path string, report func(string, ...any)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			checkDurations(v.Elem(), path, report)
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkDurations(v.Index(i), fmt.Sprintf("%s[%d]", path, i), report)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			checkDurations(v.MapIndex(key), fmt.Sprintf("%s.%v", path, key), report)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			key, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("mapstructure"), ",")
			switch {
			case options == "squash":
				checkDurations(v.Field(i), path, report)
			case key != "":
				checkDurations(v.Field(i), strings.TrimPrefix(path+"."+key, "."), report)
			}
		}
	case reflect.Int64:
		if d, ok := reflect.TypeAssert[time.Duration](v); ok && d != 0 && d.Abs() < time.Millisecond {
			report("%s is %v: a duration has a unit, as in %ds", path, d, d.Abs().Nanoseconds())
		}
	default:
	}
}

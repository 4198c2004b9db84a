package confkeys

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// Spell returns the configuration with what the Collector's decoder does not read in the form that it does: days and weeks in durations, a percentage
// for a field with the tag confkeys:"share", and a value alone for a block in which a field has the tag confkeys:"alone". The configuration
// itself is returned where there is none of these. The error is what Check says of the result.
func Spell(conf *confmap.Conf, into any) (*confmap.Conf, error) {
	s, t := speller{}, reflect.TypeOf(into).Elem()
	spelled := s.spell(conf.ToStringMap(), t)
	if block, ok := spelled.(map[string]any); ok && s.changed {
		conf = confmap.NewFromStringMap(block)
	}
	return conf, (&checker{keys: true}).check(spelled, t, "")
}

// speller walks a configuration beside the type that it is decoded into.
type speller struct{ changed bool }

func (s *speller) spell(value any, t reflect.Type) any {
	t = valueType(t)
	switch raw := value.(type) {
	case nil:
		return nil
	case []any:
		if t.Kind() == reflect.Slice {
			out := make([]any, len(raw))
			for i := range raw {
				out[i] = s.spell(raw[i], t.Elem())
			}
			return out
		}
	case map[string]any:
		if t.Kind() == reflect.Struct || t.Kind() == reflect.Map {
			return s.spellBlock(raw, t)
		}
	case string:
		switch {
		case isDuration(t):
			return s.spellDuration(raw)
		case t == reflect.TypeFor[shareText]():
			return s.spellShare(raw)
		case t.Kind() == reflect.Struct:
			return s.spellAlone(raw, t)
		}
	case int, int64, uint64, float64:
		if t.Kind() == reflect.Struct {
			return s.spellAlone(raw, t)
		}
	}
	return value
}

func (s *speller) spellBlock(block map[string]any, t reflect.Type) map[string]any {
	out := maps.Clone(block)
	if t.Kind() == reflect.Map {
		for key, v := range block {
			out[key] = s.spell(v, t.Elem())
		}
		return out
	}
	known := fields(t)
	for key, v := range block {
		if field, ok := known[key]; ok {
			out[key] = s.spell(v, field)
		}
	}
	return out
}

// spellAlone makes a block of a value that stands for one.
func (s *speller) spellAlone(value any, t reflect.Type) any {
	for f := range t.Fields() {
		if f.Tag.Get("confkeys") == "alone" {
			name, _, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
			s.changed = true
			return map[string]any{name: value}
		}
	}
	return value
}

// longUnits are weeks and days, with their number.
var longUnits = regexp.MustCompile(`^(\d+(?:\.\d+)?)(w|d)`)

// spellDuration writes weeks and days as hours.
func (s *speller) spellDuration(text string) string {
	rest := strings.TrimSpace(text)
	sign, rest := rest[:len(rest)-len(strings.TrimLeft(rest, "+-"))], strings.TrimLeft(rest, "+-")
	hours := 0.0
	for {
		found := longUnits.FindStringSubmatch(rest)
		if found == nil {
			break
		}
		number, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			return text
		}
		hours += number * map[string]float64{"w": 7 * 24, "d": 24}[found[2]]
		rest = rest[len(found[0]):]
	}
	if hours == 0 {
		return text
	}
	s.changed = true
	return sign + strconv.FormatFloat(hours, 'f', -1, 64) + "h" + rest
}

// shareText stands for the type of a field that is a share of a whole, with the tag confkeys:"share".
type shareText float64

func (s *speller) spellShare(text string) any {
	number, isPercent := strings.CutSuffix(strings.TrimSpace(text), "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !isPercent || err != nil {
		return text
	}
	s.changed = true
	return f / 100
}

// checkNumber refuses text where a number stands, and what is no number: NaN and the infinities, which pass every comparison with a bound.
func checkNumber(value any, t reflect.Type, path string) error {
	if t.Kind() != reflect.Float64 {
		return nil
	}
	number, isFloat := value.(float64)
	text, isText := value.(string)
	var err error
	if isText {
		number, err = strconv.ParseFloat(text, 64)
	}
	switch {
	case !isFloat && !isText:
		return nil
	case err == nil && (math.IsNaN(number) || math.IsInf(number, 0)):
		return fmt.Errorf("%s is %v: expected a finite number", path, value)
	case err == nil:
		return nil
	case t == reflect.TypeFor[shareText]():
		return fmt.Errorf("%s is %q: expected a number such as 0.1, or a percentage such as 10%%", path, text)
	default:
		return fmt.Errorf("%s is %q: expected a number", path, text)
	}
}

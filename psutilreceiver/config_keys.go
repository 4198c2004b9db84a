package psutilreceiver

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// checkKeys reports keys that the receiver does not know, each with what is allowed in its place.
func checkKeys(conf *confmap.Conf) error {
	return errors.Join(
		checkBlock(conf, "", keysOf(reflect.TypeFor[Config]())),
		checkBlock(conf, "scrapers", keysOf(reflect.TypeFor[ScrapersConfig]())),
		checkBlock(conf, "metrics", keysOf(reflect.TypeFor[metadata.MetricsConfig]())),
		checkBlock(conf, "resource_attributes", keysOf(reflect.TypeFor[metadata.ResourceAttributesConfig]())),
	)
}

// checkBlock compares the keys below the block at path with those that are known.
func checkBlock(conf *confmap.Conf, path string, known []string) error {
	block := conf
	if path != "" {
		if conf.Get(path) == nil {
			return nil
		}
		var err error
		if block, err = conf.Sub(path); err != nil {
			return fmt.Errorf("%s must be a block of keys: %w", path, err)
		}
		path += confmap.KeyDelimiter
	}
	var errs []error
	for key := range block.ToStringMap() {
		if !slices.Contains(known, key) {
			errs = append(errs, fmt.Errorf("unknown key %q: %s", path+key, allowedInstead(key, known)))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
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
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
		switch {
		case options == "squash":
			keys = append(keys, keysOf(f.Type)...)
		case name != "" && name != "-":
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return keys
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

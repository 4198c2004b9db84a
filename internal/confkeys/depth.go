package confkeys

import "fmt"

// MaxDepth is how deep lists and maps of a file may be nested. What decodes them takes time with the square of it, or worse.
const MaxDepth = 100

// CheckDepth refuses what was read from YAML and is nested deeper than anything that a configuration has.
func CheckDepth(value any) error {
	if deeper(value, MaxDepth) {
		return fmt.Errorf("lists and maps are nested more than %d deep: no setting is", MaxDepth)
	}
	return nil
}

// deeper tells whether a value has more levels of lists and maps. It looks no deeper than that.
func deeper(value any, levels int) bool {
	switch x := value.(type) {
	case []any:
		if levels == 0 {
			return true
		}
		for _, item := range x {
			if deeper(item, levels-1) {
				return true
			}
		}
	case map[string]any:
		if levels == 0 {
			return true
		}
		for _, item := range x {
			if deeper(item, levels-1) {
				return true
			}
		}
	case map[any]any:
		if levels == 0 {
			return true
		}
		for _, item := range x {
			if deeper(item, levels-1) {
				return true
			}
		}
	}
	return false
}

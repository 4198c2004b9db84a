package confkeys

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDepth(t *testing.T) {
	t.Parallel()
	for name, within := range map[string]func(any) any{
		"lists":         func(v any) any { return []any{"x", v} },
		"maps":          func(v any) any { return map[string]any{"a": 1, "b": v} },
		"maps of lists": func(v any) any { return map[string]any{"b": []any{v}} },
		"numbered maps": func(v any) any { return map[any]any{1: v} },
	} {
		var value any = "x"
		levels := 0
		step := 1
		if name == "maps of lists" {
			step = 2
		}
		for ; levels+step <= MaxDepth; levels += step {
			value = within(value)
		}
		require.NoError(t, CheckDepth(value), name)
		value = within(value)
		require.Error(t, CheckDepth(value), name)
		for range 100_000 {
			value = within(value)
		}
		require.Error(t, CheckDepth(value), name)
	}
	assert.NoError(t, CheckDepth(nil))
}

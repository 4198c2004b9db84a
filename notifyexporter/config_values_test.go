package notifyexporter

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
)

// TestNoOddValueOfAChannel puts impossible values under each key of each type of channel; the keys of the types are not seen in the exporter's own
// struct. Each is refused by an error that names the channel and the key.
func TestNoOddValueOfAChannel(t *testing.T) {
	t.Parallel()
	upstream := []string{"compression_params::level", "max_idle_conns", "max_idle_conns_per_host", "max_conns_per_host", "read_buffer_size", "write_buffer_size", "topic"}
	for name, create := range types {
		for _, leaf := range confkeys.Leaves(reflect.TypeOf(create()).Elem()) {
			var impossible []any
			switch kind := leaf.Type.Kind(); {
			case leaf.Type == reflect.TypeFor[time.Duration]():
				impossible = []any{"-1s", "7"}
			case kind == reflect.Float64:
				impossible = []any{math.NaN(), math.Inf(1)}
			case kind >= reflect.Int && kind <= reflect.Float64:
				impossible = []any{-1}
				for _, end := range upstream {
					if strings.HasSuffix(leaf.Path, end) {
						impossible = nil
					}
				}
			}
			for _, value := range impossible {
				keys := strings.Split(leaf.Path, confmap.KeyDelimiter)
				for _, key := range slices.Backward(keys) {
					value = map[string]any{key: value}
				}
				channel := value.(map[string]any)
				channel["type"] = name
				cfg := createDefaultConfig()
				err := confmap.NewFromStringMap(map[string]any{"channels": map[string]any{"one": channel}}).Unmarshal(cfg)
				if err == nil {
					err = confmap.Validate(cfg)
				}
				if assert.Error(t, err, "%s: %v", name, channel) {
					assert.Contains(t, err.Error(), keys[len(keys)-1], "%s: %v", name, channel)
					assert.Contains(t, err.Error(), "one", "%s: %v", name, channel)
				}
			}
		}
	}
}

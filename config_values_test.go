package otelcolpsutil_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
)

// oddValues are values that a key of a type may be given by mistake. Those of impossible are never right.
func oddValues(t reflect.Type) (impossible, odd []any) {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return []any{"-1s", "-2562047h"}, []any{"0s", "1ns", "2562047h"}
	case t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32:
		return []any{math.NaN(), math.Inf(1), math.Inf(-1)}, []any{-1.0, 0.0, math.MaxFloat64, math.SmallestNonzeroFloat64}
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return []any{-1, math.MinInt32}, []any{0, math.MaxInt32, math.MaxInt64, math.MinInt64}
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return []any{-1}, []any{0, math.MaxInt32, math.MaxInt64}
	case t.Kind() == reflect.String || t.Kind() == reflect.Interface:
		return nil, []any{"no such \x00 thing", strings.Repeat("9", 400), math.NaN(), map[string]any{}}
	}
	return nil, nil
}

// upstreamSign are keys of the Collector's own blocks, by the end of their path, in which a negative number means something or is left as none.
var upstreamSign = regexp.MustCompile(`(^|::)(compression_params::level|max_idle_conns(_per_host)?|max_conns_per_host|read_buffer_size|write_buffer_size|cors::max_age|max_request_body_size)$`)

// given is a configuration with a value under the path of a leaf, and beside it what an entry of a list has to have.
func given(path string, value any) map[string]any {
	block := at(path, value)
	if channels, ok := block["channels"].(map[string]any); ok {
		if channel, ok := channels["warning"].(map[string]any); ok && channel["type"] == nil {
			channel["type"], channel["url"] = "webhook", "http://127.0.0.1:9"
		}
	}
	if list, ok := block["rules"].([]any); ok {
		rule := list[0].(map[string]any)
		for key, v := range map[string]any{"name": "r", "metric": "m"} {
			if _, there := rule[key]; !there {
				rule[key] = v
			}
		}
		level := rule
		if levels, ok := rule["thresholds"].(map[string]any); ok {
			level, _ = levels["warning"].(map[string]any)
		} else if _, there := rule["severity"]; !there {
			rule["severity"] = "warning"
		}
		if _, there := level["above"]; !there && level != nil {
			level["above"] = 1
		}
	}
	return block
}

// TestNoOddValueOfAnyKey puts values that can't be meant under every key of every component, which are found by reflection, so that a new one is among
// them. None panics, none takes its time, neither when it is read nor at the start, and what is impossible is refused by an error that names the key.
func TestNoOddValueOfAnyKey(t *testing.T) {
	for name, factory := range components() {
		if name == "host_metrics" {
			continue // Its struct is that of psutil.
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaves := confkeys.Leaves(reflect.TypeOf(factory.CreateDefaultConfig()).Elem())
			require.NotEmpty(t, leaves)
			for _, leaf := range leaves {
				impossible, odd := oddValues(leaf.Type)
				if upstreamSign.MatchString(leaf.Path) {
					impossible, odd = nil, slices.Concat(odd, impossible)
				}
				for _, value := range impossible {
					_, err := configured(factory, given(leaf.Path, value), false)
					key := strings.TrimSuffix(leaf.Path[strings.LastIndex(leaf.Path, ":")+1:], "[0]")
					if assert.Error(t, err, "%s: %v", leaf.Path, value) {
						assert.Contains(t, err.Error(), key, "%s: %v", leaf.Path, value)
						assert.NotContains(t, err.Error(), "panic", "%s: %v", leaf.Path, value)
					}
				}
				for _, value := range odd {
					took, err := configured(factory, given(leaf.Path, value), leaf.Type.Kind() <= reflect.Float64)
					assert.Less(t, took, 20*time.Second, "%s: %.60v", leaf.Path, value)
					if err != nil {
						assert.NotContains(t, err.Error(), "panic", "%s: %.60v", leaf.Path, value)
					}
				}
			}
		})
	}
}

// configured decodes and validates a configuration, and starts and stops the component if it is good and start says so. A panic is an error that says so.
func configured(factory component.Factory, values map[string]any, start bool) (took time.Duration, err error) {
	begun := time.Now()
	defer func() {
		took = time.Since(begun)
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v %s", r, debug.Stack())
		}
	}()
	cfg := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(values).Unmarshal(cfg); err != nil {
		return 0, err
	}
	if err := confmap.Validate(cfg); err != nil || !start {
		return 0, err
	}
	return 0, started(factory, cfg)
}

// started starts and stops a component.
func started(factory component.Factory, cfg component.Config) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var c component.Component
	var err error
	switch f := factory.(type) {
	case receiver.Factory:
		c, err = f.CreateMetrics(ctx, receivertest.NewNopSettings(f.Type()), cfg, consumertest.NewNop())
	case exporter.Factory:
		if c, err = f.CreateLogs(ctx, exportertest.NewNopSettings(f.Type()), cfg); err != nil {
			c, err = f.CreateMetrics(ctx, exportertest.NewNopSettings(f.Type()), cfg)
		}
	case processor.Factory:
		c, err = f.CreateMetrics(ctx, processortest.NewNopSettings(f.Type()), cfg, consumertest.NewNop())
	case connector.Factory:
		return nil // It is what the processor is.
	default:
		return fmt.Errorf("what is a %T", factory)
	}
	if err != nil {
		return err
	}
	return errors.Join(c.Start(ctx, componenttest.NewNopHost()), c.Shutdown(ctx))
}

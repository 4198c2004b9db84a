package otelcolpsutil_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/alertconnector"
	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter"
	"github.com/otelcol-psutil/otelcol-psutil/alertprocessor"
	"github.com/otelcol-psutil/otelcol-psutil/hostmetricsreceiver"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter"
	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
	"github.com/otelcol-psutil/otelcol-psutil/notifyexporter"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

// components are all components of this module.
func components() map[string]component.Factory {
	return map[string]component.Factory{
		"psutil": psutilreceiver.NewFactory(), "host_metrics": hostmetricsreceiver.NewFactory(), "processor alert": alertprocessor.NewFactory(), "connector alert": alertconnector.NewFactory(),
		"alertmanager": alertmanagerexporter.NewFactory(), "host_page": hostpageexporter.NewFactory(), "notify": notifyexporter.NewFactory(),
	}
}

// at puts a value where a path of confkeys leads.
func at(path string, value any) map[string]any {
	keys := strings.Split(path, confmap.KeyDelimiter)
	for _, key := range slices.Backward(keys) {
		key, list := strings.CutSuffix(key, "[0]")
		if list {
			value = []any{value}
		}
		if key == "*" {
			key = "warning"
		}
		value = map[string]any{key: value}
	}
	return value.(map[string]any)
}

// TestNoDurationWithoutAUnit holds for every duration of every component that a bare number is refused, which would be nanoseconds, and that
// the error says where it stands and how it is written.
func TestNoDurationWithoutAUnit(t *testing.T) {
	for name, factory := range components() {
		paths := confkeys.Durations(reflect.TypeOf(factory.CreateDefaultConfig()).Elem())
		require.NotEmpty(t, paths, name)
		for _, path := range paths {
			shown := strings.ReplaceAll(path, "*", "warning")
			for value, remedy := range map[any]string{30: "30s", 1.5: "1.5s", "45": "45s", -7: "7s"} {
				err := confmap.NewFromStringMap(at(path, value)).Unmarshal(factory.CreateDefaultConfig())
				if assert.Error(t, err, "%s: %s: %v", name, path, value) {
					assert.Contains(t, err.Error(), fmt.Sprintf("%s is %v: a duration has a unit, as in %s", shown, value, remedy), name)
				}
			}
			for _, value := range []any{0, "0", "30s"} {
				err := confmap.NewFromStringMap(at(path, value)).Unmarshal(factory.CreateDefaultConfig())
				if err != nil {
					assert.NotContains(t, err.Error(), "a duration has a unit", "%s: %s", name, path)
				}
			}
		}
	}
}

// TestNoDurationWithoutAUnitInRuleFiles holds the same for the rules of rule files.
func TestNoDurationWithoutAUnitInRuleFiles(t *testing.T) {
	factory := alertprocessor.NewFactory()
	file := filepath.Join(t.TempDir(), "rules.yaml")
	found := 0
	for _, path := range confkeys.Durations(reflect.TypeFor[alertprocessor.Config]()) {
		if !strings.HasPrefix(path, "rules[0]") {
			continue
		}
		found++
		text, err := yaml.Marshal(at(path, 30))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, 0o600))
		config := factory.CreateDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"rule_files": []any{file}}).Unmarshal(config))
		require.ErrorContains(t, config.(*alertprocessor.Config).Validate(), "30: a duration has a unit, as in 30s", path)
	}
	assert.Greater(t, found, 10)
}

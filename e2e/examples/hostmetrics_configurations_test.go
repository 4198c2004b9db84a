package examples

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// telling has, for each scraper of hostmetricsreceiver, a metric that tells that it ran: its name there, and its name here where that is another.
var telling = map[string][]string{
	"cpu": {"system.cpu.logical.count"}, "disk": {"system.disk.io"}, "filesystem": {"system.filesystem.usage"},
	"load": {"system.cpu.load_average.1m"}, "memory": {"system.memory.usage"}, "network": {"system.network.io"},
	"paging": {"system.paging.operations"}, "process": {"process.cpu.time"},
	"processes": {"system.processes.count", "system.process.count"}, "system": {"system.uptime"},
}

// TestConfigurationsOfHostmetricsRun runs configurations in the shapes that vendors document for hostmetricsreceiver: as they stand through validate, and
// then with a file in place of the vendor, and shorter intervals.
func TestConfigurationsOfHostmetricsRun(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "hostmetrics", "*.yaml"))
	require.NoError(t, err)
	require.Len(t, paths, 10)
	for _, path := range paths {
		path, err := filepath.Abs(path)
		require.NoError(t, err)
		t.Run(filepath.Base(path), func(t *testing.T) {
			written, err := os.ReadFile(path)
			require.NoError(t, err)
			dir := t.TempDir()
			asItStands := filepath.Join(dir, "as-it-stands.yaml")
			text := strings.ReplaceAll(string(written), "root_path: /hostfs", "root_path: /")
			require.NoError(t, os.WriteFile(asItStands, []byte(text), 0o600))
			out, err := validate(t, asItStands)
			require.NoError(t, err, out)

			overlay, expected := overlayOf(t, text)
			over := filepath.Join(dir, "overlay.yaml")
			require.NoError(t, os.WriteFile(over, []byte(overlay), 0o600))
			p := harness.Run(t, dir, exec.Command(harness.Binary(t), "--config", asItStands, "--config", over))
			var seen []string
			harness.Eventually(t, "a metric of each scraper", func() error {
				seen = metricNames(filepath.Join(dir, "metrics.json"))
				for _, names := range expected {
					if !slices.ContainsFunc(names, func(name string) bool { return slices.Contains(seen, name) }) {
						return fmt.Errorf("none of %v among %v", names, seen)
					}
				}
				if !strings.Contains(text, "    logs:") {
					return nil
				}
				logs, err := os.ReadFile(filepath.Join(dir, "logs.json"))
				if err == nil && !strings.Contains(string(logs), `"eventName":"entity.state"`) {
					err = fmt.Errorf("no entity in %s", logs)
				}
				return err
			})
			for _, line := range harness.LogLines(p.Output()) {
				if line.Kind == "receiver" && (line.Level == "warn" || line.Level == "error") {
					assert.True(t, saysNothingOfTheConfiguration(line.Message), "%s: %s", line.Component, line.Message)
				}
			}
		})
	}
}

// saysNothingOfTheConfiguration tells whether a warning of a receiver is the one of the type's older name, or of what this host does not show.
func saysNothingOfTheConfiguration(message string) bool {
	return message == `"hostmetrics" alias is deprecated; use "host_metrics" instead` || strings.HasPrefix(message, "Some metrics can't be read and are left out")
}

// overlayOf returns a configuration that is merged over one of a vendor, and the metrics that come of it, one of each list.
func overlayOf(t *testing.T, text string) (overlay string, expected [][]string) {
	t.Helper()
	var written struct {
		Receivers map[string]struct {
			Scrapers map[string]any `yaml:"scrapers"`
		} `yaml:"receivers"`
		Service struct {
			Pipelines map[string]any `yaml:"pipelines"`
		} `yaml:"service"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(text), &written))
	receivers, pipelines := map[string]any{}, map[string]any{}
	for id, r := range written.Receivers {
		if r.Scrapers == nil {
			continue
		}
		receivers[id] = map[string]any{"collection_interval": "300ms", "initial_delay": "0s"}
		for name := range r.Scrapers {
			if names, known := telling[name]; known {
				expected = append(expected, names)
			}
		}
	}
	for id := range written.Service.Pipelines {
		pipelines[id] = map[string]any{"exporters": []string{"file/" + strings.SplitN(id, "/", 2)[0]}}
	}
	out, err := yaml.Marshal(map[string]any{
		"receivers":  receivers,
		"processors": map[string]any{"batch": map[string]any{"timeout": "100ms"}},
		"exporters": map[string]any{
			"file/metrics": map[string]any{"path": "metrics.json"}, "file/logs": map[string]any{"path": "logs.json"},
		},
		"service": map[string]any{
			"pipelines": pipelines,
			"telemetry": map[string]any{"metrics": map[string]any{"level": "none"}},
		},
	})
	require.NoError(t, err)
	return string(out), expected
}

// metricNames are the names of the metrics in a file of the file exporter, none while it is not there.
func metricNames(path string) (names []string) {
	batches, err := harness.Batches(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil // A line is half written.
	}
	for _, md := range batches {
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					names = append(names, m.Name())
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

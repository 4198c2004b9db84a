package packaging

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long anything is waited for before the test fails. It is no expectation of speed.
const patience = 60 * time.Second

// binary is the distribution under test.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("OTELCOL_PSUTIL")
	if path == "" {
		t.Skip("OTELCOL_PSUTIL names no binary: run `make packaging-test`, which builds it")
	}
	return path
}

// needs skips the test where it can't run: without root, or without a program.
func needs(t *testing.T, root bool, programs ...string) {
	t.Helper()
	if root && os.Getuid() != 0 {
		t.Skip("only root may make namespaces, mounts and users")
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
}

// openDir is a temporary folder that every user can enter, unlike T.TempDir.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "otelcol-psutil") //nolint:usetesting // See above.
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// output gives what a command says, and fails the test if the command fails.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s:\n%s", cmd, out)
	return string(out)
}

// launch starts a collector and gives the function that stops it in order.
func launch(t *testing.T, cmd *exec.Cmd) (stop func() (log string)) {
	t.Helper()
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	end := sync.OnceValue(func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-exited:
			return err
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			return errors.Join(errors.New("it did not end"), <-exited)
		}
	})
	t.Cleanup(func() {
		_ = end()
		if t.Failed() {
			t.Logf("the collector said:\n%s", &log)
		}
	})
	return func() string {
		require.NoError(t, end(), "the status is 0")
		return log.String()
	}
}

// attributes are the key-value pairs of OTLP JSON.
type attributes []struct {
	Key   string `json:"key"`
	Value struct {
		String string `json:"stringValue"`
		Int    string `json:"intValue"`
	} `json:"value"`
}

func (a attributes) get(key string) string {
	for i := range a {
		if a[i].Key == key {
			return a[i].Value.String + a[i].Value.Int
		}
	}
	return ""
}

type points struct {
	DataPoints []struct {
		Attributes attributes `json:"attributes"`
		Int        string     `json:"asInt"`
	} `json:"dataPoints"`
}

// batch is a line of the file exporter.
type batch struct {
	ResourceMetrics []struct {
		Resource struct {
			Attributes attributes `json:"attributes"`
		} `json:"resource"`
		ScopeMetrics []struct {
			Metrics []struct {
				Name  string `json:"name"`
				Sum   points `json:"sum"`
				Gauge points `json:"gauge"`
			} `json:"metrics"`
		} `json:"scopeMetrics"`
	} `json:"resourceMetrics"`
}

// sample is a data point with what it is about.
type sample struct {
	name                 string
	resource, attributes attributes
	value                string
}

// samples waits until the file has so many batches, and gives the points of all of them.
func samples(t *testing.T, path string, batches int) (all []sample) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		got, err := read(path)
		if err == nil && len(got) >= batches {
			for i := range got {
				all = append(all, got[i].samples()...)
			}
			return all
		}
		select {
		case <-deadline:
			require.Failf(t, "no metrics", "%d batches in %s: %v", len(got), path, err)
		case <-tick.C:
		}
	}
}

func read(path string) (all []batch, err error) {
	file, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	for reader := bufio.NewReader(file); ; {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return all, nil // What has no newline yet is still being written.
		}
		if err != nil {
			return nil, err
		}
		var b batch
		if err := json.Unmarshal(line, &b); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
}

func (b *batch) samples() (all []sample) {
	for _, rm := range b.ResourceMetrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				for _, dp := range append(m.Sum.DataPoints, m.Gauge.DataPoints...) {
					all = append(all, sample{name: m.Name, resource: rm.Resource.Attributes, attributes: dp.Attributes, value: dp.Int})
				}
			}
		}
	}
	return all
}

// values gives the different values that an attribute has on the points of a metric.
func values(all []sample, metric, key string) map[string]bool {
	found := make(map[string]bool)
	for _, s := range all {
		if s.name == metric {
			found[s.attributes.get(key)] = true
		}
	}
	return found
}

// lines gives the lines of a file that begin with a prefix.
func lines(t *testing.T, path, prefix string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(path))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, prefix) {
			found = append(found, line)
		}
	}
	return found
}

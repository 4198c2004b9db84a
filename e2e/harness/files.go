package harness

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Batches reads the OTLP JSON lines that the file exporter has finished.
func Batches(path string) ([]pmetric.Metrics, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var out []pmetric.Metrics
	reader := bufio.NewReader(file)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil // What has no newline yet is still being written.
		}
		if err != nil {
			return nil, err
		}
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		if err != nil {
			return nil, err
		}
		out = append(out, md)
	}
}

// NthBatch waits for the file to have n batches, and gives the nth.
func NthBatch(t *testing.T, path string, n int) (nth pmetric.Metrics) {
	t.Helper()
	var line []byte
	Eventually(t, fmt.Sprintf("%d batches in %s", n, path), func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := bytes.SplitAfterN(text, []byte("\n"), n+1)
		if len(lines) <= n {
			return fmt.Errorf("only %d", len(lines)-1)
		}
		line = lines[n-1]
		return nil
	})
	nth, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
	require.NoError(t, err)
	return nth
}

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// No command waits for a file that is none, or reads one that has no end.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	fifo, huge := filepath.Join(dir, "fifo"), filepath.Join(dir, "huge")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	require.NoError(t, os.WriteFile(huge, nil, 0o600))
	require.NoError(t, os.Truncate(huge, 5<<30))
	rules := write(t, "rules: [{name: x, metric: m, thresholds: {warning: {above: 1}}}]")
	for _, file := range []string{fifo, "/dev/zero", os.DevNull, dir, huge} {
		wanted := "not a regular file"
		if file == huge {
			wanted = "file too large"
		}
		for _, args := range [][]string{
			{"rules", file},
			{"test", file},
			{"explain", "--rules", file, "host.jsonl"},
			{"explain", "--rules", rules, file},
			{"test", write(t, "collector_config: "+file+"\ntests: [{}]")},
			{"rules", write(t, "rule_files: ["+file+"]")},
			{"rules", write(t, "processors: {alert: {rules: '${file:"+file+"}'}}")},
		} {
			status, stdout, stderr := check(args...)
			assert.Equal(t, failed, status, args)
			if file == huge && args[0] == "explain" && args[2] == rules {
				assert.Contains(t, stderr, "line 1: longer than", args)
			} else {
				assert.Contains(t, stdout+stderr, wanted, args)
			}
			assert.Less(t, len(stderr), 1000)
		}
	}
}

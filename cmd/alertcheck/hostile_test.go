package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// What an error repeats of a file is bounded, whatever stands there.
func TestErrorsQuoteLittle(t *testing.T) {
	digits, pattern := strings.Repeat("9", 100_000), "("+strings.Repeat("ab|", 1000)
	for _, text := range []string{
		fmt.Sprintf("rules: [{name: x, metric: m, thresholds: {warning: {above: '%s'}}}]", digits),
		fmt.Sprintf("rules: [{name: x, metric: m, thresholds: {warning: {above: %s}}}]", digits),
		fmt.Sprintf("rules: [{name: x, metric: m, thresholds: {warning: {above: '%s%%%%'}}}]", digits),
		fmt.Sprintf("rules: [{name: x, metric: m, thresholds: {warning: {above: 1}}, match: {a: {regex: '%s'}}}]", pattern),
		fmt.Sprintf("rules: [{name: '%s', metric: m}]", digits),
		fmt.Sprintf("rules: [{name: x, metric: m, for: '%s', thresholds: {warning: {above: 1}}}]", digits),
		fmt.Sprintf("rules: [{name: x, metric: m, aggregate: '%s', thresholds: {warning: {above: 1}}}]", digits),
		fmt.Sprintf("rules: [{name: x, metric: m, thresholds: {'%s': {above: 1}}}]", digits),
		fmt.Sprintf("'%s': 1", digits),
	} {
		status, _, stderr := check("rules", write(t, text))
		assert.Equal(t, failed, status, text[:60])
		for line := range strings.Lines(stderr) {
			assert.Less(t, len(line), 1000, line)
			assert.NotContains(t, line, digits[:200])
		}
		assert.LessOrEqual(t, strings.Count(stderr, "ab|ab|ab|ab|ab|ab|ab|ab|ab|ab|"), 4)
	}
}

func TestThresholdsAreFinite(t *testing.T) {
	for _, bound := range []string{".inf", "-.inf", "+.Inf", "'Inf'", "'-Infinity'", "1e308GiB", "1e308P", "'1e308 Gbit/s'", ".nan", "'inf%'"} {
		status, stdout, stderr := check("rules", write(t, "rules: [{name: x, metric: m, thresholds: {warning: {above: "+bound+"}}}]"))
		assert.Equal(t, failed, status, "%s: %s", bound, stdout)
		assert.Contains(t, stderr, "threshold", bound)
	}
	status, _, stderr := check("rules", write(t, "rules: [{name: x, metric: m, thresholds: {warning: {above: 1e308}}}]"))
	assert.Equal(t, ok, status, stderr)
}

func TestRulesAreBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("rules:\n")
	for i := range 10_001 {
		fmt.Fprintf(&text, "- {name: r%d, metric: m, thresholds: {warning: {above: 1}}}\n", i)
	}
	status, _, stderr := check("rules", write(t, text.String()))
	assert.Equal(t, failed, status)
	assert.Contains(t, stderr, "10001 rules: a set may have 10000")
}

func check(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

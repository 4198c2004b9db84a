package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

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

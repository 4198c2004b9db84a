package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The test file fires each form of condition once: bounds that are a metric or an attribute, thresholds by group, hours of the week, and rules that
// look at alerts of others.
func TestRulesWithConditions(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"rules", "testdata/conditions.rules.yaml"}, {"test", "testdata/conditions.test.yaml"}} {
		var out, problems bytes.Buffer
		assert.Equal(t, ok, run(args, nil, &out, &problems), "%s%s", out.String(), problems.String())
	}
}

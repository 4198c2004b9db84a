package rules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCron(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expr, when string
		want       bool
	}{
		{"*/15 * * * *", "2026-01-01T10:45:00Z", true},
		{"*/15 * * * *", "2026-01-01T10:46:00Z", false},
		{"30 2 1-7 * *", "2026-01-07T02:30:00Z", true},
		{"30 2 1-7 * *", "2026-01-08T02:30:00Z", false},
		{"0 0 13 * 5", "2026-02-13T00:00:00Z", true},
		{"0 0 13 * 5", "2026-01-13T00:00:00Z", true}, // Both given: either is enough.
		{"0 0 29 2 *", "2028-02-29T00:00:00Z", true},
		{"0 0 31 2 1", "2026-02-02T00:00:00Z", true},
		{"0 0 * * 7", "2026-01-04T00:00:00Z", true},
		{"0 22,23 * 1 1-5", "2026-01-02T23:00:00Z", true},
	} {
		s, err := parseCron(c.expr)
		require.NoError(t, err)
		when, err := time.Parse(time.RFC3339, c.when)
		require.NoError(t, err)
		assert.Equal(t, c.want, s.matches(when), "%s at %s", c.expr, c.when)
	}
	for _, bad := range []string{
		"", "* * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *", "0 0 31 2 *", "0 0 30,31 2 *", "0 0 31 4,6 *",
		"*/60 * * * *", "*/99999999999 * * * *", "5/9223372036854775807 * * * *", "1-59/9223372036854775800 * * * *", "*/-9223372036854775808 * * * *",
		"0 */9223372036854775807 * * *", "0 0 1/9223372036854775807 * *", "0 0 * 1/9223372036854775807 *", "0 0 * * 1/9223372036854775807",
		"0 0 1/99999999999999999999 * *", "99999999999999999999 * * * *", "+5 * * * *", "-0 * * * *", "1--2 * * * *", "*-5 * * * *", "0x1 * * * *",
	} {
		_, err := parseCron(bad)
		require.Error(t, err, bad)
	}
}

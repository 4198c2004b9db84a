package suggest

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// many are more words than can be listed.
func many() []string {
	var words []string
	for i := range 30 {
		words = append(words, fmt.Sprintf("system.metric.number%02d", i))
	}
	return append(words, "cpu", "cpus", "disk")
}

func TestDidYouMean(t *testing.T) {
	for _, tt := range []struct {
		word  string
		known []string
		want  string
	}{
		{"thershold", []string{"above", "threshold"}, `(did you mean "threshold"?)`},
		{"CPU", []string{"disk", "cpu"}, `(did you mean "cpu"?)`},
		{"crit", []string{"warning", "critical"}, `(did you mean "critical"?)`},
		{"c", []string{"warning", "critical"}, "(known: warning, critical)"},
		{"interval", []string{"metrics", "scrapers"}, "(known: metrics, scrapers)"},
		{"cpuset", many(), `(did you mean "cpus"?)`},
		{"a", many(), "(the most similar of the 33 known: cpu, cpus, disk)"},
		{"a", nil, "(known: )"},
	} {
		assert.Equal(t, tt.want, DidYouMean(tt.word, tt.known), tt.word)
	}
}

func TestRenamedWords(t *testing.T) {
	for _, tt := range []struct {
		word  string
		known []string
		want  string
	}{
		{"point", []string{"metric", "statistic"}, `(it is called "statistic" now)`},
		{"to", []string{"denominator", "numerator"}, `(it is called "denominator" now)`},
		{"to", []string{"from", "duration"}, "(known: from, duration)"},
		{"disable", []string{"preset", "rules"}, "(its place is preset::host::disable)"},
		{"override", []string{"rules"}, "(known: rules)"},
	} {
		assert.Equal(t, tt.want, DidYouMean(tt.word, tt.known), tt.word)
	}
	assert.Equal(t, `it is called "format" now`, Instead("as", append(many(), "format")))
}

// CHANGELOG.md tells users of every renamed word.
func TestRenamedWordsAreInTheChangelog(t *testing.T) {
	changelog, err := os.ReadFile("../../CHANGELOG.md")
	require.NoError(t, err)
	_, renames, found := strings.Cut(string(changelog), "### Renamed")
	require.True(t, found)
	for before, today := range renamed {
		row := regexp.MustCompile(`\| ` + "`" + `([a-z_]+::)*([a-z_]+: )?` + regexp.QuoteMeta(before) + "`" + ` \| ` + "`" + `([a-z_]+::)*([a-z_]+: )?` +
			regexp.QuoteMeta(today) + "`" + ` \|`)
		assert.Regexp(t, row, renames)
	}
}

func TestInstead(t *testing.T) {
	assert.Equal(t, "allowed are in, out", Instead("io", []string{"in", "out"}))
	assert.Equal(t, "the most similar of the 33 that are allowed are cpu, cpus, disk", Instead("cp", many()))
}

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"cpu", "cpu", 0},
		{"cpu", "cpus", 1},
		{"cpu", "cup", 1},
		{"kitten", "sitting", 3},
		{"", "abc", 3},
		{"abc", "", 3},
	} {
		assert.Equal(t, tt.want, editDistance(tt.a, tt.b), "%q and %q", tt.a, tt.b)
	}
}

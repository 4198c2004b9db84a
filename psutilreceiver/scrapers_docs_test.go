package psutilreceiver

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// scraperTable gives the rows of the table below a heading of docs/scrapers.md, each as the text of its cells.
func scraperTable(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "scrapers.md"))
	require.NoError(t, err)
	_, part, found := strings.Cut(string(text), "\n## "+heading+"\n")
	require.True(t, found, heading)
	part, _, _ = strings.Cut(part, "\n## ")
	for line := range strings.Lines(part) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| ---") {
			rows = append(rows, strings.Split(strings.Trim(line, "| "), " | "))
		}
	}
	require.Greater(t, len(rows), 1, heading)
	return rows[1:]
}

var quotedName = regexp.MustCompile("`([^`]+)`")

// namesIn gives the names of metrics, perhaps with * in them, that a cell has in backquotes.
func namesIn(cell string) (names []string) {
	for _, m := range quotedName.FindAllStringSubmatch(cell, -1) {
		if strings.Contains(m[1], ".") && !strings.ContainsAny(m[1], "/ ") && m[1] != "*.prom" {
			names = append(names, m[1])
		}
	}
	return names
}

// matching gives those of the metrics that a name with * means.
func matching(name string, metrics map[string]bool) (found []string) {
	expression := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(name), `\*`, ".*") + "$")
	for metric := range metrics {
		if expression.MatchString(metric) {
			found = append(found, metric)
		}
	}
	return found
}

// TestScrapersPageNamesEveryMetricAndScraper holds the tables of docs/scrapers.md: every scraper has a row, which says rightly whether it runs by default; every
// metric stands in the column of what is emitted or of what is off, as it is; and no name is there that the receiver does not have.
func TestScrapersPageNamesEveryMetricAndScraper(t *testing.T) {
	var file struct {
		Metrics map[string]struct {
			Enabled bool `yaml:"enabled"`
		} `yaml:"metrics"`
	}
	require.NoError(t, yaml.Unmarshal(described, &file))
	all, emitted, off := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for name, m := range file.Metrics {
		all[name] = true
		if m.Enabled {
			emitted[name] = true
		} else {
			off[name] = true
		}
	}

	runs := map[string]string{}
	told := map[string]bool{"system.events": true} // of no scraper
	for _, row := range scraperTable(t, "Scrapers") {
		require.Len(t, row, 6, "%v", row)
		scraper := strings.Trim(row[0], "`")
		assert.NotContains(t, runs, scraper, "it has one row")
		runs[scraper], _, _ = strings.Cut(row[1], ",")
		for _, name := range namesIn(row[2]) {
			found := matching(name, emitted)
			assert.NotEmpty(t, found, "%s: %s is no metric that is emitted by default", scraper, name)
			for _, metric := range found {
				told[metric] = true
			}
		}
		for _, name := range namesIn(row[3]) {
			found := matching(name, off)
			assert.NotEmpty(t, found, "%s: %s is no metric that is off by default", scraper, name)
			for _, metric := range found {
				told[metric] = true
			}
		}
	}
	assert.Len(t, runs, len(scraperKinds))
	for _, k := range scraperKinds {
		want := "no"
		if k.byDefault {
			want = "yes"
		}
		assert.Equal(t, want, runs[k.name], "%s runs by default", k.name)
	}
	for metric := range all {
		assert.True(t, told[metric], "%s stands in no row of docs/scrapers.md, or in the wrong column", metric)
	}

	wanted := scraperTable(t, "What others ask for")
	assert.Len(t, wanted, 30)
	for _, row := range wanted {
		require.Len(t, row, 4, "%v", row)
		names := namesIn(row[1])
		assert.Equal(t, len(names) == 0, row[1] == "none", "%s: metrics, or none", row[0])
		assert.False(t, len(names) == 0 && row[3] == "–", "%s: why there is none", row[0])
		for _, name := range names {
			assert.Contains(t, all, name, row[0])
		}
		for _, m := range quotedName.FindAllStringSubmatch(row[2], -1) {
			assert.True(t, m[1] == "group_by" || runs[m[1]] != "", "%s: the scraper %s", row[0], m[1])
		}
	}
}

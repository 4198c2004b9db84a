package psutilreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWhatIsLoggedSaysWhenItIsAllOfAScraper: the CPUs have no metric that does not need /proc/stat.
func TestWhatIsLoggedSaysWhenItIsAllOfAScraper(t *testing.T) {
	root := copyServer(t)
	require.NoError(t, os.Remove(filepath.Join(root, "proc/stat")))
	f := startFixtureHost(t, root, onlyScrapers("cpu", "system"))
	f.first(t)
	assert.Equal(t, map[string]int{
		"cpu: missing No metrics of the cpu scraper can be read; this is logged once an hour at most":      1,
		"system: missing Some metrics can't be read and are left out; this is logged once an hour at most": 1,
	}, f.warnings())
}

// TestAMinimalProcIsQuiet: what WSL 1 and gVisor never have is no fault.
func TestAMinimalProcIsQuiet(t *testing.T) {
	root := copyServer(t)
	for _, name := range []string{"vmstat", "diskstats", "swaps", "pressure", "sys"} {
		require.NoError(t, os.RemoveAll(filepath.Join(root, "proc", name)))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(root, "sys")))
	f := startFixtureHost(t, root, everyScraper)
	f.first(t)
	assert.Empty(t, f.warnings())
}

// TestARatioWithoutACountOfCPUsIsLeftOut: the CPUs of this process are others than those of the host that is read.
func TestARatioWithoutACountOfCPUsIsLeftOut(t *testing.T) {
	for _, text := range []string{"ctxt 1\n", "cpu  1 2 3 4\ncpux 1 2 3 4\n"} {
		settings := scraperSettingsOf(t, copyServer(t), nil)
		require.NoError(t, os.WriteFile(settings.host.Path("proc/stat"), []byte(text), 0o600))
		s := &processScraper{scraperSettings: settings}
		settings.host.Begin()
		assert.Zero(t, s.trackerContext(fixtureScrape()).CPUs, text)
	}
}

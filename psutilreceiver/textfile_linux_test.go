package psutilreceiver

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// TestTextfileScraper: files by their names, a broken one apart, and nothing of what is no file or leads out of the root.
func TestTextfileScraper(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "metrics")
	require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
	require.NoError(t, os.Mkdir(dir, 0o755))
	write := func(name, text string) {
		t.Helper()
		temporary := filepath.Join(dir, name+".tmp")
		require.NoError(t, os.WriteFile(temporary, []byte(text), 0o600))
		require.NoError(t, os.Chtimes(temporary, time.Time{}, time.Unix(1_700_000_000, 0)))
		require.NoError(t, os.Rename(temporary, filepath.Join(dir, name)))
	}
	write("a.prom", "# TYPE jobs_total counter\njobs_total{job=\"x\"} 3\n")
	write("b.prom", "broken")
	write("c.prom", "backup_size 7\n")
	write("large.prom", "# "+string(make([]byte, 2000)))
	write("other.txt", "not_mine 1\n")
	require.NoError(t, unix.Mkfifo(filepath.Join(dir, "fifo.prom"), 0o600))
	outside := filepath.Join(t.TempDir(), "secret.prom")
	require.NoError(t, os.WriteFile(outside, []byte("secret 1\n"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link.prom")))

	settings, current := scraperSettingsOf(t, root, nil), fixtureScrape()
	config := defaultTextfileConfig()
	config.Directories, config.MaxFileSize = []string{"/metrics"}, 1000
	s, err := newTextfileScraper(config, settings)
	require.NoError(t, err)
	points := func() map[string]float64 {
		t.Helper()
		settings.host.Begin()
		settings.mb.Reset(metadata.WithStartTime(current.boot))
		require.NoError(t, s.scrape(current))
		md := settings.mb.Emit()
		s.(extender).extend(md)
		return pointsOf(t, md)
	}
	want := map[string]float64{"jobs_total{job=x}": 3, "backup_size{}": 7}
	for name, failed := range map[string]float64{"a": 0, "b": 1, "c": 0, "large": 1} {
		want["system.textfile.error{file.path=/metrics/"+name+".prom}"] = failed
		want["system.textfile.mtime{file.path=/metrics/"+name+".prom}"] = 1_700_000_000
	}
	got := points()
	if v, plain := got["backup_size"]; plain {
		delete(got, "backup_size")
		got["backup_size{}"] = v
	}
	assert.Equal(t, want, got)

	require.NoError(t, os.RemoveAll(dir))
	require.Error(t, s.scrape(current), "the directory is gone")
	require.NoError(t, os.Mkdir(dir, 0o755))
	assert.Empty(t, points())
}

func TestTextfileConfig(t *testing.T) {
	t.Parallel()
	config := defaultTextfileConfig()
	require.ErrorContains(t, config.Validate(), "directories is required")
	config.Directories = []string{"here"}
	require.ErrorContains(t, config.Validate(), `"here" is no absolute path`)
	config.Directories, config.MaxSeries, config.MaxFileSize = []string{"/here"}, 0, 0
	require.ErrorContains(t, config.Validate(), "max_series must be at least 1")
	require.ErrorContains(t, config.Validate(), "max_file_size must be at least 1")
	config = defaultTextfileConfig()
	config.Directories = []string{"/here"}
	require.NoError(t, config.Validate())
}

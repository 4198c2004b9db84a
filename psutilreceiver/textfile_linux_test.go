package psutilreceiver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/textfile"
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

	require.NoError(t, os.Symlink("/proc/kmsg", filepath.Join(dir, "kmsg.prom"))) // Its reading would wait for ever.
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "..data"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "..data", "d.prom"), []byte("mounted 2\n"), 0o600)) // As Kubernetes has the files of a ConfigMap.
	require.NoError(t, os.Chtimes(filepath.Join(dir, "..data", "d.prom"), time.Time{}, time.Unix(1_700_000_000, 0)))
	require.NoError(t, os.Symlink("..data/d.prom", filepath.Join(dir, "d.prom")))

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
	want := map[string]float64{"jobs_total{job=x}": 3, "backup_size": 7, "mounted": 2}
	for _, link := range []string{"link", "kmsg"} {
		want["system.textfile.error{file.path=/metrics/"+link+".prom}"] = 1
	}
	for name, failed := range map[string]float64{"a": 0, "b": 1, "c": 0, "d": 0, "large": 1} {
		want["system.textfile.error{file.path=/metrics/"+name+".prom}"] = failed
		want["system.textfile.mtime{file.path=/metrics/"+name+".prom}"] = 1_700_000_000
	}
	got := map[string]float64{}
	for key, v := range points() {
		got[strings.TrimSuffix(key, "{}")] = v
	}
	assert.Equal(t, want, got)

	require.NoError(t, os.RemoveAll(dir))
	require.Error(t, s.scrape(current), "the directory is gone")
	require.NoError(t, os.Mkdir(dir, 0o755))
	assert.Empty(t, points())
}

// TestTextfileLinksOnThisHost: whoever may write into the directory must not have other files read by a process that may read more, be it of no root_path.
func TestTextfileLinksOnThisHost(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret.prom")
	require.NoError(t, os.WriteFile(secret, []byte("password s3cret\n"), 0o600))
	for name, to := range map[string]string{"absolute": secret, "relative": "../../" + filepath.Base(filepath.Dir(secret)) + "/secret.prom", "kmsg": "/proc/kmsg", "nowhere": "gone"} {
		require.NoError(t, os.Symlink(to, filepath.Join(dir, name+".prom")))
	}
	require.NoError(t, os.Symlink("/dev/zero", filepath.Join(dir, "zero.prom")))
	h, err := host.New("")
	require.NoError(t, err)
	files, err := h.TextFiles(dir, ".prom", 10)
	require.NoError(t, err)
	require.Len(t, files, 5)
	for _, f := range files {
		require.ErrorIs(t, f.Err, host.ErrLinkLeadsOut, f.Name)
		_, err := h.ReadTextFile(dir, f.Name, 1000)
		require.Error(t, err, f.Name)
	}
	files, err = h.TextFiles(dir, ".prom", 3)
	require.ErrorContains(t, err, "more than 3 files")
	require.Len(t, files, 3)
}

// TestTextfileSpeaksForItself and not for the receiver.
func TestTextfileSpeaksForItself(t *testing.T) {
	reserved, err := reservedNames()
	require.NoError(t, err)
	set := textfile.Set{MaxSeries: 10, Reserved: reserved}
	for _, text := range []string{
		"{\"system.filesystem.utilization\"} 0\n", "system_filesystem_utilization_ratio 0\n", "{\"system.cpu.load_average.1m\"} 0\n", "a{\"host.name\"=\"b\"} 1\n",
		"{\"process.memory.usage\"} 0\n", "{\"system.network.errors\"} 0\n", "system_network_errors_total 0\n", "{\"container.cpu.time\"} 0\n",
	} {
		set.Begin()
		set.Read("a", textfile.Version{}, []byte(text), nil)
		broken, _ := set.Emit("a", pmetric.NewMetricSlice(), 2, 1, 0)
		assert.True(t, broken, text)
	}
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

// TestAFaultOfATextFileCostsOnlyThatFile: its metrics, and nothing of the others. What can't be parsed is told of by system.textfile.error.
func TestAFaultOfATextFileCostsOnlyThatFile(t *testing.T) {
	for fault := range fileFaults {
		root := t.TempDir()
		dir := filepath.Join(root, "metrics")
		require.NoError(t, os.MkdirAll(filepath.Join(root, "proc"), 0o755))
		require.NoError(t, os.Mkdir(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.prom"), []byte("# TYPE jobs_total counter\njobs_total{job=\"x\"} 3\nsize{of=\"y\"} 7\n"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "b.prom"), []byte("kept{of=\"z\"} 1\n"), 0o600))
		settings, current := scraperSettingsOf(t, root, nil), fixtureScrape()
		config := defaultTextfileConfig()
		config.Directories = []string{"/metrics"}
		s, err := newTextfileScraper(config, settings)
		require.NoError(t, err)
		points := func() map[string]float64 {
			t.Helper()
			settings.host.Begin()
			settings.mb.Reset(metadata.WithStartTime(current.boot))
			require.NoError(t, s.scrape(current))
			md := settings.mb.Emit()
			s.(extender).extend(md)
			got := pointsOf(t, md)
			for _, name := range []string{"a", "b"} {
				delete(got, "system.textfile.mtime{file.path=/metrics/"+name+".prom}")
			}
			return got
		}
		healthy := map[string]float64{
			"jobs_total{job=x}": 3, "size{of=y}": 7, "kept{of=z}": 1,
			"system.textfile.error{file.path=/metrics/a.prom}": 0, "system.textfile.error{file.path=/metrics/b.prom}": 0,
		}
		require.Equal(t, healthy, points(), fault)
		mend := spoil(t, filepath.Join(dir, "a.prom"), fault)
		want := map[string]float64{"kept{of=z}": 1, "system.textfile.error{file.path=/metrics/b.prom}": 0}
		switch fault {
		case "missing", "a directory": // There is no such file.
		case "empty":
			want["system.textfile.error{file.path=/metrics/a.prom}"] = 0
		default:
			want["system.textfile.error{file.path=/metrics/a.prom}"] = 1
		}
		assert.Equal(t, want, points(), fault)
		mend()
		assert.Equal(t, healthy, points(), fault)
	}
}

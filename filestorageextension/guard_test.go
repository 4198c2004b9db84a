package filestorageextension

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// started returns the extension over a directory.
func started(t *testing.T, dir string, recreate bool) (storage.Extension, *observer.ObservedLogs) {
	t.Helper()
	factory := NewFactory()
	assert.Equal(t, filestorage.NewFactory().Type(), factory.Type())
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.Recreate = dir, recreate
	set := extensiontest.NewNopSettings(factory.Type())
	set.ID = component.NewID(factory.Type())
	core, logs := observer.New(zapcore.InfoLevel)
	set.Logger = zap.New(core)
	ext, err := factory.Create(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return ext.(storage.Extension), logs
}

var owners = map[string]component.ID{
	"processor_alert__alert":             component.MustNewID("alert"),
	"processor_alert_db_alert":           component.MustNewIDWithName("alert", "db"),
	"processor_alert_a~002Fb~007E_alert": component.MustNewIDWithName("alert", "a/b~"),
	"":                                   component.MustNewIDWithName("alert", strings.Repeat("long", 80)),
}

func TestSoundFilesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, id := range owners {
		dir := t.TempDir()
		for range 2 {
			ext, logs := started(t, dir, true)
			client, err := ext.GetClient(t.Context(), component.KindProcessor, id, "alert")
			require.NoError(t, err)
			require.NoError(t, client.Set(t.Context(), "k", []byte("v")))
			v, err := client.Get(t.Context(), "k")
			require.NoError(t, err)
			assert.Equal(t, "v", string(v))
			require.NoError(t, client.Close(t.Context()))
			assert.Zero(t, logs.FilterLevelExact(zapcore.ErrorLevel).Len())
		}
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, files, 1, "no backup")
		if name != "" {
			assert.Equal(t, name, files[0].Name())
		}
	}
}

// An empty file is a new one to bbolt. What was in it is gone, and that is said when it is opened, once.
func TestAnEmptyFileIsSaidOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "processor_alert__alert"), nil, 0o600))
	for _, want := range []int{1, 0} {
		ext, logs := started(t, dir, false)
		client, err := ext.GetClient(t.Context(), component.KindProcessor, owners["processor_alert__alert"], "alert")
		require.NoError(t, err)
		require.NoError(t, client.Set(t.Context(), "k", []byte("v")))
		require.NoError(t, client.Close(t.Context()))
		said := logs.FilterMessageSnippet("is empty")
		require.Equal(t, want, said.Len())
		if want == 1 {
			assert.Equal(t, filepath.Join(dir, "processor_alert__alert"), said.All()[0].ContextMap()["file"])
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	for _, id := range owners {
		dir := t.TempDir()
		ext, _ := started(t, dir, false)
		open := func(ext storage.Extension) (storage.Client, error) {
			return ext.GetClient(t.Context(), component.KindProcessor, id, "alert")
		}
		client, err := open(ext)
		require.NoError(t, err)
		require.NoError(t, client.Set(t.Context(), "k", make([]byte, 40_000)))
		require.NoError(t, client.Close(t.Context()))
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, files, 1)
		path := filepath.Join(dir, files[0].Name())
		content, err := os.ReadFile(path)
		require.NoError(t, err)

		for end := 4096; end < 44_000; end += 4096 {
			require.NoError(t, os.WriteFile(path, content[:end], 0o600))
			_, err := open(ext)
			require.Error(t, err, "cut at %d", end)
			for _, part := range []string{path, "damaged", "move it away", "recreate: true", `"file_storage"`} {
				require.ErrorContains(t, err, part, "cut at %d", end)
			}
			var damaged interface{ Damaged() bool }
			require.ErrorAs(t, err, &damaged)
			assert.True(t, damaged.Damaged())

			moving, logs := started(t, dir, true)
			client, err := open(moving)
			require.NoError(t, err, "cut at %d", end)
			v, err := client.Get(t.Context(), "k")
			require.NoError(t, err)
			assert.Nil(t, v, "it begins again")
			require.NoError(t, client.Set(t.Context(), "k", []byte("v")))
			require.NoError(t, client.Close(t.Context()))
			said := logs.FilterLevelExact(zapcore.ErrorLevel).All()
			require.Len(t, said, 1)
			backup := said[0].ContextMap()["backup"].(string)
			kept, err := os.ReadFile(backup)
			require.NoError(t, err)
			assert.Equal(t, content[:end], kept, "what was there is kept")
			require.NoError(t, os.Remove(backup))
		}
	}
}

// openFile opens a file with a few values in it. Nothing looks at it but what the test calls.
func openFile(t *testing.T, dir string, recreate bool) (*guardedClient, *observer.ObservedLogs, string) {
	t.Helper()
	ext, logs := started(t, dir, recreate)
	g := ext.(*guard)
	g.stopWatch()
	client, err := ext.GetClient(t.Context(), component.KindProcessor, component.MustNewID("alert"), "alert")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
	for i := range 100 {
		require.NoError(t, client.Set(t.Context(), strings.Repeat("k", i+1), make([]byte, 3000)))
	}
	return client.(*guardedClient), logs, filepath.Join(dir, "processor_alert__alert")
}

// later moves the clock of the guard, and has it look at the file.
func later(t *testing.T, c *guardedClient, by time.Duration) {
	t.Helper()
	now := c.guard.now().Add(by)
	c.guard.now = func() time.Time { return now }
	c.watch(t.Context())
}

// requireWhole opens the file of a directory again and requires that all is in it.
func requireWhole(t *testing.T, dir string) {
	t.Helper()
	ext, _ := started(t, dir, false)
	again, err := ext.GetClient(t.Context(), component.KindProcessor, component.MustNewID("alert"), "alert")
	require.NoError(t, err)
	for i := range 100 {
		v, err := again.Get(t.Context(), strings.Repeat("k", i+1))
		require.NoError(t, err)
		require.Len(t, v, 3000)
	}
	v, err := again.Get(t.Context(), "new")
	require.NoError(t, err)
	require.Equal(t, "v", string(v))
	require.NoError(t, again.Close(t.Context()))
}

// A file that is deleted while it is in use is written again, with all that it held; that is said once.
func TestADeletedFileIsWrittenAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ext, logs := started(t, dir, false) // This one looks by itself.
	client, err := ext.GetClient(t.Context(), component.KindProcessor, component.MustNewID("alert"), "alert")
	require.NoError(t, err)
	for i := range 100 {
		require.NoError(t, client.Set(t.Context(), strings.Repeat("k", i+1), make([]byte, 3000)))
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "processor_alert__alert")))
	require.Eventually(t, func() bool { return logs.FilterMessageSnippet("written again").Len() == 1 }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, client.Set(t.Context(), "new", []byte("v")))
	require.NoError(t, client.Close(t.Context()))
	requireWhole(t, dir)
	assert.Equal(t, 1, logs.FilterLevelExact(zapcore.WarnLevel).Len()+logs.FilterLevelExact(zapcore.ErrorLevel).Len())
}

// A file that is replaced by another while it is in use is left alone, and that is said once.
func TestAReplacedFileIsSaid(t *testing.T) {
	t.Parallel()
	client, logs, path := openFile(t, t.TempDir(), true)
	require.NoError(t, os.WriteFile(path+".new", []byte("another"), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
	for range 5 {
		later(t, client, absentLimit)
		require.NoError(t, client.Set(t.Context(), "new", []byte("v")), "the old one goes on")
	}
	assert.Equal(t, 1, logs.FilterMessageSnippet("replaced").Len())
	assert.Equal(t, 1, logs.FilterLevelExact(zapcore.ErrorLevel).Len())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "another", string(text))
}

// A file that is cut short while it is in use ends nothing: it is created again where that is asked for, and else an error.
func TestAFileThatIsCutShort(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, 4096, 8192, 100_000, 300_000} {
		for _, recreate := range []bool{false, true} {
			client, logs, path := openFile(t, t.TempDir(), recreate)
			require.NoError(t, os.Truncate(path, size))
			err := client.Set(t.Context(), "new", []byte("v"))
			if recreate {
				require.NoError(t, err, "cut at %d", size)
				v, err := client.Get(t.Context(), "new")
				require.NoError(t, err)
				assert.Equal(t, "v", string(v))
			} else {
				var damaged interface{ Damaged() bool }
				require.ErrorAs(t, err, &damaged, "cut at %d", size)
				_, err = client.Get(t.Context(), "k")
				require.ErrorAs(t, err, &damaged)
			}
			assert.Equal(t, 1, logs.FilterLevelExact(zapcore.ErrorLevel).Len(), "cut at %d", size)
			require.NoError(t, client.Close(t.Context()))
		}
	}
}

// What reads beyond the end of a mapped file is an error, and not the end of the process.
func TestAFaultIsAnError(t *testing.T) {
	t.Parallel()
	client, logs, path := openFile(t, t.TempDir(), true)
	inner := client.inner
	require.NoError(t, os.Truncate(path, 0))
	faulted, err := guarded(func() error { _, err := inner.Get(t.Context(), "k"); return err })
	assert.True(t, faulted)
	require.Error(t, err)
	require.NoError(t, client.Set(t.Context(), "new", []byte("v")))
	assert.Equal(t, 1, logs.FilterLevelExact(zapcore.ErrorLevel).Len())
}

// A compaction puts another file in the place of the one that is open, which is no news.
func TestACompactionIsNoReplacement(t *testing.T) {
	t.Parallel()
	elsewhere, err := os.MkdirTemp("/dev/shm", "compaction") //nolint:usetesting // Another filesystem, where there is one: the file is then written again in place.
	if err != nil {
		elsewhere = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(elsewhere) })
	client, logs, path := openFile(t, t.TempDir(), true)
	before, err := os.Stat(path)
	require.NoError(t, err)
	compacting := client.inner.(interface {
		Compact(directory string, timeout time.Duration, maxTransactionSize int64) error
	})
	require.NoError(t, compacting.Compact(filepath.Dir(path), time.Second, 65536))
	require.NoError(t, client.Set(t.Context(), "new", []byte("v")))
	after, err := os.Stat(path)
	require.NoError(t, err)
	assert.False(t, os.SameFile(before, after))
	for range 5 {
		require.NoError(t, client.Set(t.Context(), "large", make([]byte, 1<<20)))
		require.NoError(t, client.Delete(t.Context(), "large"))
		for _, dir := range []string{filepath.Dir(path), elsewhere} {
			require.NoError(t, compacting.Compact(dir, time.Second, 65536))
			v, err := client.Get(t.Context(), "new")
			require.NoError(t, err)
			assert.Equal(t, "v", string(v))
		}
	}
	later(t, client, absentLimit)
	later(t, client, absentLimit)
	assert.Zero(t, logs.FilterLevelExact(zapcore.ErrorLevel).Len()+logs.FilterLevelExact(zapcore.WarnLevel).Len())
}

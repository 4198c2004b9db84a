package filestorageextension

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
			assert.Nil(t, v, "it begins anew")
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

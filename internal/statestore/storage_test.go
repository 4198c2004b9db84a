package statestore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

var (
	files = component.MustNewID("file_storage")
	alert = Owner{component.KindProcessor, component.MustNewID("alert")}
)

type machine map[component.ID]component.Component

func (m machine) GetExtensions() map[component.ID]component.Component { return m }

// fileStorage gives a client of nothing, or fails.
type fileStorage struct {
	component.StartFunc
	component.ShutdownFunc
	err  error
	kind component.Kind
	id   component.ID
	name string

	panics bool
}

func (f *fileStorage) GetClient(_ context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	if f.panics {
		panic("assertion failed: Page expected to be: 138, but self identifies as 0")
	}
	f.kind, f.id, f.name = kind, id, name
	return storage.NewNopClient(), f.err
}

func TestOpenStorage(t *testing.T) {
	ext := &fileStorage{}
	client, err := OpenStorage(t.Context(), machine{files: ext}, files, alert, "state")
	require.NoError(t, err)
	assert.NotNil(t, client)
	assert.Equal(t, fileStorage{kind: alert.Kind, id: alert.ID, name: "state"}, *ext)
}

func TestStorageThatCannotBeOpened(t *testing.T) {
	type notStorage struct {
		component.StartFunc
		component.ShutdownFunc
	}
	for name, tt := range map[string]struct {
		host machine
		want string
	}{
		"not listed":     {machine{}, `storage "file_storage" not found among extensions: list it in service::extensions`},
		"not a storage":  {machine{files: notStorage{}}, `extension "file_storage" is not a storage extension`},
		"refused":        {machine{files: &fileStorage{err: errors.New("read-only file system")}}, `opening storage "file_storage": read-only file system`},
		"held by others": {machine{files: &fileStorage{err: errors.New("open state: timeout")}}, `opening storage "file_storage": open state: timeout (another process may hold the file; is a Collector with the same storage directory running?)`},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := OpenStorage(t.Context(), tt.host, files, alert, "")
			require.EqualError(t, err, tt.want)
			assert.Nil(t, client)
		})
	}
}

func TestHandoff(t *testing.T) {
	start := time.Unix(1_000, 0)
	connector := Owner{component.KindConnector, alert.ID}
	var h Handoff[string]
	_, ok := h.Take(alert, start)
	assert.False(t, ok)

	h.Put(alert, "old", start)
	h.Put(alert, "new", start)
	_, ok = h.Take(connector, start)
	assert.False(t, ok, "another component with the same ID")
	state, ok := h.Take(alert, start.Add(TTL))
	assert.True(t, ok)
	assert.Equal(t, "new", state)
	_, ok = h.Take(alert, start.Add(TTL))
	assert.False(t, ok, "a state is taken once")

	h.Put(alert, "late", start)
	state, ok = h.Take(alert, start.Add(TTL+1))
	assert.False(t, ok)
	assert.Empty(t, state)

	h.Put(alert, "forgotten", start)
	h.Put(connector, "fresh", start.Add(TTL+1))
	assert.Len(t, h.entries, 1, "what nobody came for does not stay")
}

// A storage that panics, or says that its file is none, is damaged: the component goes on in memory and says which file it is.
func TestDamagedStorage(t *testing.T) {
	for name, ext := range map[string]*fileStorage{
		"no database":     {err: errors.New("invalid database")},
		"another version": {err: errors.New("version mismatch")},
		"too small":       {err: errors.New("file size too small 4096")},
		"panic":           {panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), machine{files: ext}, &files, alert, Layout{Name: "state"}, 0)
			require.True(t, IsDamaged(err))
			require.ErrorContains(t, err, `the file of processor "alert" in its directory is damaged`)
			require.ErrorContains(t, err, "move it away")
			assert.False(t, s.Durable())
			require.NoError(t, s.Write(t.Context(), []Change{{Key: "k", Value: []byte("v")}}))
			require.NoError(t, s.Close(t.Context(), time.Now()))
			next, err := Open(t.Context(), machine{files: ext}, &files, alert, Layout{Name: "state"}, 0)
			require.True(t, IsDamaged(err))
			values, damaged, err := next.Load(t.Context(), time.Now())
			require.NoError(t, errors.Join(damaged, err))
			assert.Equal(t, map[string][]byte{"k": []byte("v")}, values, "a reload keeps it")
		})
	}
	_, err := Open(t.Context(), machine{}, &files, alert, Layout{}, 0)
	require.Error(t, err)
	assert.False(t, IsDamaged(err), "a mistake in the configuration is none")
}

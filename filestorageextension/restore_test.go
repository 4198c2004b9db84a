package filestorageextension

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap/zapcore"
)

// A panic that no fault of memory is behind is a bug. It goes on, and the file, which is sound, stays where it is.
func TestABugIsNoFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	client, logs, path := openFile(t, dir, true)
	before, err := os.Stat(path)
	require.NoError(t, err)
	var none map[string]int
	nowhere := map[string]*int{}[""]
	for what, bug := range map[string]func(){
		"text": func() { panic("a bug") }, "error": func() { panic(errors.New("a bug")) },
		"nil map": func() { none["x"] = 1 }, "index": func() { _ = []int{}[len(what())] }, "nil pointer": func() { _ = *nowhere },
	} {
		require.Panics(t, func() {
			_ = client.Walk(t.Context(), func(string, []byte) ([]*storage.Operation, error) { bug(); return nil, nil })
		}, what)
		v, err := client.Get(t.Context(), "k")
		require.NoError(t, err, "the client goes on after it: %s", what)
		assert.Len(t, v, 3000, what)
	}
	after, err := os.Stat(path)
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, 1)
	assert.Zero(t, logs.FilterLevelExact(zapcore.ErrorLevel).Len())
	assert.Zero(t, client.Recreations())
}

func what() string { return "beyond the end" }

// full is a storage on a disk that becomes full after some batches.
type full struct {
	storage.Client
	left int
}

var errFull = errors.New("no space left on device")

func (f *full) Batch(ctx context.Context, ops ...*storage.Operation) error {
	if f.left--; f.left < 0 {
		return errFull
	}
	return f.Client.Batch(ctx, ops...)
}

// A file that could be written again in part only never stands under the name that the next start reads. It is tried again, more and more seldom, and
// said once; when there is room all of it is there.
func TestAHalfWrittenFileIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	client, logs, path := openFile(t, dir, false)
	for i := range 3 { // Several batches.
		require.NoError(t, client.Set(t.Context(), strings.Repeat("l", i+1), make([]byte, copied/2+1)))
	}
	writable := client.aside.open
	tries := 0
	client.aside.open = func(ctx context.Context) (storage.Client, error) {
		tries++
		to, err := writable(ctx)
		return &full{Client: to, left: 1}, err
	}
	require.NoError(t, os.Remove(path))
	later(t, client, 0)
	assert.Zero(t, tries)
	for range 60 {
		later(t, client, time.Minute)
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, files, "nothing that could be taken for the state")
		require.NoError(t, client.Set(t.Context(), "new", []byte("v")), "the old one goes on")
	}
	assert.Greater(t, tries, 10)
	assert.Less(t, tries, 30)
	assert.Equal(t, 1, logs.FilterLevelExact(zapcore.ErrorLevel).Len())

	client.aside.open = writable
	later(t, client, longestPause)
	require.NoError(t, client.Close(t.Context()))
	assert.Equal(t, 1, logs.FilterMessageSnippet("nothing is lost").Len())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	requireWhole(t, dir)
}

// What an end of the process in the midst of writing has left is removed at the next start, and is no part of what is written then.
func TestARestOfWritingIsRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	client, _, path := openFile(t, dir, false)
	beside, err := client.aside.open(t.Context())
	require.NoError(t, err)
	require.NoError(t, beside.Set(t.Context(), "rest", []byte("v")))
	require.NoError(t, beside.Close(t.Context()))
	require.NoError(t, client.Set(t.Context(), "new", []byte("v")))
	require.NoError(t, os.Remove(path))
	later(t, client, 0)
	later(t, client, absentLimit)
	v, err := client.Get(t.Context(), "rest")
	require.NoError(t, err)
	assert.Nil(t, v)

	beside, err = client.aside.open(t.Context())
	require.NoError(t, err)
	require.NoError(t, beside.Close(t.Context()))
	require.NoError(t, client.Close(t.Context()))
	requireWhole(t, dir)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	assert.Equal(t, filepath.Base(path), files[0].Name())
}

// stuck is a storage that can't be closed.
type stuck struct {
	storage.Client
	until chan struct{}
}

func (s *stuck) Close(context.Context) error { <-s.until; return nil }

// counted is a storage that counts how often it was closed.
type counted struct {
	storage.Client
	closed *atomic.Int64
}

func (c *counted) Close(ctx context.Context) error { c.closed.Add(1); return c.Client.Close(ctx) }

func (*counted) Batch(context.Context, ...*storage.Operation) error { panic(cutOff{}) }

// cutOff is what the runtime panics with at the end of a mapped file.
type cutOff struct{}

func (cutOff) Error() string { return "unexpected fault address" }
func (cutOff) RuntimeError() {}
func (cutOff) Addr() uintptr { return 4096 }

// A file that was cut short is closed when a new one is begun. Where that does not end only so many are begun, for each stays open.
func TestFilesThatAreOfNoUseAreClosed(t *testing.T) {
	t.Parallel()
	client, logs, _ := openFile(t, t.TempDir(), true)
	var closed atomic.Int64
	for i := range 10 {
		client.inner = &counted{Client: client.inner, closed: &closed}
		require.NoError(t, client.Set(t.Context(), "new", []byte("v")))
		require.EqualValues(t, i+1, closed.Load())
	}
	assert.Zero(t, client.hanging)

	until := make(chan struct{})
	t.Cleanup(func() { close(until) })
	var err error
	begun := client.Recreations()
	for range 10 {
		old := client.inner
		client.inner = &counted{Client: &stuck{Client: old, until: until}, closed: &closed}
		if err = client.Set(t.Context(), "new", []byte("v")); err != nil {
			break
		}
		require.NoError(t, old.Close(t.Context()))
	}
	var damaged interface{ Damaged() bool }
	require.ErrorAs(t, err, &damaged)
	assert.Equal(t, hangingLimit, client.Recreations()-begun)
	assert.Equal(t, 1, logs.FilterMessageSnippet("no new one can be begun").Len())
}

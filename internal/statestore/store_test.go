package statestore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// disk is a storage extension in memory that outlives what uses it.
type disk struct {
	component.StartFunc
	component.ShutdownFunc
	data       map[string][]byte
	broken     error            // Of writes.
	unreadable map[string]error // Of reads, by key.
	closed     int
}

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return client{d}, nil
}

type client struct{ *disk }

func (c client) Get(_ context.Context, key string) ([]byte, error) {
	return c.data[key], c.unreadable[key]
}

func (client) Set(context.Context, string, []byte) error { return errors.New("not in a transaction") }

func (client) Delete(context.Context, string) error { return errors.New("not in a transaction") }

func (c client) Batch(_ context.Context, ops ...*storage.Operation) error {
	if c.broken != nil {
		return c.broken
	}
	for _, op := range ops {
		if op.Type == storage.Set {
			c.data[op.Key] = op.Value
		} else {
			delete(c.data, op.Key)
		}
	}
	return nil
}

func (c client) Close(context.Context) error {
	c.closed++
	return nil
}

var (
	plain = Layout{Name: "test", Values: "v/", Lists: "list/"}
	start = time.Unix(1_000, 0)
)

// open opens a store over a disk, or in memory without one, and loads it.
func open(t *testing.T, d *disk, layout Layout) (*Store, map[string][]byte, error) {
	t.Helper()
	owner := Owner{component.KindExporter, component.MustNewIDWithName("store", t.Name())}
	var extension *component.ID
	host := machine{}
	if d != nil {
		extension, host[files] = &files, d
	}
	s, err := Open(t.Context(), host, extension, owner, layout, time.Second)
	require.NoError(t, err)
	values, damaged, err := s.Load(t.Context(), start)
	require.NoError(t, err)
	assert.Equal(t, d != nil, s.Durable())
	return s, values, damaged
}

func values(names ...string) map[string][]byte {
	out := map[string][]byte{}
	for _, name := range names {
		out["v/"+name] = []byte("value of " + name)
	}
	return out
}

func changes(set map[string][]byte, deleted ...string) []Change {
	var out []Change
	for _, key := range slices.Sorted(maps.Keys(set)) {
		out = append(out, Change{key, set[key]})
	}
	for _, name := range deleted {
		out = append(out, Change{Key: "v/" + name})
	}
	return out
}

func TestValuesOutliveTheStore(t *testing.T) {
	for name, d := range map[string]*disk{"stored": {data: map[string][]byte{}}, "handed over": nil} {
		t.Run(name, func(t *testing.T) {
			s, got, damaged := open(t, d, plain)
			require.NoError(t, damaged)
			assert.Empty(t, got)
			require.NoError(t, s.Write(t.Context(), changes(values("a", "b"))))
			require.NoError(t, s.Write(t.Context(), changes(values("c"), "a", "never there")))
			require.NoError(t, s.Close(t.Context(), start))
			s, got, damaged = open(t, d, plain)
			require.NoError(t, damaged)
			assert.Equal(t, values("b", "c"), got)
			require.NoError(t, s.Replace(t.Context(), values("d")))
			require.NoError(t, s.Close(t.Context(), start))
			_, got, _ = open(t, d, plain)
			assert.Equal(t, values("d"), got)
			if d != nil {
				assert.Len(t, d.data, 2, "the value and its list")
				assert.Equal(t, 2, d.closed)
			}
		})
	}
}

// TestWhatIsHandedOverReplacesWhatIsStored: the values that it replaces need not be readable.
func TestWhatIsHandedOverReplacesWhatIsStored(t *testing.T) {
	d := &disk{data: map[string][]byte{}}
	s, _, _ := open(t, d, plain)
	require.NoError(t, s.Write(t.Context(), changes(values("old", "both"))))
	s, _, _ = open(t, nil, plain)
	require.NoError(t, s.Write(t.Context(), changes(values("both", "new"))))
	require.NoError(t, s.Close(t.Context(), start))

	d.unreadable = map[string]error{"v/old": assert.AnError, "v/both": assert.AnError}
	d.broken = errors.New("no space left on device")
	s, got, damaged := open(t, d, plain)
	require.NoError(t, damaged)
	assert.Equal(t, values("both", "new"), got)
	assert.True(t, s.Concerns(nil), "it is not stored yet")
	require.ErrorIs(t, s.Write(t.Context(), changes(values("newer"), "both")), d.broken)

	d.broken = nil
	require.NoError(t, s.Write(t.Context(), changes(values("newer"), "both")), "the next write holds what the one that failed did")
	assert.False(t, s.Concerns(nil))
	_, ok := successors.Take(s.owner, start)
	assert.False(t, ok, "it is handed over once")
	d.unreadable = nil
	_, got, _ = open(t, d, plain)
	assert.Equal(t, values("new", "newer"), got)
}

// TestReplaceAfterAHandover: what was handed over and is not among the values goes, in memory and where it is not stored yet.
func TestReplaceAfterAHandover(t *testing.T) {
	for name, d := range map[string]*disk{"stored": {data: map[string][]byte{}}, "handed over": nil} {
		t.Run(name, func(t *testing.T) {
			s, _, _ := open(t, nil, plain)
			require.NoError(t, s.Write(t.Context(), changes(values("a", "b"))))
			require.NoError(t, s.Close(t.Context(), start))
			s, got, _ := open(t, d, plain)
			assert.Equal(t, values("a", "b"), got)
			require.NoError(t, s.Replace(t.Context(), values("b", "c")))
			require.NoError(t, s.Close(t.Context(), start))
			_, got, _ = open(t, d, plain)
			assert.Equal(t, values("b", "c"), got)
		})
	}
}

func TestAReadThatFailsChangesNothing(t *testing.T) {
	d := &disk{data: map[string][]byte{}}
	s, _, _ := open(t, d, plain)
	require.NoError(t, s.Write(t.Context(), changes(values("a", "b"))))
	before := maps.Clone(d.data)
	for key := range before {
		d.unreadable = map[string]error{key: errors.New("input/output error")}
		s, err := Open(t.Context(), machine{files: d}, &files, s.owner, plain, 0)
		require.NoError(t, err)
		_, _, err = s.Load(t.Context(), start)
		require.EqualError(t, err, "reading "+key+": input/output error")
		assert.Equal(t, before, d.data)
	}
}

// TestADamagedList costs the values that it names, and is mended by the next write.
func TestADamagedList(t *testing.T) {
	lost, kept := "a", "b"
	for name, text := range map[string]string{"no list": `["a`, "a key of another": `["b"]`, "a key of nowhere": `["c"]`} {
		t.Run(name, func(t *testing.T) {
			d := &disk{data: map[string][]byte{}}
			s, _, _ := open(t, d, plain)
			require.NoError(t, s.Write(t.Context(), changes(values(lost, kept))))
			key := s.listKey(listOf(lost))
			require.NotEqual(t, key, s.listKey(listOf(kept)))
			d.data[key] = []byte(text)

			s, got, damaged := open(t, d, plain)
			require.ErrorContains(t, damaged, key)
			assert.Equal(t, values(kept), got)
			require.NoError(t, s.Write(t.Context(), nil))
			s, got, damaged = open(t, d, plain)
			require.NoError(t, damaged)
			assert.Equal(t, values(kept), got)
			require.NoError(t, s.Write(t.Context(), changes(values(lost))))
			_, got, _ = open(t, d, plain)
			assert.Equal(t, values(lost, kept), got)
		})
	}
}

// FuzzList reads a list, whatever is in it: the write after that leaves one that is right.
func FuzzList(f *testing.F) {
	for _, text := range []string{"", `["a`, `["a"]`, `["a","b",""]`, `null`, `[1]`, `{}`, `["a","a"]`} {
		f.Add(text, byte(listOf("a")))
	}
	f.Fuzz(func(t *testing.T, text string, number byte) {
		list := int(number % listCount)
		d := &disk{data: map[string][]byte{}}
		s, _, _ := open(t, d, plain)
		d.data[s.listKey(list)] = []byte(text)
		s, got, damaged := open(t, d, plain)
		for key := range got {
			assert.Equal(t, list, listOf(s.name(key)))
		}
		require.NoError(t, s.Write(t.Context(), nil))
		_, again, damagedAgain := open(t, d, plain)
		require.NoError(t, damagedAgain, "mended: %v", damaged)
		assert.Equal(t, got, again)
	})
}

// TestAWriteThatFails may have been carried out, or not: what is written next holds in either case.
func TestAWriteThatFails(t *testing.T) {
	for _, carriedOut := range []bool{false, true} {
		d := &disk{data: map[string][]byte{}}
		s, _, _ := open(t, d, plain)
		require.NoError(t, s.Write(t.Context(), changes(values("a"))))
		if carriedOut {
			other, _, _ := open(t, d, plain)
			require.NoError(t, other.Write(t.Context(), changes(values("b"), "a")))
		}
		d.broken = assert.AnError
		require.ErrorIs(t, s.Write(t.Context(), changes(values("b"), "a")), assert.AnError)
		d.broken = nil
		assert.True(t, s.Concerns(changes(nil, "b")), "it may be there")
		require.NoError(t, s.Write(t.Context(), changes(values("c"), "a", "b")))
		_, got, damaged := open(t, d, plain)
		require.NoError(t, damaged)
		assert.Equal(t, values("c"), got)
		assert.Len(t, d.data, 2, "the value and its list")
	}
}

func TestConcerns(t *testing.T) {
	s, _, _ := open(t, &disk{data: map[string][]byte{}}, plain)
	assert.False(t, s.Concerns(nil))
	assert.False(t, s.Concerns(changes(nil, "a")), "what was never there need not be deleted")
	assert.True(t, s.Concerns(changes(values("a"))))
	require.NoError(t, s.Write(t.Context(), changes(values("a"))))
	assert.True(t, s.Concerns(changes(nil, "a")))
}

func TestAnOlderLayout(t *testing.T) {
	d := &disk{data: map[string][]byte{"index": []byte("a b"), "v/a": []byte("1"), "v/b": []byte("2")}}
	layout := plain
	layout.Before = func(get func(string) ([]byte, error)) (found, obsolete []string, err error) {
		index, err := get("index")
		if index == nil || err != nil {
			return nil, nil, err
		}
		return []string{"v/a", "v/b"}, []string{"index"}, errors.New("it is old")
	}
	d.unreadable = map[string]error{"index": assert.AnError}
	s, err := Open(t.Context(), machine{files: d}, &files, Owner{}, layout, 0)
	require.NoError(t, err)
	_, _, err = s.Load(t.Context(), start)
	require.ErrorIs(t, err, assert.AnError)
	d.unreadable = nil

	s, got, damaged := open(t, d, layout)
	require.EqualError(t, damaged, "it is old")
	assert.Equal(t, map[string][]byte{"v/a": []byte("1"), "v/b": []byte("2")}, got)
	require.NoError(t, s.Write(t.Context(), changes(map[string][]byte{"v/c": []byte("3")}, "a")))
	assert.NotContains(t, d.data, "index")
	_, got, damaged = open(t, d, layout)
	require.NoError(t, damaged)
	assert.Equal(t, map[string][]byte{"v/b": []byte("2"), "v/c": []byte("3")}, got)
}

// TestADowngrade: an older build that wrote last left the lists as they were. What only they name is stale.
func TestADowngrade(t *testing.T) {
	layout := plain
	layout.Before = func(get func(string) ([]byte, error)) (found, obsolete []string, err error) {
		index, err := get("index")
		if index == nil || err != nil {
			return nil, nil, err
		}
		return []string{"v/a", "v/d"}, []string{"index"}, nil
	}
	d := &disk{data: map[string][]byte{}}
	s, _, _ := open(t, d, layout)
	require.NoError(t, s.Write(t.Context(), changes(values("a", "b", "c"))))
	d.data["index"], d.data["v/a"], d.data["v/d"] = []byte("a d"), []byte("newer"), []byte("new")

	want := map[string][]byte{"v/a": []byte("newer"), "v/d": []byte("new")}
	s, got, damaged := open(t, d, layout)
	require.NoError(t, damaged)
	assert.Equal(t, want, got)
	d.broken = assert.AnError
	require.Error(t, s.Write(t.Context(), nil))
	d.broken = nil
	require.NoError(t, s.Write(t.Context(), changes(map[string][]byte{"v/c": []byte("again")})))
	want["v/c"] = []byte("again")
	assert.NotContains(t, d.data, "v/b")
	assert.NotContains(t, d.data, "index")
	_, got, damaged = open(t, d, layout)
	require.NoError(t, damaged)
	assert.Equal(t, want, got)
}

// TestToWriteOneValueIsNoWorkOnTheOthers: a list is made when it changes, and is short.
func TestToWriteOneValueIsNoWorkOnTheOthers(t *testing.T) {
	const stored, writes = 10_000, 100
	s, _, _ := open(t, &disk{data: map[string][]byte{}}, plain)
	for i := range stored {
		require.NoError(t, s.Write(t.Context(), changes(values(fmt.Sprintf("a%05d", i)))))
	}
	allocated := func(change func(int) []Change) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range writes {
			require.NoError(t, s.Write(t.Context(), change(i)))
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / writes
	}
	assert.Less(t, allocated(func(int) []Change { return changes(values("a00001")) }), uint64(stored/4), "bytes, of a change")
	assert.Less(t, allocated(func(i int) []Change { return changes(values(fmt.Sprintf("b%05d", i))) }), uint64(stored*4),
		"bytes, of a new value; a list of all has more than thirty for each")
}

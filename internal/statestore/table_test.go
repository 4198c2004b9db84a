package statestore

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

func decodeText(_ string, text []byte) (*string, error) {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	if s == "bad" {
		return nil, errors.New("it is bad")
	}
	return &s, nil
}

// TestATableComesBack over a storage, also one that has lost what it held while nothing changed, without what is damaged or forgotten.
func TestATableComesBack(t *testing.T) {
	ext := &recreating{disk: &disk{data: map[string][]byte{}}}
	id := component.MustNewID("disk")
	owner := Owner{component.KindExporter, component.MustNewIDWithName("table", t.Name())}
	begin := func() *Table[string] {
		s, err := Open(t.Context(), machine{id: ext}, &id, owner, plain, 0)
		require.NoError(t, err)
		return NewTable(s, decodeText)
	}
	table := begin()
	entries := map[string]*string{"a": new("one"), "b": new("bad"), "c": new("three")}
	require.NoError(t, table.SaveEntries(t.Context(), entries, []string{"a", "b", "c"}))

	ext.recreations++
	clear(ext.data)
	require.NoError(t, table.SaveEntries(t.Context(), entries, nil))
	delete(entries, "c")
	require.NoError(t, table.SaveEntries(t.Context(), entries, []string{"c"}))
	require.NoError(t, table.CloseEntries(t.Context(), entries, start))

	table = begin()
	got, damaged, err := table.LoadEntries(t.Context(), start)
	require.NoError(t, err)
	require.ErrorContains(t, damaged, "decoding alert b: it is bad")
	assert.Equal(t, map[string]*string{"a": new("one")}, got)
	require.NoError(t, table.SaveEntries(t.Context(), got, nil))
	_, damaged, err = begin().LoadEntries(t.Context(), start)
	require.NoError(t, err)
	assert.NoError(t, damaged, "what was damaged is deleted by the next save")
}

// TestATableIsHandedOver to a successor where there is no storage.
func TestATableIsHandedOver(t *testing.T) {
	s, _, err := open(t, nil, plain)
	require.NoError(t, err)
	entries := map[string]*string{"a": new("one")}
	table := NewTable(s, decodeText)
	require.NoError(t, table.SaveEntries(t.Context(), entries, []string{"a"}))
	require.NoError(t, table.CloseEntries(t.Context(), entries, start))
	s, _, err = open(t, nil, plain)
	require.NoError(t, err)
	assert.Equal(t, map[string][]byte{"v/a": []byte(`"one"`)}, s.image)
}

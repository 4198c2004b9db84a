package statestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Table keeps entries of alerts by the alerts' IDs, as JSON below the values of its layout: in a storage extension, or without one for a successor in
// this process. It is not safe for concurrent use.
type Table[E any] struct {
	*Store
	decode  func(id string, text []byte) (*E, error)
	pending map[string]struct{} // IDs whose change is not written yet.
}

// NewTable keeps a table in a store. Decode is the inverse of json.Marshal, and says what is wrong with an entry that is of no use.
func NewTable[E any](s *Store, decode func(id string, text []byte) (*E, error)) *Table[E] {
	return &Table[E]{Store: s, decode: decode, pending: map[string]struct{}{}}
}

// LoadEntries returns what was kept. Entries and lists that can be read and not understood are left out, and deleted or mended by the next save;
// damaged tells of them. An error is that of the storage itself: nothing was changed, and another try may succeed.
func (t *Table[E]) LoadEntries(ctx context.Context, now time.Time) (entries map[string]*E, damaged, err error) {
	values, damagedLists, err := t.Load(ctx, now)
	if err != nil {
		return nil, nil, err
	}
	entries = map[string]*E{}
	errs := []error{damagedLists}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		id := strings.TrimPrefix(key, t.layout.Values)
		e, err := t.decode(id, values[key])
		if err != nil {
			errs = append(errs, fmt.Errorf("decoding alert %s: %w", id, err))
			t.pending[id] = struct{}{}
			continue
		}
		entries[id] = e
	}
	return entries, errors.Join(errs...), nil
}

// SaveEntries writes what became of some alerts, and what an earlier call could not write. An ID without an entry is deleted. A storage that has lost
// what it held gets all of them. Without a storage there is nothing to do until CloseEntries.
func (t *Table[E]) SaveEntries(ctx context.Context, entries map[string]*E, ids []string) error {
	if !t.Durable() {
		return nil
	}
	for _, id := range ids {
		t.pending[id] = struct{}{}
	}
	err := t.write(ctx, entries)
	if errors.Is(err, ErrRecreated) {
		for id := range entries {
			t.pending[id] = struct{}{}
		}
		err = t.write(ctx, entries)
	}
	return err
}

func (t *Table[E]) write(ctx context.Context, entries map[string]*E) error {
	changes := make([]Change, 0, len(t.pending))
	for id := range t.pending {
		c, err := t.changeOf(id, entries[id])
		if err != nil {
			return err
		}
		changes = append(changes, c)
	}
	if err := t.Write(ctx, changes); err != nil {
		return err
	}
	clear(t.pending)
	return nil
}

// changeOf is the change to the storage that brings it up to an entry, which is nil when the alert is forgotten.
func (t *Table[E]) changeOf(id string, e *E) (Change, error) {
	c := Change{Key: t.layout.Values + id}
	if e == nil {
		return c, nil
	}
	var err error
	if c.Value, err = json.Marshal(e); err != nil {
		return c, fmt.Errorf("encoding alert %s: %w", id, err)
	}
	return c, nil
}

// CloseEntries gives the storage back, or hands the table over to a successor.
func (t *Table[E]) CloseEntries(ctx context.Context, entries map[string]*E, now time.Time) error {
	if !t.Durable() {
		values := map[string][]byte{}
		for id, e := range entries {
			c, err := t.changeOf(id, e)
			if err != nil {
				return err
			}
			values[c.Key] = c.Value
		}
		if err := t.Replace(ctx, values); err != nil {
			return err
		}
	}
	return t.Close(ctx, now)
}

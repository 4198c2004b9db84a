package notifyexporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// store keeps the table: in a storage extension, or without one for a successor in this process.
type store struct {
	*statestore.Store
	pending map[string]struct{} // IDs whose change is not written yet.
}

// alertPrefix stands before an alert's ID in the key under which its entry is stored, as JSON.
const alertPrefix = "alert/"

// layout is how entries are stored.
var layout = statestore.Layout{Name: "notify", Values: alertPrefix, Lists: "alerts/"}

// openStore opens the store. It is in memory where the storage is damaged, which the error then says.
func openStore(ctx context.Context, host component.Host, id component.ID, extension *component.ID) (*store, error) {
	owner := statestore.Owner{Kind: component.KindExporter, ID: id}
	s, err := statestore.Open(ctx, host, extension, owner, layout, 0)
	return &store{Store: s, pending: map[string]struct{}{}}, err
}

// load returns what was kept; damaged tells of entries that can't be understood and are left out.
func (s *store) load(ctx context.Context, now time.Time) (entries map[string]*entry, damaged, err error) {
	values, damagedLists, err := s.Load(ctx, now)
	if err != nil {
		return nil, nil, err
	}
	entries = map[string]*entry{}
	errs := []error{damagedLists}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		id := strings.TrimPrefix(key, alertPrefix)
		e, err := decodeEntry(values[key])
		if err != nil || e.ID != id {
			errs = append(errs, fmt.Errorf("decoding alert %s: %w", id, errors.Join(err, errors.New("it is left out"))))
			s.pending[id] = struct{}{}
			continue
		}
		entries[id] = e
	}
	return entries, errors.Join(errs...), nil
}

// decodeEntry is the inverse of json.Marshal.
func decodeEntry(text []byte) (*entry, error) {
	e := &entry{}
	if err := json.Unmarshal(text, e); err != nil {
		return &entry{}, err
	}
	if e.Channels == nil {
		e.Channels = map[string]*telling{}
	}
	maps.DeleteFunc(e.Channels, func(_ string, tl *telling) bool { return tl == nil })
	return e, nil
}

// save writes what became of some alerts, and what an earlier call could not write. An ID without an entry is deleted.
func (s *store) save(ctx context.Context, entries map[string]*entry, ids []string) error {
	if !s.Durable() {
		return nil
	}
	for _, id := range ids {
		s.pending[id] = struct{}{}
	}
	if len(s.pending) == 0 {
		return nil
	}
	err := s.write(ctx, entries)
	if errors.Is(err, statestore.ErrRecreated) {
		for id := range entries {
			s.pending[id] = struct{}{}
		}
		err = s.write(ctx, entries)
	}
	return err
}

func (s *store) write(ctx context.Context, entries map[string]*entry) error {
	changes := make([]statestore.Change, 0, len(s.pending))
	for id := range s.pending {
		c, err := changeOf(id, entries[id])
		if err != nil {
			return err
		}
		changes = append(changes, c)
	}
	if err := s.Write(ctx, changes); err != nil {
		return err
	}
	clear(s.pending)
	return nil
}

// changeOf is the change to the storage that brings it up to an entry, which is nil when the alert is forgotten.
func changeOf(id string, e *entry) (statestore.Change, error) {
	c := statestore.Change{Key: alertPrefix + id}
	if e == nil {
		return c, nil
	}
	var err error
	if c.Value, err = json.Marshal(e); err != nil {
		return c, fmt.Errorf("encoding alert %s: %w", id, err)
	}
	return c, nil
}

// close gives the storage back, or hands the table over to a successor.
func (s *store) close(ctx context.Context, entries map[string]*entry, now time.Time) error {
	if !s.Durable() {
		values := map[string][]byte{}
		for id, e := range entries {
			c, err := changeOf(id, e)
			if err != nil {
				return err
			}
			values[c.Key] = c.Value
		}
		if err := s.Replace(ctx, values); err != nil {
			return err
		}
	} else if err := s.save(ctx, entries, nil); err != nil {
		return errors.Join(err, s.Close(ctx, now))
	}
	return s.Close(ctx, now)
}

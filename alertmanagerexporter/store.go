package alertmanagerexporter

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

// store keeps the table: in a storage extension, or without one for a successor in this process. The alert rules go on silently after a
// reload, so the exporter must, too.
type store struct {
	*statestore.Store
	pending map[string]struct{} // IDs whose change is not written yet.
}

// alertPrefix stands before an alert's ID in the key under which its entry is stored, as JSON.
const alertPrefix = "alert/"

// layout is how entries are stored.
var layout = statestore.Layout{Name: "alertmanager", Values: alertPrefix, Lists: "alerts/"}

// openStore opens the store. It is in memory where the storage is damaged, which the error then says.
func openStore(ctx context.Context, host component.Host, id component.ID, extension *component.ID) (*store, error) {
	owner := statestore.Owner{Kind: component.KindExporter, ID: id}
	s, err := statestore.Open(ctx, host, extension, owner, layout, 0)
	return &store{Store: s, pending: map[string]struct{}{}}, err
}

// load returns what was kept. Entries and lists that can be read and not understood are left out, and deleted or mended by the next save;
// damaged tells of them. An error is that of the storage itself: nothing was changed, and another try may succeed.
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
		if err != nil {
			errs = append(errs, fmt.Errorf("decoding alert %s: %w", id, err))
			s.pending[id] = struct{}{}
			continue
		}
		entries[id] = e
	}
	return entries, errors.Join(errs...), nil
}

// save writes what became of some alerts, and what an earlier call could not write. An ID without an entry is deleted. Without a storage
// there is nothing to do until close.
func (s *store) save(ctx context.Context, entries map[string]*entry, ids []string) error {
	if !s.Durable() {
		return nil
	}
	for _, id := range ids {
		s.pending[id] = struct{}{}
	}
	changes := make([]statestore.Change, 0, len(s.pending))
	for id := range s.pending {
		c, err := changeOf(id, entries[id])
		if err != nil {
			return err
		}
		changes = append(changes, c)
	}
	err := s.Write(ctx, changes)
	if errors.Is(err, statestore.ErrRecreated) {
		return s.saveAll(ctx, entries)
	}
	if err != nil {
		return err
	}
	clear(s.pending)
	return nil
}

// saveAll writes all entries, into a storage that has lost what it held.
func (s *store) saveAll(ctx context.Context, entries map[string]*entry) error {
	for id := range entries {
		s.pending[id] = struct{}{}
	}
	changes := make([]statestore.Change, 0, len(entries))
	for id, e := range entries {
		c, err := changeOf(id, e)
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

// close gives the storage back, or hands the table over.
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
	}
	return s.Close(ctx, now)
}

// decodeEntry is the inverse of json.Marshal. What it returns without an error can be posted.
func decodeEntry(text []byte) (*entry, error) {
	var e *entry
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, err
	}
	if e == nil || len(e.Labels) == 0 && (!e.silent() || e.Position == position{}) {
		return nil, errors.New("nothing in it")
	}
	firings := make([]*firing, 0, len(e.Ended)+1)
	for i := range e.Ended {
		firings = append(firings, &e.Ended[i])
	}
	if e.Active != nil {
		firings = append(firings, e.Active)
	}
	for _, f := range firings {
		f.split(e.Labels)
		if labels := e.labelsOf(f); labels[labelAlertName] == "" || labels[labelSeverity] == "" {
			return nil, errors.New("labels are missing")
		}
	}
	return e, nil
}

func sortedIDs(entries map[string]*entry) []string { return slices.Sorted(maps.Keys(entries)) }

package alertmanagerexporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-psutil/otelcol-psutil/internal/keep"
)

// store keeps the table: in a storage extension, or for a moment in memory for a successor in this process.
type store struct {
	client storage.Client // Nil without a storage extension.
	owner  keep.Owner

	pending map[string]struct{}        // IDs whose change is not written yet.
	listed  [lists]map[string]struct{} // The lists of alerts as they are written.
	damaged map[int]struct{}           // Lists that are written otherwise, and so must be written again.
}

// Keys of the storage: one for each alert, and lists of them, because a storage client cannot list. There are many lists, so that each is short:
// one is written again whenever an alert joins it or leaves.
const (
	alertPrefix = "alert/"
	lists       = 64
)

func listKey(list int) string { return fmt.Sprintf("alerts/%02d", list) }

// listOf is the list that an alert belongs to.
func listOf(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return int(h.Sum32() % lists)
}

// left is what exporters of this process without a storage leave to their successors: the table's entries. The alert rules go on without
// a word after a reload, so the exporter must, too.
var left keep.Estate[map[string]*entry]

func openStore(ctx context.Context, host component.Host, id component.ID, extension *component.ID) (*store, error) {
	s := &store{owner: keep.Owner{Kind: component.KindExporter, ID: id}, pending: map[string]struct{}{}, damaged: map[int]struct{}{}}
	for list := range s.listed {
		s.listed[list] = map[string]struct{}{}
	}
	if extension == nil {
		return s, nil
	}
	client, err := keep.OpenStorage(ctx, host, *extension, s.owner, "alertmanager")
	if err != nil {
		return nil, err
	}
	s.client = client
	return s, nil
}

// load returns what was kept. Entries and lists that can be read and not understood are left out, and deleted or mended by the next save;
// damaged tells of them. An error is that of the storage itself: nothing was changed, and another try may succeed.
func (s *store) load(ctx context.Context, now time.Time) (entries map[string]*entry, damaged, err error) {
	damagedLists, err := s.loadLists(ctx)
	if err != nil {
		return nil, nil, err
	}
	if handed, ok := left.Take(s.owner, now); ok {
		// Newer than what is stored, damaged or not: the predecessor had no storage. What it did not have is deleted by the next save.
		for _, ids := range s.listed {
			maps.Copy(s.pending, ids)
		}
		for id := range handed {
			s.pending[id] = struct{}{}
		}
		return handed, nil, nil
	}
	entries = map[string]*entry{}
	errs := []error{damagedLists}
	for _, ids := range s.listed {
		for _, id := range slices.Sorted(maps.Keys(ids)) {
			value, err := s.client.Get(ctx, alertPrefix+id)
			if err != nil {
				return nil, nil, fmt.Errorf("reading alert %s: %w", id, err)
			}
			e, err := decodeEntry(value)
			if err != nil {
				errs = append(errs, fmt.Errorf("decoding alert %s: %w", id, err))
				s.pending[id] = struct{}{}
				continue
			}
			entries[id] = e
		}
	}
	return entries, errors.Join(errs...), nil
}

// loadLists reads which alerts are stored. The results are those of load.
func (s *store) loadLists(ctx context.Context) (damaged, err error) {
	if s.client == nil {
		return nil, nil
	}
	var errs []error
	for list := range lists {
		text, err := s.client.Get(ctx, listKey(list))
		if err != nil {
			return nil, fmt.Errorf("reading the list of alerts %s: %w", listKey(list), err)
		}
		if text == nil {
			continue
		}
		var ids []string
		if err := json.Unmarshal(text, &ids); err != nil {
			errs = append(errs, fmt.Errorf("decoding the list of alerts %s: %w", listKey(list), err))
			s.damaged[list] = struct{}{}
			continue
		}
		for _, id := range ids {
			if listOf(id) == list {
				s.listed[list][id] = struct{}{}
				continue
			}
			errs = append(errs, fmt.Errorf("decoding the list of alerts %s: alert %s does not belong to it", listKey(list), id))
			s.damaged[list] = struct{}{}
		}
	}
	return errors.Join(errs...), nil
}

// save writes what became of some alerts, and what an earlier call could not write, in one transaction. An ID without an entry is
// deleted.
func (s *store) save(ctx context.Context, entries map[string]*entry, ids []string) error {
	if s.client == nil {
		return nil
	}
	for _, id := range ids {
		s.pending[id] = struct{}{}
	}
	if len(s.pending) == 0 && len(s.damaged) == 0 {
		return nil
	}
	batch := make([]*storage.Operation, 0, len(s.pending)+1)
	relisted := map[int]map[string]struct{}{} // The lists that are written again.
	relist := func(list int) map[string]struct{} {
		if relisted[list] == nil {
			relisted[list] = maps.Clone(s.listed[list])
		}
		return relisted[list]
	}
	for list := range s.damaged {
		relist(list)
	}
	for id := range s.pending {
		e, ok := entries[id]
		list := listOf(id)
		_, was := s.listed[list][id]
		switch {
		case ok && !was:
			relist(list)[id] = struct{}{}
		case !ok && was:
			delete(relist(list), id)
		}
		if !ok {
			batch = append(batch, storage.DeleteOperation(alertPrefix+id))
			continue
		}
		value, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encoding alert %s: %w", id, err)
		}
		batch = append(batch, storage.SetOperation(alertPrefix+id, value))
	}
	for list, ids := range relisted {
		op, err := listOperation(list, ids)
		if err != nil {
			return err
		}
		batch = append(batch, op)
	}
	if err := s.client.Batch(ctx, batch...); err != nil {
		return err
	}
	for list, ids := range relisted {
		s.listed[list] = ids
	}
	clear(s.pending)
	clear(s.damaged)
	return nil
}

// listOperation writes a list. One with nothing in it is none.
func listOperation(list int, ids map[string]struct{}) (*storage.Operation, error) {
	if len(ids) == 0 {
		return storage.DeleteOperation(listKey(list)), nil
	}
	value, err := json.Marshal(slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, fmt.Errorf("encoding the list of alerts %s: %w", listKey(list), err)
	}
	return storage.SetOperation(listKey(list), value), nil
}

// close gives the storage back. Without one the table is left for a successor, even an empty one: it says that what a storage may still
// hold is over.
func (s *store) close(ctx context.Context, entries map[string]*entry, now time.Time) error {
	if s.client != nil {
		return s.client.Close(ctx)
	}
	left.Leave(s.owner, entries, now)
	return nil
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

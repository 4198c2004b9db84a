package statestore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Layout says under which keys of a storage a Store writes. It is part of the stored form: what is changed here is no longer found.
type Layout struct {
	// Name is the name of the part of the storage that is the component's.
	Name string
	// Values stands before the key of each value. Keys are listed without it.
	Values string
	// Lists stands before the number of each list of keys.
	Lists string
	// Before finds the keys of an older layout: those of values, and those that are of no use any more and are deleted by the first write.
	// There are some of the latter exactly if an older build wrote last; what is stored besides its values is stale then. Nil when there
	// is no older layout.
	Before func(get func(key string) ([]byte, error)) (values, obsolete []string, err error)
}

// Change is one change to the stored state: a value to set, or a key to delete when Value is nil.
type Change struct {
	Key   string
	Value []byte
}

// Store keeps the state of one component: in a storage extension, or without one in memory, for a successor in this process. It is not safe
// for concurrent use.
type Store struct {
	owner  Owner
	layout Layout
	limit  time.Duration // Of each access to the storage.

	client storage.Client    // Nil without a storage extension.
	image  map[string][]byte // The values, when there is no storage extension.

	lists       [listCount]map[string]struct{} // The listed keys, as they are written.
	recreations int                            // How often the storage was created again, as it said last.
	// damaged are lists that are written otherwise, uncertain keys of writes that failed: they may be as before, or as they should be.
	damaged   map[int]struct{}
	uncertain map[string]struct{}
	obsolete  []string // Keys that the next write deletes.
	// unwritten are the values that a predecessor handed over, nil for those that it did not have, until a write has stored them.
	unwritten map[string][]byte
}

// successors passes the values of stores without a storage extension on.
var successors Handoff[map[string][]byte]

// Open opens the store of a component. Without an ID of a storage extension the state stays in memory. limit bounds each access to the
// storage; 0 leaves that to the context. With an error for which IsDamaged holds there is a store all the same, one in memory: the component can go
// on, and has to say so.
func Open(
	ctx context.Context, host component.Host, extension *component.ID, owner Owner, layout Layout, limit time.Duration,
) (*Store, error) {
	s := &Store{
		owner: owner, layout: layout, limit: limit, image: map[string][]byte{}, damaged: map[int]struct{}{}, uncertain: map[string]struct{}{},
	}
	for list := range s.lists {
		s.lists[list] = map[string]struct{}{}
	}
	if extension == nil {
		return s, nil
	}
	var err error
	s.client, err = OpenStorage(ctx, host, *extension, owner, layout.Name)
	return s, err
}

// Durable tells whether the state outlives the process.
func (s *Store) Durable() bool { return s.client != nil }

// Load returns the values by key: those that a predecessor without a storage handed over, else those that are stored. What was handed over
// is newer than what is stored and takes its place with the next write that succeeds.
//
// Lists that can be read and not understood cost their own values, and are mended by the next write; damaged tells of them. An error is that
// of reading the storage: nothing was changed, and another try may succeed.
func (s *Store) Load(ctx context.Context, now time.Time) (values map[string][]byte, damaged, err error) {
	damaged, err = s.loadLists(ctx)
	if err != nil {
		return nil, nil, err
	}
	if handed, ok := successors.Take(s.owner, now); ok {
		if s.client == nil {
			s.image = maps.Clone(handed)
			return handed, nil, nil
		}
		s.unwritten = map[string][]byte{}
		for _, c := range s.replacement(handed) {
			s.unwritten[c.Key] = c.Value
		}
		return handed, nil, nil
	}
	values = map[string][]byte{}
	for _, key := range slices.Sorted(maps.Keys(s.keys())) {
		if values[key], err = s.get(ctx, key); err != nil {
			return nil, nil, err
		}
	}
	return values, damaged, nil
}

// keys are the keys of all values, and of those that are to be deleted.
func (s *Store) keys() map[string]struct{} {
	keys := map[string]struct{}{}
	for _, held := range []map[string][]byte{s.image, s.unwritten} {
		for key := range held {
			keys[key] = struct{}{}
		}
	}
	for _, list := range s.lists {
		for name := range list {
			keys[s.layout.Values+name] = struct{}{}
		}
	}
	return keys
}

// Replace makes the store hold values and nothing else, as one write.
func (s *Store) Replace(ctx context.Context, values map[string][]byte) error {
	return s.Write(ctx, s.replacement(values))
}

// replacement are the changes that Replace makes.
func (s *Store) replacement(values map[string][]byte) []Change {
	var changes []Change
	for key := range s.keys() {
		if _, kept := values[key]; !kept {
			changes = append(changes, Change{Key: key})
		}
	}
	for key, value := range values {
		changes = append(changes, Change{Key: key, Value: value})
	}
	return changes
}

func (s *Store) get(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	value, err := s.client.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	return value, nil
}

func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.limit <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.limit)
}

// Concerns tells whether to write the changes would change what is stored: a key that was never stored need not be deleted.
func (s *Store) Concerns(changes []Change) bool {
	return len(s.unwritten) > 0 || slices.ContainsFunc(changes, s.concerns)
}

func (s *Store) concerns(c Change) bool {
	if c.Value != nil || s.client == nil {
		return true
	}
	name := s.name(c.Key)
	_, listed := s.lists[listOf(name)][name]
	_, uncertain := s.uncertain[c.Key]
	return listed || uncertain
}

// Write stores changes, and before them what was handed over and is not stored yet: all or none of it.
func (s *Store) Write(ctx context.Context, changes []Change) error {
	if s.client == nil {
		for _, c := range changes {
			if c.Value == nil {
				delete(s.image, c.Key)
			} else {
				s.image[c.Key] = c.Value
			}
		}
		return nil
	}
	changes = s.withUnwritten(changes)
	batch, relisted, err := s.batch(changes)
	if len(batch) == 0 && s.wasRecreated() {
		return ErrRecreated
	}
	if err != nil || len(batch) == 0 {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if err := s.client.Batch(ctx, batch...); err != nil {
		for _, c := range changes {
			s.uncertain[c.Key] = struct{}{}
		}
		for list := range relisted {
			s.damaged[list] = struct{}{}
		}
		return err
	}
	if s.wasRecreated() {
		return ErrRecreated
	}
	for list, names := range relisted {
		s.lists[list] = names
	}
	clear(s.damaged)
	clear(s.uncertain)
	s.obsolete, s.unwritten = nil, nil
	return nil
}

// ErrRecreated is the error of a write after which the storage holds nothing of what was stored before: all of it has to be written again.
var ErrRecreated = errors.New("the storage has lost what it held and was created again; all of it is written again")

// wasRecreated tells whether the storage was created again since the last write, and if so forgets what was stored there.
func (s *Store) wasRecreated() bool {
	r, ok := s.client.(interface{ Recreations() int })
	if !ok {
		return false
	}
	n := r.Recreations()
	if n == s.recreations {
		return false
	}
	s.recreations = n
	for list := range s.lists {
		clear(s.lists[list])
		s.damaged[list] = struct{}{}
	}
	return true
}

// withUnwritten adds the changes that are left to do to others, which are newer.
func (s *Store) withUnwritten(changes []Change) []Change {
	if len(s.unwritten) == 0 {
		return changes
	}
	all := maps.Clone(s.unwritten)
	for _, c := range changes {
		all[c.Key] = c.Value
	}
	merged := make([]Change, 0, len(all))
	for key, value := range all {
		merged = append(merged, Change{Key: key, Value: value})
	}
	return merged
}

// batch makes the operations of a write, and the lists that are written again with it.
func (s *Store) batch(changes []Change) ([]*storage.Operation, map[int]map[string]struct{}, error) {
	batch := make([]*storage.Operation, 0, len(changes)+1)
	relisted := map[int]map[string]struct{}{}
	relist := func(list int) map[string]struct{} {
		if relisted[list] == nil {
			relisted[list] = maps.Clone(s.lists[list])
		}
		return relisted[list]
	}
	for list := range s.damaged {
		relist(list)
	}
	for _, key := range s.obsolete { // These come first: a change may set one of them.
		batch = append(batch, storage.DeleteOperation(key))
	}
	for _, c := range changes {
		if !s.concerns(c) {
			continue
		}
		name := s.name(c.Key)
		list := listOf(name)
		_, listed := s.lists[list][name]
		switch {
		case c.Value != nil && !listed:
			relist(list)[name] = struct{}{}
		case c.Value == nil && listed:
			delete(relist(list), name)
		}
		if c.Value == nil {
			batch = append(batch, storage.DeleteOperation(c.Key))
		} else {
			batch = append(batch, storage.SetOperation(c.Key, c.Value))
		}
	}
	for list, names := range relisted {
		op, err := s.listOperation(list, names)
		if err != nil {
			return nil, nil, err
		}
		batch = append(batch, op)
	}
	return batch, relisted, nil
}

// Close gives the storage back. Without one the values are handed over to a successor, even if there are none: that says that what a storage
// may still hold is over.
func (s *Store) Close(ctx context.Context, now time.Time) error {
	if s.client != nil {
		return s.client.Close(ctx)
	}
	successors.Put(s.owner, s.image, now)
	return nil
}

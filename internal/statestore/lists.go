package statestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// listCount is how many lists of keys there are.
const listCount = 64

// loadLists reads which keys are stored. The results are those of Load.
func (s *Store) loadLists(ctx context.Context) (damaged, err error) {
	if s.client == nil {
		return nil, nil
	}
	var errs []error
	for list := range listCount {
		text, err := s.get(ctx, s.listKey(list))
		switch {
		case err != nil:
			return nil, err
		case text == nil:
			continue
		}
		errs = append(errs, s.readList(list, text))
	}
	if s.layout.Before != nil {
		older, damaged, err := s.loadBefore(ctx)
		if older || err != nil {
			return damaged, err
		}
	}
	return errors.Join(errs...), nil
}

func (s *Store) readList(list int, text []byte) error {
	var names []string
	if err := json.Unmarshal(text, &names); err != nil {
		s.damaged[list] = struct{}{}
		return fmt.Errorf("decoding %s: %w", s.listKey(list), err)
	}
	var errs []error
	for _, name := range names {
		if listOf(name) == list {
			s.lists[list][name] = struct{}{}
			continue
		}
		errs = append(errs, fmt.Errorf("decoding %s: %s does not belong to it", s.listKey(list), name))
		s.damaged[list] = struct{}{}
	}
	return errors.Join(errs...)
}

// loadBefore takes up what an older layout has stored; older is false when nothing is. An older build that wrote last, after a downgrade,
// knew nothing of the lists: what only they name is stale. The lists are written by the next write.
func (s *Store) loadBefore(ctx context.Context) (older bool, damaged, err error) {
	var unread []error
	values, obsolete, damaged := s.layout.Before(func(key string) ([]byte, error) {
		value, err := s.get(ctx, key)
		unread = append(unread, err)
		return value, err
	})
	if err := errors.Join(unread...); err != nil {
		return false, nil, err
	}
	if len(obsolete) == 0 {
		return false, nil, nil
	}
	stale := s.keys()
	for list, names := range s.lists {
		if len(names) > 0 {
			s.damaged[list] = struct{}{}
		}
		clear(names)
	}
	for _, key := range values {
		name := s.name(key)
		s.lists[listOf(name)][name] = struct{}{}
		s.damaged[listOf(name)] = struct{}{}
		delete(stale, key)
	}
	s.obsolete = slices.AppendSeq(obsolete, maps.Keys(stale))
	return true, damaged, nil
}

// listOperation writes a list. One with nothing in it is none.
func (s *Store) listOperation(list int, names map[string]struct{}) (*storage.Operation, error) {
	if len(names) == 0 {
		return storage.DeleteOperation(s.listKey(list)), nil
	}
	value, err := json.Marshal(slices.Sorted(maps.Keys(names)))
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", s.listKey(list), err)
	}
	return storage.SetOperation(s.listKey(list), value), nil
}

// name is a key as it is listed.
func (s *Store) name(key string) string { return strings.TrimPrefix(key, s.layout.Values) }

func (s *Store) listKey(list int) string { return fmt.Sprintf("%s%02d", s.layout.Lists, list) }

// listOf is the list that a key belongs to, by its name.
func listOf(name string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return int(h.Sum32() % listCount)
}

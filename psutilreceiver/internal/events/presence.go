package events

import (
	"cmp"
	"maps"
	"slices"
)

// presence tells what came and what went of things that are listed again and again.
type presence[K cmp.Ordered, V any] struct {
	known map[K]V // nil before the first list
}

// update takes the list of what is there now, and returns what was not there at the last one, and what has gone since, each by its key. The first
// list is what was there before.
func (p *presence[K, V]) update(now map[K]V) (came, went []V) {
	before := p.known
	p.known = now
	if before == nil {
		return nil, nil
	}
	for _, k := range slices.Sorted(maps.Keys(now)) {
		if _, ok := before[k]; !ok {
			came = append(came, now[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(before)) {
		if _, ok := now[k]; !ok {
			went = append(went, before[k])
		}
	}
	return came, went
}

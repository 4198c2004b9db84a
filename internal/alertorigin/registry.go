package alertorigin

import (
	"sync"
	"time"
)

// registry holds the newest records, each for a time.
type registry struct {
	mu      sync.Mutex
	places  map[digest]int32 // Where in records.
	records []known          // The first is no record: the newest comes after it, the oldest before it.
	limit   int
	lasting time.Duration
}

// known is one record, in a ring from the newest to the oldest.
type known struct {
	place, content digest
	keys           recordKeys
	at             time.Time
	newer, older   int32
}

func newRegistry(limit int, lasting time.Duration) *registry {
	r := &registry{}
	r.init(limit, lasting)
	return r
}

// init makes an empty registry of a zero value, and does nothing to another.
func (r *registry) init(limit int, lasting time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.places != nil {
		return
	}
	r.places, r.records, r.limit, r.lasting = map[digest]int32{}, make([]known, 1), limit, lasting
}

// sharing is how many records may have one place: those of two components with rules of one name may.
const sharing = 4

// nth is the place where the n-th record of one place is.
func (d digest) nth(n int) digest {
	d[0] ^= byte(n)
	return d
}

// add makes a record the newest one, and tells whether it was known. Of too many in one place the first gives way.
func (r *registry) add(now time.Time, place digest, keys recordKeys, content digest) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	free := place
	for n := range sharing {
		at, taken := r.places[place.nth(n)]
		if !taken {
			free = place.nth(n)
			break
		}
		k := &r.records[at]
		if k.content == content && k.keys == keys {
			was := now.Sub(k.at) < r.lasting
			k.at = now
			r.unlink(at)
			r.link(at)
			return was
		}
	}
	at := r.room(free)
	r.places[free] = at
	r.records[at] = known{place: free, content: content, keys: keys, at: now}
	r.link(at)
	return false
}

// room returns where a new record goes: where the one that had its place was, at the end, or in place of the oldest.
func (r *registry) room(place digest) int32 {
	at, taken := r.places[place]
	if !taken {
		if len(r.records) <= r.limit {
			r.records = append(r.records, known{})
			return int32(len(r.records) - 1)
		}
		at = r.records[0].newer
	}
	r.unlink(at)
	delete(r.places, r.records[at].place)
	return at
}

// link puts a record after the first, which is no record: it is the newest.
func (r *registry) link(at int32) {
	next := r.records[0].older
	r.records[at].newer, r.records[at].older = 0, next
	r.records[next].newer, r.records[0].older = at, at
}

func (r *registry) unlink(at int32) {
	k := r.records[at]
	r.records[k.newer].older, r.records[k.older].newer = k.older, k.newer
}

// has tells whether a record in this place has the content that is worked out for the keys of the one that is known.
func (r *registry) has(now time.Time, place digest, content func(recordKeys) (digest, bool)) bool {
	for n := range sharing {
		r.mu.Lock()
		at, taken := r.places[place.nth(n)]
		k := r.records[at]
		old := now.Sub(k.at) >= r.lasting
		r.mu.Unlock()
		if !taken || old {
			continue
		}
		if d, whole := content(k.keys); whole && d == k.content {
			return true
		}
	}
	return false
}

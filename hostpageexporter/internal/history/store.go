package history

import (
	"crypto/rand"
	"encoding/hex"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// tier is one resolution of all series.
type tier struct {
	Tier
	every int64 // Microseconds.
	base  int64 // Number of the interval that is number 0; blocks hold 32 bits.
	log   blockLog
}

// number is that of the interval that a time lies in.
func (t *tier) number(at int64) uint32 { return uint32(at/t.every - t.base) }

// start is when an interval begins.
func (t *tier) start(number uint32) int64 { return (int64(number) + t.base) * t.every }

// Store is the history of what was sent to it.
type Store struct {
	mu   sync.Mutex
	cfg  Config
	name string
	pool pool
	seed maphash.Seed

	started    int64 // Time of the first sample; 0: none yet.
	generation uint64
	heap       int // Bytes on the heap that the limit counts.
	text       int // Of these, the text of series.

	resources  []resource
	byResource map[Key]int
	metrics    []*metric
	byName     map[metricName]*metric
	byKey      map[Key]*series
	byID       map[uint32]*series
	loaded     map[string]*series // From a file, and not sent since, by seriesName.
	nextID     uint32
	axes       []*axis
	nextAxis   int
	tiers      []tier
	tables     tables
	groups     groupTables
	alerts     alerts

	refused   int64
	swept     int64 // When the store was last swept.
	noneQuiet int64 // When no series was found that could be forgotten for a new one.
	closed    bool
}

type metricName struct {
	name, unit string
	kind       Kind
}

// resource is one that series have. The place of one that has none any more is taken by another.
type resource struct {
	key        Key
	attributes []Attribute
	size       int
	series     int
	seen       int64
	loaded     bool // From a file, and not sent since: it has no key yet.
}

// maxResources bounds the number of different resources of series.
const maxResources = 1000

// New returns an empty store. The configuration must be valid.
func New(cfg Config, now time.Time) *Store {
	var id [8]byte
	_, _ = rand.Read(id[:]) // Never fails.
	s := &Store{
		cfg: cfg, seed: maphash.MakeSeed(), name: hex.EncodeToString(id[:]), byName: map[metricName]*metric{}, byKey: map[Key]*series{}, byID: map[uint32]*series{},
		byResource: map[Key]int{}, generation: 1,
	}
	for _, t := range cfg.Tiers {
		every := t.Every.Microseconds()
		s.tiers = append(s.tiers, tier{
			Tier: t, every: every, base: (now.UnixMicro() - maxKeep.Microseconds()) / every, log: blockLog{pool: &s.pool},
		})
	}
	s.tables = newTables(cfg.Tables, &s.pool)
	s.groups = newGroupTables(cfg.Tables, &s.pool)
	s.alerts = newAlerts()
	return s
}

// Close frees what lies outside Go's heap. The store keeps and answers nothing after it.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.metrics, s.byName, s.byKey, s.byID, s.loaded, s.axes = nil, nil, nil, nil, nil, nil
	for i := range s.tiers {
		s.tiers[i].log = blockLog{pool: &s.pool}
	}
	s.tables.forget()
	s.groups.forget()
	s.pool.close()
}

// Fits tells whether a store with another configuration could go on with this one's history.
func (s *Store) Fits(cfg Config) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(cfg.Tiers) != len(s.tiers) || len(cfg.Tables) != len(s.tables.tiers) {
		return false
	}
	for i, t := range cfg.Tiers {
		if t.Every != s.tiers[i].Every {
			return false
		}
	}
	for i, t := range cfg.Tables {
		if t.Every != s.tables.tiers[i].Every {
			return false
		}
	}
	return true
}

// Reconfigure sets new bounds on a store that fits them.
func (s *Store) Reconfigure(cfg Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg = cfg
	for i, t := range cfg.Tiers {
		s.tiers[i].Tier = t
	}
	for i, t := range cfg.Tables {
		s.tables.tiers[i].TableTier = t
		s.groups.tiers[i].TableTier = t
	}
	s.enforce(0)
}

// used is how many bytes the limit counts.
func (s *Store) used() int64 {
	return int64(s.pool.used)*segmentSize + int64(s.heap+s.tables.size()+s.groups.size()+s.alerts.heap)
}

// enforce drops the oldest of the finest until there is room for some more bytes.
func (s *Store) enforce(room int64) {
	for s.used()+room > s.cfg.MaxMemory {
		if log := s.victim(); log != nil {
			log.dropOldest()
			trimTables(s.tables.tiers)
			trimTables(s.groups.tiers)
		} else if !s.shortenAxes() {
			return
		}
	}
}

// victim is the log that gives a segment: of the finest tier that has more than one, series or tables, whichever is older.
func (s *Store) victim() *blockLog {
	for i := range max(len(s.tiers), len(s.tables.tiers)) {
		var found *blockLog
		oldest := int64(0)
		consider := func(log *blockLog) {
			if at, ok := log.oldest(); ok && len(log.segments) > 1 && (found == nil || at < oldest) {
				found, oldest = log, at
			}
		}
		if i < len(s.tiers) {
			consider(&s.tiers[i].log)
		}
		if i < len(s.tables.tiers) {
			consider(&s.tables.tiers[i].log)
			consider(&s.groups.tiers[i].log)
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// shortenAxes forgets the older half of the times of all scrapes, and with them the samples; false when there is nothing left to forget.
func (s *Store) shortenAxes() bool {
	some := false
	for _, a := range s.axes {
		if n := len(a.times); n > 2*recentSteps {
			dropped := a.times[n/2-1] >> 1
			s.heap += a.expire(dropped + 1)
			s.tiers[0].log.dropped = max(s.tiers[0].log.dropped, dropped)
			some = true
		}
	}
	return some
}

// sweepEvery is how often what is too old is looked for.
const sweepEvery = time.Minute

// margin is for how much longer than promised things are kept, in microseconds: the clock of a viewer may be behind.
var margin = (2 * sweepEvery).Microseconds()

// sweep drops what is too old, and forgets series of which nothing is left.
func (s *Store) sweep(now int64) {
	s.swept = now
	for i := range s.tiers {
		s.tiers[i].log.expire(now - s.tiers[i].Keep.Microseconds() - margin)
	}
	expireTables(s.tables.tiers, &s.tables.ids, now)
	expireTables(s.groups.tiers, &s.groups.ids, now)
	s.alerts.expire(now)
	silent := now - silentAfter.Microseconds()
	for id, x := range s.byID {
		if x.time >= silent {
			continue
		}
		s.reserve()
		s.heap += x.fine.release(&s.tiers[0].log)
		for i := range x.coarse {
			s.heap += x.flush(i, &s.tiers[i+1])
			s.heap += x.coarse[i].release(&s.tiers[i+1].log)
		}
		if x.time < now-s.tiers[len(s.tiers)-1].Keep.Microseconds() || x.empty(s) {
			s.remove(id)
		}
	}
	oldest := now - s.tiers[0].Keep.Microseconds() - margin
	if oldest > s.started {
		s.tiers[0].log.dropped = max(s.tiers[0].log.dropped, oldest) // Blocks may still be there, but not the times.
	}
	live := s.axes[:0]
	for _, a := range s.axes {
		if a.series == 0 {
			s.heap -= cap(a.times)*8 + axisSize
			continue
		}
		s.heap += a.expire(oldest)
		live = append(live, a)
	}
	clear(s.axes[len(live):])
	s.axes = live
	s.metrics = slices.DeleteFunc(s.metrics, func(m *metric) bool {
		if len(m.series) > 0 {
			return false
		}
		delete(s.byName, metricName{m.name, m.unit, m.kind})
		s.heap -= m.size()
		return true
	})
	s.enforce(0)
}

const (
	// silentAfter is when a series that sends nothing gives up its open blocks.
	silentAfter = 10 * time.Minute
	axisSize    = 160
)

// empty tells whether nothing of a series that has ended is left.
func (x *series) empty(s *Store) bool {
	x.fine.closed = s.tiers[0].log.trim(x.fine.closed)
	left := len(x.fine.closed)
	for i := range x.coarse {
		x.coarse[i].closed = s.tiers[i+1].log.trim(x.coarse[i].closed)
		left += len(x.coarse[i].closed)
	}
	return left == 0
}

// remove forgets a series.
func (s *Store) remove(id uint32) {
	x := s.byID[id]
	delete(s.byID, id)
	if x.name != "" {
		delete(s.loaded, x.name)
	} else {
		delete(s.byKey, x.key)
	}
	x.axis.series--
	x.metric.series = slices.DeleteFunc(x.metric.series, func(y *series) bool { return y == x })
	s.resources[x.resource].series--
	s.heap -= seriesSize + x.size + x.fine.heap() + cap(x.fine.closed)*refSize
	for i := range x.coarse {
		s.heap -= x.coarse[i].heap() + cap(x.coarse[i].closed)*refSize
	}
	s.text -= x.size
	s.generation++
}

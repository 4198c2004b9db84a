package stream

import "go.opentelemetry.io/collector/pdata/pcommon"

// Starts gives the time since which the counters of named things count: disk
// devices, network interfaces and the like, for which the kernel keeps no birth time.
// It is not safe for concurrent use.
//
// What is there in the first scrape counts since boot. What appears later was
// not there in the last complete scrape, whose time is therefore the closest
// lower bound that is known. That supposes counters that begin with the thing:
// one whose total outlives its absence, as that of a CPU which goes offline and
// comes back, must keep the boot time instead, or its whole past would count as
// new.
type Starts struct {
	boot     pcommon.Timestamp
	now      pcommon.Timestamp
	previous pcommon.Timestamp // time of the last complete scrape; zero before the first
	scrape   uint64
	things   map[string]thing
}

type thing struct {
	identity uint64
	start    pcommon.Timestamp
	seenAt   pcommon.Timestamp
	scrape   uint64
}

// NewStarts returns the starts of things on a host that booted at boot.
func NewStarts(boot pcommon.Timestamp) *Starts {
	return &Starts{boot: boot, things: make(map[string]thing)}
}

// Begin opens the scrape of the given time, which must be the one on the
// scrape's points and the one passed to Stage.Begin: a new thing is known to
// be new by comparing the two. A scrape without an End counts as incomplete.
func (s *Starts) Begin(now pcommon.Timestamp) {
	s.now = now
	s.scrape++
}

// Start returns the start of the thing named key. It must be called once for
// each thing in each scrape. Identity is what distinguishes a thing from a later one of the
// same name, such as the interface index or the device number; one that has
// changed restarts the thing at the time it was last seen.
func (s *Starts) Start(key string, identity uint64) pcommon.Timestamp {
	t, ok := s.things[key]
	switch {
	case !ok && s.previous == 0:
		t.start = s.boot
	case !ok:
		t.start = s.previous
	case t.identity != identity && t.scrape != s.scrape:
		t.start = t.seenAt
	}
	t.identity, t.seenAt, t.scrape = identity, s.now, s.scrape
	s.things[key] = t
	return t.start
}

// End closes the scrape. A complete one has called Start for everything that is
// there, so what it left out is forgotten and will be new when it returns. An
// incomplete one proves no absence and forgets nothing.
func (s *Starts) End(complete bool) {
	if !complete {
		return
	}
	s.previous = s.now
	for key, t := range s.things {
		if t.scrape != s.scrape {
			delete(s.things, key)
		}
	}
}

// Tracked returns the number of things remembered.
func (s *Starts) Tracked() int { return len(s.things) }

package history

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A saved history is a line that says so, a savedStore, its segments in the order of savedStore.Logs, and a checksum of all before it. What
// savedStore and its parts have is stored: fields may be added.

// savedHead begins each file.
const savedHead = "otelcol-psutil history 1\n"

type savedStore struct {
	Name              string
	Saved             int64
	Started           int64
	NextID            uint32
	NextAxis          int
	Tiers             []savedTier
	TableTiers        []savedTableTier
	Logs              []savedLog // Of tiers, then of table tiers.
	Resources         [][]Attribute
	Metrics           []savedMetric
	Axes              []savedAxis
	Identities        []savedIdentity
	NextIdentity      uint32
	TableHost         int
	CPUs, Summed      int64
	Episodes          []savedEpisode
	Notices           []Notice
	Rules             []Rule
	Heard             bool
	EpisodesForgotten int64
	Groups            *savedGroups // Nil in a file of a version that did not save them.
}

// savedGroups is the tables of control groups. The segments of their logs follow those of savedStore.Logs.
type savedGroups struct {
	Tiers        []savedTableTier
	Logs         []savedLog
	Identities   []savedGroupIdentity
	NextIdentity uint32
	Host         int
	Kills        map[uint32]float64 // By number: how many there were by the last table. Where deltas come they are nowhere else.
}

type savedGroupIdentity struct {
	ControlGroup
	Number uint32
	Seen   [2]int64
}

type savedTier struct {
	Every time.Duration
	Base  int64
}

type savedTableTier struct {
	Every    time.Duration
	List     []savedTable
	Best     []byte
	BestBusy float64
	BestTime int64
}

type savedTable struct {
	Time int64
	Ref  savedRef
}

// savedLog is what stands in a log. Its segments follow savedStore, each with Filled bytes.
type savedLog struct {
	First    uint32
	Dropped  int64
	Segments []savedSegment
}

type savedSegment struct {
	Filled int
	Newest int64
}

type savedRef struct {
	Segment        uint32
	Offset, Length uint16
	First, Last    uint32
}

type savedMetric struct {
	Name, Unit, Description string
	Kind                    Kind
	Keys                    []string
	Series                  []savedSeries
}

type savedSeries struct {
	ID                uint32
	Resource, Axis    int
	Texts             []string
	Known             []bool // Of Texts; the others are absent attributes.
	Start, Time       int64
	Ordinal, Distance uint32
	Raw               float64
	Last              [width]float64
	Fine              []savedRef
	Coarse            [][]savedRef
	Intervals         []savedInterval
}

type savedInterval struct {
	Number        uint32
	Weight, Total float64
	Min, Max      float64
	Newest        int64
}

type savedAxis struct {
	ID       int
	Base     uint32
	Times    []int64
	Steps    [recentSteps]int64
	Nth      int
	Interval int64
	Resource int
}

type savedIdentity struct {
	Process
	Number uint32
	Seen   [2]int64
}

type savedEpisode struct {
	Episode
	Changes *Changes
	Table   *Table
}

// logs are the logs of series and of processes, in the order in which they are saved. Those of control groups follow them.
func (s *Store) logs() []*blockLog {
	var out []*blockLog
	for i := range s.tiers {
		out = append(out, &s.tiers[i].log)
	}
	for i := range s.tables.tiers {
		out = append(out, &s.tables.tiers[i].log)
	}
	return out
}

func (t *groupTables) logs() []*blockLog {
	var out []*blockLog
	for i := range t.tiers {
		out = append(out, &t.tiers[i].log)
	}
	return out
}

// Save writes the history to a file, whole or not at all. Pushes go on meanwhile.
func (s *Store) Save(path string, now time.Time) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	sum := crc32.NewIEEE()
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 256<<10)
	if _, err = w.WriteString(savedHead); err != nil {
		return err
	}
	if err = s.write(gob.NewEncoder(w), now); err != nil {
		return err
	}
	if err = w.Flush(); err != nil {
		return err
	}
	if _, err = fmt.Fprintf(f, "%08x", sum.Sum32()); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// write writes the store, and then its segments one by one: only one at a time is copied under the lock.
func (s *Store) write(e *gob.Encoder, now time.Time) error {
	head, err := s.saved(now)
	if err != nil {
		return err
	}
	if err := e.Encode(head); err != nil {
		return err
	}
	buffer := make([]byte, 0, segmentSize)
	for i, l := range slices.Concat(head.Logs, head.Groups.Logs) {
		for n := range l.Segments {
			buffer = s.copySegment(i, l.First+uint32(n), l.Segments[n].Filled, buffer[:0])
			if err := e.Encode(buffer); err != nil {
				return err
			}
		}
	}
	return nil
}

// copySegment copies what a segment had when the head was written; nothing when it was dropped since.
func (s *Store) copySegment(log int, number uint32, filled int, buffer []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return buffer
	}
	l := slices.Concat(s.logs(), s.groups.logs())[log]
	if number < l.first {
		return buffer
	}
	return append(buffer, l.segments[number-l.first].data[:filled]...)
}

// saved returns all but the segments. Open blocks are closed for it.
func (s *Store) saved(now time.Time) (*savedStore, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the history is closed")
	}
	out := &savedStore{
		Name: s.name, Saved: now.UnixMicro(), Started: s.started, NextID: s.nextID, NextAxis: s.nextAxis, TableHost: s.tables.host, CPUs: s.tables.cpus,
		Summed: s.tables.summed, NextIdentity: s.tables.ids.next, Notices: slices.Clone(s.alerts.notices), Rules: slices.Clone(s.alerts.rules),
		Heard: s.alerts.heard, EpisodesForgotten: s.alerts.dropped,
	}
	for _, m := range s.metrics {
		out.Metrics = append(out.Metrics, s.savedMetric(m))
	}
	for i := range s.resources {
		out.Resources = append(out.Resources, s.resources[i].attributes)
	}
	for _, a := range s.axes {
		out.Axes = append(out.Axes, savedAxis{a.id, a.base, slices.Clone(a.times), a.steps, a.nth, a.interval, a.resource})
	}
	for _, id := range s.tables.ids.byNumber {
		out.Identities = append(out.Identities, savedIdentity{id.who, id.number, id.seen})
	}
	for _, e := range s.alerts.episodes {
		out.Episodes = append(out.Episodes, savedEpisode{e.clone(), e.changes, e.table})
	}
	for i := range s.tiers {
		out.Tiers = append(out.Tiers, savedTier{s.tiers[i].Every, s.tiers[i].base})
	}
	out.TableTiers = saveTables(s.tables.tiers)
	out.Groups = s.groups.saved()
	out.Logs = saveLogs(s.logs()) // The last, for closing blocks fills segments.
	return out, nil
}

func (t *groupTables) saved() *savedGroups {
	out := &savedGroups{Tiers: saveTables(t.tiers), Logs: saveLogs(t.logs()), NextIdentity: t.ids.next, Host: t.host, Kills: map[uint32]float64{}}
	for _, id := range t.ids.byNumber {
		out.Identities = append(out.Identities, savedGroupIdentity{id.who, id.number, id.seen})
	}
	for _, totals := range []map[uint32]groupTotals{t.previous, t.current} {
		for number, v := range totals {
			if v.kills > 0 {
				out.Kills[number] = v.kills
			}
		}
	}
	return out
}

func saveTables(tiers []tableTier) (out []savedTableTier) {
	for i := range tiers {
		t := &tiers[i]
		tier := savedTableTier{Every: t.Every, Best: slices.Clone(t.best), BestBusy: t.bestBusy, BestTime: t.bestTime}
		for _, r := range t.list {
			tier.List = append(tier.List, savedTable{r.time, saveRef(r.ref)})
		}
		out = append(out, tier)
	}
	return out
}

func saveLogs(logs []*blockLog) (out []savedLog) {
	for _, l := range logs {
		log := savedLog{First: l.first, Dropped: l.dropped}
		for i := range l.segments {
			log.Segments = append(log.Segments, savedSegment{l.segments[i].filled, l.segments[i].newest})
		}
		out = append(out, log)
	}
	return out
}

func (s *Store) savedMetric(m *metric) savedMetric {
	out := savedMetric{Name: m.name, Unit: m.unit, Description: m.description, Kind: m.kind, Keys: slices.Clone(m.keys)}
	for _, x := range m.series {
		s.reserve()
		s.heap += x.fine.close(&s.tiers[0].log)
		saved := savedSeries{
			ID: x.id, Resource: x.resource, Axis: x.axis.id, Start: x.start, Time: x.time, Ordinal: x.ordinal, Distance: x.distance, Raw: x.raw, Last: x.last,
			Fine: saveRefs(x.fine.closed),
		}
		for _, text := range x.texts {
			saved.Known = append(saved.Known, text != nil)
			if text == nil {
				text = new(string)
			}
			saved.Texts = append(saved.Texts, *text)
		}
		for i := range x.coarse {
			s.reserve()
			s.heap += x.coarse[i].close(&s.tiers[i+1].log)
			saved.Coarse = append(saved.Coarse, saveRefs(x.coarse[i].closed))
			v := x.interval[i]
			saved.Intervals = append(saved.Intervals, savedInterval{v.number, v.weight, v.total, v.min, v.max, v.newest})
		}
		out.Series = append(out.Series, saved)
	}
	return out
}

func saveRef(r ref) savedRef { return savedRef{r.segment, r.offset, r.length, r.first, r.last} }

func saveRefs(refs []ref) []savedRef {
	out := make([]savedRef, 0, len(refs))
	for _, r := range refs {
		out = append(out, saveRef(r))
	}
	return out
}

func (r savedRef) ref() ref { return ref{r.Segment, r.Offset, r.Length, r.First, r.Last} }

func loadRefs(refs []savedRef) []ref {
	out := make([]ref, 0, len(refs))
	for _, r := range refs {
		out = append(out, r.ref())
	}
	return out
}

// seriesName identifies a loaded series by text, until it is sent and gets its key. Attributes stand in order.
func seriesName(m *metric, resource int, attributes []Attribute) string {
	texts := make([]string, 0, len(attributes))
	for _, a := range attributes {
		texts = append(texts, a.Key+"\x00"+a.Value)
	}
	slices.Sort(texts)
	return fmt.Sprintf("%s\x00%s\x00%d\x00%d\x00%s", m.name, m.unit, m.kind, resource, strings.Join(texts, "\x00\x00"))
}

// attributes are those of a series.
func (x *series) attributes() []Attribute {
	var out []Attribute
	for i, text := range x.texts {
		if text != nil {
			out = append(out, Attribute{x.metric.keys[i], *text})
		}
	}
	return out
}

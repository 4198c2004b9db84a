package history

import (
	"bufio"
	"cmp"
	"encoding/gob"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"os"
	"slices"
	"time"
)

// errOther says that a file is of other tiers, or of other times.
var errOther = errors.New("its tiers are others than those of the configuration")

// Load returns the store that was saved in a file. Its error is fs.ErrNotExist where there is none.
func Load(path string, cfg Config, now time.Time) (*Store, error) {
	f, err := os.Open(path) //nolint:gosec // The configuration says which.
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() < int64(len(savedHead))+8 || info.Size() > 4*cfg.MaxMemory+64<<20:
		return nil, fmt.Errorf("%s: no history: %d bytes", path, info.Size())
	}
	s, err := read(f, info.Size()-8, cfg, now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// summed reads a part of a file, and keeps its checksum.
type summed struct {
	r   io.Reader
	sum hash.Hash32
}

// Read reads on.
func (s *summed) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	_, _ = s.sum.Write(b[:n]) // Never fails.
	return n, err
}

// read checks the whole file before it is read: what its checksum says is whole is what a store wrote.
func read(f io.ReadSeeker, length int64, cfg Config, now time.Time) (*Store, error) {
	check := &summed{io.LimitReader(f, length), crc32.NewIEEE()}
	head := make([]byte, len(savedHead))
	if _, err := io.ReadFull(check, head); err != nil || string(head) != savedHead {
		return nil, errors.New("no history, or one of another version")
	}
	if _, err := io.Copy(io.Discard, check); err != nil {
		return nil, err
	}
	var want uint32
	if _, err := fmt.Fscanf(f, "%08x", &want); err != nil || want != check.sum.Sum32() {
		return nil, errors.New("damaged: its checksum is wrong")
	}
	if _, err := f.Seek(int64(len(savedHead)), io.SeekStart); err != nil {
		return nil, err
	}
	d := gob.NewDecoder(bufio.NewReaderSize(io.LimitReader(f, length-int64(len(savedHead))), 256<<10))
	var saved savedStore
	if err := d.Decode(&saved); err != nil {
		return nil, err
	}
	s := New(cfg, now)
	if err := s.load(&saved, d, now); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// load fills an empty store.
func (s *Store) load(saved *savedStore, d *gob.Decoder, now time.Time) error {
	switch {
	case len(saved.Tiers) != len(s.tiers) || len(saved.TableTiers) != len(s.tables.tiers) || len(saved.Logs) != len(s.tiers)+len(s.tables.tiers):
		return errOther
	case saved.Groups != nil && (len(saved.Groups.Tiers) != len(s.groups.tiers) || len(saved.Groups.Logs) != len(saved.Groups.Tiers)):
		return errOther
	case saved.Saved > now.Add(maxAhead).UnixMicro():
		return fmt.Errorf("saved at %s, which is still to come by the clock of now", time.UnixMicro(saved.Saved).UTC().Format(time.RFC3339))
	}
	for i, t := range saved.Tiers {
		if t.Every != s.tiers[i].Every {
			return errOther
		}
		s.tiers[i].base = t.Base
	}
	for i := range saved.TableTiers {
		if saved.TableTiers[i].Every != s.tables.tiers[i].Every || saved.Groups != nil && saved.Groups.Tiers[i].Every != s.groups.tiers[i].Every {
			return errOther
		}
	}
	s.name, s.started, s.nextID, s.nextAxis, s.generation = saved.Name, saved.Started, saved.NextID, saved.NextAxis, 1
	for i, l := range s.logs() {
		if err := l.load(&saved.Logs[i], d); err != nil {
			return err
		}
	}
	if g := saved.Groups; g != nil {
		for i, l := range s.groups.logs() {
			if err := l.load(&g.Logs[i], d); err != nil {
				return err
			}
		}
	}
	if err := s.loadSeries(saved); err != nil {
		return err
	}
	s.loadTables(saved)
	if saved.Groups != nil {
		s.loadGroups(saved.Groups)
	}
	s.loadAlerts(saved)
	s.enforce(0)
	s.sweep(now.UnixMicro())
	return nil
}

// load fills a log. Segments that were dropped while the file was written are empty.
func (l *blockLog) load(saved *savedLog, d *gob.Decoder) error {
	l.first, l.dropped = saved.First, saved.Dropped
	for i, want := range saved.Segments {
		var data []byte
		if err := d.Decode(&data); err != nil {
			return err
		}
		if len(data) != want.Filled || len(data) > segmentSize {
			if len(data) != 0 || len(l.segments) > 0 {
				return errors.New("a segment has a wrong length")
			}
			l.first, l.dropped = saved.First+uint32(i)+1, max(l.dropped, want.Newest)
			continue
		}
		s := segment{data: l.pool.take(), filled: len(data), newest: want.Newest}
		copy(s.data, data)
		l.segments = append(l.segments, s)
	}
	return nil
}

// loadSeries brings resources, axes, metrics and series back. Series have no key until they are sent again.
func (s *Store) loadSeries(saved *savedStore) error {
	s.loaded = map[string]*series{}
	for _, attributes := range saved.Resources {
		r := resource{attributes: attributes, loaded: true}
		for _, a := range attributes {
			r.size += len(a.Key) + len(a.Value) + 32
		}
		s.heap += r.size
		s.resources = append(s.resources, r)
	}
	axes := map[int]*axis{}
	for _, a := range saved.Axes {
		on := &axis{id: a.ID, base: a.Base, times: a.Times, steps: a.Steps, nth: a.Nth, interval: a.Interval, resource: a.Resource}
		axes[a.ID] = on
		s.axes = append(s.axes, on)
		s.heap += axisSize + cap(on.times)*8
	}
	for i := range saved.Metrics {
		from := &saved.Metrics[i]
		m := &metric{name: from.Name, unit: from.Unit, description: from.Description, kind: from.Kind, keys: from.Keys, listed: true}
		s.metrics = append(s.metrics, m)
		s.byName[metricName{m.name, m.unit, m.kind}] = m
		s.heap += m.size()
		for j := range from.Series {
			x := s.loadOne(m, &from.Series[j], axes)
			if x == nil {
				return errors.New("a series refers to what is not there")
			}
			m.series = append(m.series, x)
		}
	}
	return nil
}

func (s *Store) loadOne(m *metric, from *savedSeries, axes map[int]*axis) *series {
	on := axes[from.Axis]
	if on == nil || from.Resource < 0 || from.Resource >= len(s.resources) || len(from.Coarse) != len(s.tiers)-1 || len(from.Intervals) != len(from.Coarse) ||
		len(from.Texts) > len(m.keys) || len(from.Known) != len(from.Texts) {
		return nil
	}
	x := &series{
		settled: true,
		id:      from.ID, metric: m, resource: from.Resource, axis: on, start: from.Start, time: from.Time, ordinal: from.Ordinal, distance: from.Distance,
		raw: from.Raw, last: from.Last, fine: column{closed: loadRefs(from.Fine)},
	}
	x.size = 0
	for i, text := range from.Texts {
		if !from.Known[i] {
			x.texts = append(x.texts, nil)
			continue
		}
		x.texts = append(x.texts, &text)
		x.size += len(text) + 24
	}
	s.heap += seriesSize + x.size + cap(x.fine.closed)*refSize
	for i, refs := range from.Coarse {
		c := column{closed: loadRefs(refs)}
		s.heap += cap(c.closed) * refSize
		v := from.Intervals[i]
		x.coarse = append(x.coarse, c)
		x.interval = append(x.interval, interval{v.Number, v.Weight, v.Total, v.Min, v.Max, v.Newest})
	}
	x.name = seriesName(m, x.resource, x.attributes())
	s.loaded[x.name] = x
	s.byID[x.id] = x
	s.text += x.size
	on.series++
	s.resources[x.resource].series++
	return x
}

// claim finds the loaded series that a new one goes on with; nil if there is none.
func (s *Store) claim(p *pendingSample) *series {
	if len(s.loaded) == 0 {
		return nil
	}
	attributes := make([]Attribute, 0, len(p.texts))
	for _, a := range p.texts[:min(len(p.texts), maxAttributes)] {
		attributes = append(attributes, Attribute{cut(a.Key, maxValueText), cut(a.Value, maxValueText)})
	}
	x := s.loaded[seriesName(p.metric, p.resource, attributes)]
	if x == nil {
		return nil
	}
	delete(s.loaded, x.name)
	x.key, x.name = p.key, ""
	s.byKey[p.key] = x
	return x
}

// claimResource finds the loaded resource with the same attributes; -1 if there is none.
func (s *Store) claimResource(attributes []Attribute) int {
	byKey := func(a, b Attribute) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value)) }
	want := slices.SortedFunc(slices.Values(attributes), byKey)
	return slices.IndexFunc(s.resources, func(r resource) bool {
		return r.loaded && slices.Equal(want, slices.SortedFunc(slices.Values(r.attributes), byKey))
	})
}

// loadTables brings the tables of processes back, but the open one.
func (s *Store) loadTables(saved *savedStore) {
	t := &s.tables
	t.host, t.cpus, t.summed, t.ids.next = saved.TableHost, saved.CPUs, saved.Summed, saved.NextIdentity
	if t.host >= len(s.resources) {
		t.host = -1
	}
	for _, from := range saved.Identities {
		t.ids.put(&identity[Process]{who: from.Process, number: from.Number, seen: from.Seen})
	}
	s.loadTableTiers(t.tiers, saved.TableTiers)
}

func (s *Store) loadTableTiers(tiers []tableTier, saved []savedTableTier) {
	for i := range saved {
		from, tier := &saved[i], &tiers[i]
		if tier.best = from.Best; len(tier.best) == 0 {
			tier.best = nil
		}
		tier.bestBusy, tier.bestTime = from.BestBusy, from.BestTime
		for _, r := range from.List {
			tier.list = append(tier.list, tableRef{r.Time, r.Ref.ref()})
		}
		s.heap += cap(tier.list) * tableRefSize
	}
	trimTables(tiers)
}

// loadGroups brings the tables of control groups back, but the open one.
func (s *Store) loadGroups(saved *savedGroups) {
	t := &s.groups
	t.host, t.ids.next = saved.Host, saved.NextIdentity
	if t.host >= len(s.resources) {
		t.host = -1
	}
	for _, from := range saved.Identities {
		t.ids.put(&identity[ControlGroup]{who: from.ControlGroup, number: from.Number, seen: from.Seen})
	}
	nan := math.NaN()
	for number, kills := range saved.Kills {
		t.previous[number] = groupTotals{nan, nan, nan, nan, nan, kills}
	}
	s.loadTableTiers(t.tiers, saved.Tiers)
}

// loadAlerts brings the alerts back.
func (s *Store) loadAlerts(saved *savedStore) {
	a := &s.alerts
	a.notices, a.rules, a.heard, a.dropped = saved.Notices, saved.Rules, saved.Heard, saved.EpisodesForgotten
	a.heap += ruleSize * len(a.rules)
	for i := range saved.Episodes {
		e := saved.Episodes[i].Episode
		e.changes, e.table = saved.Episodes[i].Changes, saved.Episodes[i].Table
		a.episodes = append(a.episodes, &e)
		a.heap += e.size()
	}
}

package alert

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Keys under which the engine's state is stored. Alerts stand under "a/<alert id>", events under "o/<seq>".
const (
	metaKey  = "meta"
	indexKey = "index"
)

// Op is one change to the stored state: a value to set, or a key to delete when Value is nil.
type Op struct {
	Key   string
	Value []byte
}

// journal knows what of the state differs from what is stored.
type journal struct {
	alerts map[uint64]struct{}
	events map[uint64]struct{}
	// storedAlerts and storedEvents are the keys that the stored index lists.
	storedAlerts map[uint64]struct{}
	storedEvents map[uint64]struct{}
	index        bool
}

func newJournal() journal {
	return journal{
		alerts: map[uint64]struct{}{}, events: map[uint64]struct{}{},
		storedAlerts: map[uint64]struct{}{}, storedEvents: map[uint64]struct{}{},
	}
}

func (j *journal) mark(alert uint64)    { j.alerts[alert] = struct{}{} }
func (j *journal) markEvent(seq uint64) { j.events[seq] = struct{}{} }

func alertKey(id uint64) string  { return "a/" + alertschema.IDText(id) }
func eventKey(seq uint64) string { return "o/" + strconv.FormatUint(seq, 10) }

// listedKeys returns the keys that an index lists.
func listedKeys(alerts, events []uint64) []string {
	keys := make([]string, 0, len(alerts)+len(events))
	for _, seq := range events {
		keys = append(keys, eventKey(seq))
	}
	for _, id := range alerts {
		keys = append(keys, alertKey(id))
	}
	return keys
}

// StoredKeys returns the keys under which a state is stored. What an index that cannot be decoded listed is not among them.
func StoredKeys(get func(key string) ([]byte, error)) ([]string, error) {
	index, err := get(indexKey)
	if err != nil {
		return nil, &ReadError{indexKey, err}
	}
	alerts, events, _ := decodeIndex(index) // Without an index the lists are empty.
	return append(listedKeys(alerts, events), metaKey, indexKey), nil
}

// Snapshot returns what has to be written so that the stored state equals the engine's, and takes it as written. All
// of it belongs into one atomic write: an alert that counts as announced must never be stored without its record. If the write
// fails, Redo gives the changes back.
//
// Write the snapshot before delivering what Peek returns. Then whatever a receiver has heard of survives a crash.
func (e *Engine) Snapshot(now time.Time) []Op {
	j := &e.journal
	ops := []Op{{Key: metaKey, Value: encodeMeta(now.UnixNano(), e.outbox.NextSeq())}}
	for _, id := range sortedIDs(j.alerts) {
		op := Op{Key: alertKey(id)}
		_, stored := j.storedAlerts[id]
		if g := e.alerts[id]; g != nil {
			op.Value = encodeAlert(g)
			j.storedAlerts[id] = struct{}{}
			j.index = j.index || !stored
		} else if stored {
			delete(j.storedAlerts, id)
			j.index = true
		} else {
			continue
		}
		ops = append(ops, op)
	}
	for _, seq := range sortedIDs(j.events) {
		op := Op{Key: eventKey(seq)}
		_, stored := j.storedEvents[seq]
		if ev := e.outbox.Pending(seq); ev != nil {
			op.Value = event.Encode(ev)
			j.storedEvents[seq] = struct{}{}
			j.index = j.index || !stored
		} else if stored {
			delete(j.storedEvents, seq)
			j.index = true
		} else {
			continue
		}
		ops = append(ops, op)
	}
	if j.index {
		ops = append(ops, Op{Key: indexKey, Value: encodeIndex(sortedIDs(j.storedAlerts), sortedIDs(j.storedEvents))})
		j.index = false
	}
	clear(j.alerts)
	clear(j.events)
	return ops
}

// Redo takes back a snapshot whose write failed: the next one holds its changes again.
func (e *Engine) Redo(ops []Op) {
	j := &e.journal
	for _, op := range ops {
		switch {
		case op.Key == indexKey:
			j.index = true
		case len(op.Key) > 2 && op.Key[0] == 'a':
			if id, err := strconv.ParseUint(op.Key[2:], 16, 64); err == nil {
				j.mark(id)
				j.storedAlerts[id] = struct{}{} // It may be stored, so a deletion must be repeated.
			}
		case len(op.Key) > 2 && op.Key[0] == 'o':
			if seq, err := strconv.ParseUint(op.Key[2:], 10, 64); err == nil {
				j.markEvent(seq)
				j.storedEvents[seq] = struct{}{}
			}
		}
	}
	j.index = true
}

func sortedIDs(m map[uint64]struct{}) []uint64 {
	ids := make([]uint64, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func encodeMeta(savedAt int64, nextSeq uint64) []byte {
	var e attr.Encoder
	e.Int(savedAt)
	e.Uint(nextSeq)
	return e.Sealed()
}

func decodeMeta(v []byte) (savedAt int64, nextSeq uint64, err error) {
	d := attr.Unseal(v)
	savedAt, nextSeq = d.Int(), d.Uint()
	return savedAt, nextSeq, d.Finish()
}

func encodeIndex(alerts, events []uint64) []byte {
	var e attr.Encoder
	for _, ids := range [][]uint64{alerts, events} {
		e.Uint(uint64(len(ids)))
		for _, id := range ids {
			e.Uint(id)
		}
	}
	return e.Sealed()
}

func decodeIndex(v []byte) (alerts, events []uint64, err error) {
	d := attr.Unseal(v)
	alerts = attr.DecodeList(&d, (*attr.Decoder).Uint)
	events = attr.DecodeList(&d, (*attr.Decoder).Uint)
	return alerts, events, d.Finish()
}

// storedLevel is a level by name and severity number, which outlive a change of the ladder.
type storedLevel struct {
	name   string
	number int
}

// storedAlert is the stored form of an alert.
type storedAlert struct {
	rule, version, selection, group string
	metric, unit, comparison        string
	resource                        []attr.Attr
	level, worst, told              storedLevel
	since                           []storedRun
	recovering                      int64
	value                           attr.Number
	noData, open                    bool
	started, ended                  int64
	seq, repeats                    int
	toldState                       alertschema.State
	toldAt                          int64
	deferred                        deferral
	flapTimes                       []int64
	latched                         bool
	flapLast                        int64
	decided                         int64
	seen                            bool  // Of an absent rule.
	lastSample                      int64 // Of one that is silent, else unset.
}

// storedRun is when the run of a level that waits for its for began.
type storedRun struct {
	level storedLevel
	since int64
}

func (r *ruleState) stored(level int) storedLevel {
	if level <= 0 {
		return storedLevel{}
	}
	return storedLevel{r.Rule.Levels[level-1].Name, r.Rule.Levels[level-1].Number}
}

func encodeAlert(g *group) []byte {
	a, r := g.alert, g.rule
	s := storedAlert{
		rule: r.Name, version: r.Version, selection: r.Selection, group: attr.EncodeGroup(r.names.Expand(g.key)), metric: r.Metric, unit: r.unit,
		comparison: r.levels[0].Comparison.Symbol(), resource: g.resourceAttrs(),
		level: r.stored(a.Level), worst: r.stored(a.worst), told: r.stored(a.told), recovering: a.Recovering, value: a.value,
		noData: a.noData, open: a.open, started: a.started, ended: a.ended, seq: a.seq, repeats: a.repeats,
		toldState: a.toldState, toldAt: a.toldAt, deferred: a.deferred,
		flapTimes: a.flap.Times, latched: a.flap.Latched, flapLast: a.flap.Last,
		decided: g.decided(), lastSample: ladder.Unset,
	}
	if r.silence > 0 {
		s.seen = g.lastSample != ladder.Unset
		if a.silent {
			s.lastSample = g.lastSample
		}
	}
	for i, t := range a.Since {
		if t != ladder.Unset {
			s.since = append(s.since, storedRun{r.stored(i + 1), t})
		}
	}
	return s.encode()
}

func (s *storedAlert) encode() []byte {
	var e attr.Encoder
	for _, text := range []string{s.rule, s.version, s.selection, s.group, s.metric, s.unit, s.comparison} {
		e.Text(text)
	}
	e.Attrs(s.resource)
	for _, l := range []storedLevel{s.level, s.worst, s.told} {
		e.Text(l.name)
		e.Uint(uint64(l.number))
	}
	e.Uint(uint64(len(s.since)))
	for _, run := range s.since {
		e.Text(run.level.name)
		e.Uint(uint64(run.level.number))
		e.Int(run.since)
	}
	e.Int(s.recovering)
	e.Number(s.value)
	e.Bool(s.noData)
	e.Bool(s.open)
	e.Int(s.started)
	e.Int(s.ended)
	e.Uint(uint64(s.seq))
	e.Uint(uint64(s.repeats))
	e.Byte(byte(s.toldState))
	e.Int(s.toldAt)
	e.Byte(byte(s.deferred))
	e.Times(s.flapTimes)
	e.Bool(s.latched)
	e.Int(s.flapLast)
	e.Int(s.decided)
	e.Bool(s.seen)
	e.Int(s.lastSample)
	return e.Sealed()
}

func decodeAlert(v []byte) (storedAlert, error) {
	d := attr.Unseal(v)
	s := storedAlert{decided: ladder.Unset, lastSample: ladder.Unset}
	for _, text := range []*string{&s.rule, &s.version, &s.selection, &s.group, &s.metric, &s.unit, &s.comparison} {
		*text = d.Text()
	}
	s.resource = d.Attrs()
	for _, l := range []*storedLevel{&s.level, &s.worst, &s.told} {
		*l = decodeStoredLevel(&d)
	}
	s.since = attr.DecodeList(&d, func(d *attr.Decoder) storedRun { return storedRun{decodeStoredLevel(d), d.Int()} })
	s.recovering = d.Int()
	s.value = d.Number()
	s.noData, s.open = d.Bool(), d.Bool()
	s.started, s.ended = d.Int(), d.Int()
	s.seq, s.repeats = d.IntBelow(1<<30), d.IntBelow(1<<30)
	s.toldState = attr.DecodeEnum(&d, alertschema.State(d.Byte()))
	s.toldAt = d.Int()
	s.deferred = deferral(d.IntBelow(int(deferredByStorm) + 1)) // The greatest of them.
	s.flapTimes = d.Times()
	s.latched, s.flapLast = d.Bool(), d.Int()
	if d.Version > 1 {
		s.decided, s.seen, s.lastSample = d.Int(), d.Bool(), d.Int()
	}
	if err := d.Finish(); err != nil {
		return storedAlert{}, err
	}
	if _, err := attr.DecodeGroup(s.group); err != nil {
		return storedAlert{}, fmt.Errorf("group key: %w", err)
	}
	return s, nil
}

func decodeStoredLevel(d *attr.Decoder) storedLevel {
	return storedLevel{name: d.Text(), number: d.IntBelow(25)}
}

package alert

import (
	"fmt"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// storedMeta is what is stored once.
type storedMeta struct {
	savedAt int64 // Wall time of the newest snapshot.
	nextSeq int64 // The number of the next event.
}

// metaFields is how it is stored. The numbers are stored: append only.
var metaFields = []attr.Field[storedMeta]{
	attr.IntField(1, func(m *storedMeta) *int64 { return &m.savedAt }),
	attr.IntField(2, func(m *storedMeta) *int64 { return &m.nextSeq }),
}

func (m *storedMeta) encode() []byte {
	var e attr.Encoder
	attr.WriteFields(&e, m, metaFields)
	return e.Sealed()
}

func decodeMeta(v []byte) (storedMeta, error) {
	d := attr.Unseal(v)
	var m storedMeta
	if d.Version <= 2 {
		m.savedAt, m.nextSeq = d.Int(), int64(d.Uint())
	} else {
		attr.ReadFields(&d, &m, metaFields)
	}
	return m, d.Finish()
}

// storedLevel is a level by name and severity number, which outlive a change of the ladder.
type storedLevel struct {
	name   string
	number int
}

// storedRun is when the run of a level that waits for its for began.
type storedRun struct {
	level storedLevel
	since int64
}

// storedAlert is the stored form of an alert. Times are event times unless said otherwise; those that are not known are ladder.Unset.
type storedAlert struct {
	rule, version, selection, group string
	// metric, unit and comparison are for the record that closes an alert whose rule is gone.
	metric, unit, comparison string
	resource                 []attr.Attr // Of the series that decided last.
	level, worst, announced  storedLevel // In force, the worst of the episode, and the announced one.
	since                    []storedRun
	recovering               int64 // Since when the level in force has been clear.
	value                    attr.Number
	noData, open             bool
	started, ended           int64 // Of the episode.
	seq, repeats             int   // Transitions and repetitions of the episode.
	announcedState           alertschema.State
	announcedAt              int64 // Wall time of the newest record.
	deferred                 deferral
	flapTimes                []int64
	latched                  bool
	flapLast                 int64
	decided                  int64 // Newest round that was evaluated.
	seen                     bool  // Of an absent rule: something has come.
	lastSample               int64 // Of an absent rule whose series is silent, as wall time has it.
	changed                  int64 // Of the newest record of the episode.
	interval                 int64 // Distance of samples in nanoseconds.
}

// Bounds of stored numbers.
const (
	maxSeverityNumber = 24
	maxCount          = 1<<30 - 1
)

// alertFields is how an alert is stored. The numbers are stored: append only.
var alertFields = []attr.Field[storedAlert]{
	attr.TextField(1, func(s *storedAlert) *string { return &s.rule }),
	attr.TextField(2, func(s *storedAlert) *string { return &s.version }),
	attr.TextField(3, func(s *storedAlert) *string { return &s.selection }),
	attr.TextField(4, func(s *storedAlert) *string { return &s.group }),
	attr.TextField(5, func(s *storedAlert) *string { return &s.metric }),
	attr.TextField(6, func(s *storedAlert) *string { return &s.unit }),
	attr.TextField(7, func(s *storedAlert) *string { return &s.comparison }),
	attr.ListField(8, func(s *storedAlert) *[]attr.Attr { return &s.resource }, (*attr.Encoder).Attrs, (*attr.Decoder).Attrs),
	attr.StructField(9, func(s *storedAlert) *storedLevel { return &s.level }, levelFields),
	attr.StructField(10, func(s *storedAlert) *storedLevel { return &s.worst }, levelFields),
	attr.StructField(11, func(s *storedAlert) *storedLevel { return &s.announced }, levelFields),
	attr.StructsField(12, func(s *storedAlert) *[]storedRun { return &s.since }, runFields),
	attr.TimeField(13, func(s *storedAlert) *int64 { return &s.recovering }),
	attr.NumberField(14, func(s *storedAlert) *attr.Number { return &s.value }),
	attr.FlagField(15, func(s *storedAlert) *bool { return &s.noData }),
	attr.FlagField(16, func(s *storedAlert) *bool { return &s.open }),
	attr.IntField(17, func(s *storedAlert) *int64 { return &s.started }),
	attr.TimeField(18, func(s *storedAlert) *int64 { return &s.ended }),
	attr.CountField(19, maxCount, func(s *storedAlert) *int { return &s.seq }),
	attr.CountField(20, maxCount, func(s *storedAlert) *int { return &s.repeats }),
	attr.EnumField(21, func(s *storedAlert) *alertschema.State { return &s.announcedState }),
	attr.IntField(22, func(s *storedAlert) *int64 { return &s.announcedAt }),
	attr.EnumField(23, func(s *storedAlert) *deferral { return &s.deferred }),
	attr.ListField(24, func(s *storedAlert) *[]int64 { return &s.flapTimes }, (*attr.Encoder).Times, (*attr.Decoder).Times),
	attr.FlagField(25, func(s *storedAlert) *bool { return &s.latched }),
	attr.IntField(26, func(s *storedAlert) *int64 { return &s.flapLast }),
	attr.TimeField(27, func(s *storedAlert) *int64 { return &s.decided }),
	attr.FlagField(28, func(s *storedAlert) *bool { return &s.seen }),
	attr.TimeField(29, func(s *storedAlert) *int64 { return &s.lastSample }),
	attr.TimeField(30, func(s *storedAlert) *int64 { return &s.changed }),
	attr.IntField(31, func(s *storedAlert) *int64 { return &s.interval }),
}

var levelFields = []attr.Field[storedLevel]{
	attr.TextField(1, func(l *storedLevel) *string { return &l.name }),
	attr.CountField(2, maxSeverityNumber, func(l *storedLevel) *int { return &l.number }),
}

var runFields = []attr.Field[storedRun]{
	attr.StructField(1, func(r *storedRun) *storedLevel { return &r.level }, levelFields),
	attr.IntField(2, func(r *storedRun) *int64 { return &r.since }),
}

func (r *ruleState) stored(level int) storedLevel {
	if level <= 0 {
		return storedLevel{}
	}
	return storedLevel{r.Levels[level-1].Name, r.Levels[level-1].Number}
}

// encodeAlert returns the stored form of the alert of a group.
func (e *Engine) encodeAlert(g *group) []byte {
	a, r := g.alert, g.rule
	s := storedAlert{
		rule: r.Name, version: r.Version, selection: r.Selection, group: attr.EncodeGroup(r.names.Expand(g.key)), metric: r.Metric, unit: r.unit,
		comparison: r.levels[0].Comparison.Symbol(), resource: g.resourceAttrs(),
		level: r.stored(a.Level), worst: r.stored(a.worst), announced: r.stored(a.announced), recovering: a.Recovering, value: a.value,
		noData: a.noData, open: a.open, started: a.started, ended: a.ended, seq: a.seq, repeats: a.repeats,
		announcedState: a.announcedState, announcedAt: a.announcedAt, deferred: a.deferred,
		flapTimes: a.flap.Times, latched: a.flap.Latched, flapLast: a.flap.Last,
		decided: g.decided(), lastSample: ladder.Unset, changed: a.changed, interval: g.interval(),
	}
	if r.silence > 0 {
		s.seen = g.lastSample != ladder.Unset
		if a.silent {
			s.lastSample = g.lastSample + e.now - g.clock(e.running)
		}
	}
	for i, t := range a.Since {
		if t != ladder.Unset {
			s.since = append(s.since, storedRun{r.stored(i + 1), t})
		}
	}
	return s.encode()
}

// fill is the inverse of encodeAlert, but for what depends on the time that has passed since: the runs of pending levels and of silence.
func (s *storedAlert) fill(r *ruleState, a *alertState) {
	if len(s.resource) > 0 {
		a.resource = &resource{attrs: s.resource}
	}
	a.Level, a.worst, a.announced = r.levelLike(s.level), r.levelLike(s.worst), r.levelLike(s.announced)
	a.Recovering = s.recovering
	a.value, a.noData, a.open, a.started, a.ended = s.value, s.noData, s.open, s.started, s.ended
	a.seq, a.repeats, a.changed, a.interval = s.seq, s.repeats, s.changed, max(0, s.interval)
	a.announcedState, a.announcedAt, a.announcedStart = s.announcedState, s.announcedAt, s.started
	a.flap = ladder.Flapping{Times: s.flapTimes, Latched: s.latched, Last: s.flapLast}
}

// usualSize is room for the stored form of most alerts, in bytes.
const usualSize = 384

func (s *storedAlert) encode() []byte {
	e := attr.Encoder{Bytes: make([]byte, 0, usualSize)}
	attr.WriteFields(&e, s, alertFields)
	return e.Sealed()
}

// decodeAlert is the inverse of encode. It reads what older builds stored, too.
func decodeAlert(v []byte) (storedAlert, error) {
	d := attr.Unseal(v)
	s := storedAlert{recovering: ladder.Unset, ended: ladder.Unset, decided: ladder.Unset, lastSample: ladder.Unset, changed: ladder.Unset}
	if d.Version <= 2 {
		decodeAlertVersion2(&d, &s)
	} else {
		attr.ReadFields(&d, &s, alertFields)
	}
	if err := d.Finish(); err != nil {
		return storedAlert{}, err
	}
	if _, err := attr.DecodeGroup(s.group); err != nil {
		return storedAlert{}, fmt.Errorf("group key: %w", err)
	}
	return s, nil
}

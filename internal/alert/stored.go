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
	decided                  int64     // Newest round that was evaluated.
	seen                     bool      // Of an absent rule: something has come.
	lastSample               int64     // Of an absent rule whose series is silent, as wall time has it.
	changed                  int64     // Of the newest record of the episode.
	interval                 int64     // Distance of samples in nanoseconds.
	bounds                   []float64 // Those that were read from a metric or an attribute: four for each level.
	recent                   []storedSamples
	expected                 bool // Of an absent rule that lists the group.

	// What follows is of announced alerts, for records that are made when the rule is gone: what the last record said.
	description, point, aggregation string
	window                          int64
	labels, annotations             []attr.Label
	more                            []attr.Attr
	threshold                       attr.Number
	// shown has a bit for each attribute of the group key that records carry, and shownKnown tells that it is known.
	shown      int64
	shownKnown bool
	// recordID is the ID that records have where it is not that of rule and group, 0 else.
	recordID int64
	// byConventions tells that the group key has what identifies the resource by the conventions, and what entity references add. Older builds took
	// other attributes.
	byConventions bool
	// holder is the ID of the sender of an alert about silence, 0 where it is not known, and holderSeen for how long that one was there.
	holder, holderSeen int64
	// What people have done about the alert: person.
	acknowledgedBy          string
	acknowledgedAt, silence int64
	actions                 int
}

// storedSamples is what a level that counts samples has seen of the newest ones.
type storedSamples struct {
	level        storedLevel
	raised, held int64 // A bit each, the newest sample in bit 0.
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
	attr.ListField(60, func(s *storedAlert) *[]float64 { return &s.bounds }, writeFloats, readFloats),
	attr.StructsField(55, func(s *storedAlert) *[]storedSamples { return &s.recent }, samplesFields),
	attr.FlagField(56, func(s *storedAlert) *bool { return &s.expected }),
	attr.TextField(35, func(s *storedAlert) *string { return &s.description }),
	attr.TextField(36, func(s *storedAlert) *string { return &s.point }),
	attr.TextField(37, func(s *storedAlert) *string { return &s.aggregation }),
	attr.IntField(38, func(s *storedAlert) *int64 { return &s.window }),
	attr.ListField(39, func(s *storedAlert) *[]attr.Label { return &s.labels }, (*attr.Encoder).Labels, (*attr.Decoder).Labels),
	attr.ListField(40, func(s *storedAlert) *[]attr.Label { return &s.annotations }, (*attr.Encoder).Labels, (*attr.Decoder).Labels),
	attr.ListField(41, func(s *storedAlert) *[]attr.Attr { return &s.more }, (*attr.Encoder).Attrs, (*attr.Decoder).Attrs),
	attr.NumberField(42, func(s *storedAlert) *attr.Number { return &s.threshold }),
	attr.IntField(43, func(s *storedAlert) *int64 { return &s.shown }),
	attr.FlagField(44, func(s *storedAlert) *bool { return &s.shownKnown }),
	attr.IntField(45, func(s *storedAlert) *int64 { return &s.recordID }),
	attr.TimeField(30, func(s *storedAlert) *int64 { return &s.changed }),
	attr.FlagField(61, func(s *storedAlert) *bool { return &s.byConventions }),
	attr.IntField(62, func(s *storedAlert) *int64 { return &s.holder }),
	attr.IntField(63, func(s *storedAlert) *int64 { return &s.holderSeen }),
	attr.TextField(64, func(s *storedAlert) *string { return &s.acknowledgedBy }),
	attr.IntField(65, func(s *storedAlert) *int64 { return &s.acknowledgedAt }),
	attr.IntField(66, func(s *storedAlert) *int64 { return &s.silence }),
	attr.CountField(67, maxCount, func(s *storedAlert) *int { return &s.actions }),
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

var samplesFields = []attr.Field[storedSamples]{
	attr.StructField(1, func(r *storedSamples) *storedLevel { return &r.level }, levelFields),
	attr.IntField(2, func(r *storedSamples) *int64 { return &r.raised }),
	attr.IntField(3, func(r *storedSamples) *int64 { return &r.held }),
}

func (r *ruleState) stored(level int) storedLevel {
	if level <= 0 {
		return storedLevel{}
	}
	return storedLevel{r.Levels[level-1].Name, r.Levels[level-1].Number}
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

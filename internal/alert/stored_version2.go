package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// decodeAlertVersion2 reads an alert of versions 1 and 2.
func decodeAlertVersion2(d *attr.Decoder, s *storedAlert) {
	for _, text := range []*string{&s.rule, &s.version, &s.selection, &s.group, &s.metric, &s.unit, &s.comparison} {
		*text = d.Text()
	}
	s.resource = d.Attrs()
	for _, l := range []*storedLevel{&s.level, &s.worst, &s.announced} {
		*l = decodeStoredLevel(d)
	}
	s.since = attr.DecodeList(d, func(d *attr.Decoder) storedRun { return storedRun{decodeStoredLevel(d), d.Int()} })
	s.recovering = d.Int()
	s.value = d.Number()
	s.noData, s.open = d.Bool(), d.Bool()
	s.started, s.ended = d.Int(), d.Int()
	s.seq, s.repeats = d.IntBelow(1<<30), d.IntBelow(1<<30)
	s.announcedState = attr.DecodeEnum(d, alertschema.State(d.Byte()))
	s.announcedAt = d.Int()
	s.deferred = attr.DecodeEnum(d, deferral(d.Byte()))
	s.flapTimes = d.Times()
	s.latched, s.flapLast = d.Bool(), d.Int()
	if d.Version > 1 {
		s.decided, s.seen, s.lastSample = d.Int(), d.Bool(), d.Int()
	}
}

func decodeStoredLevel(d *attr.Decoder) storedLevel {
	return storedLevel{name: d.Text(), number: d.IntBelow(25)}
}

package alert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertaction"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// This file has what people do about alerts: silences that they make while the engine runs, and acknowledgements. A person's silence holds back what one
// of the configuration holds back; and because receivers may act on an announced alert, by repeating or escalating it, its begin and its end are records, too.

// person is what people have done about an alert.
type person struct {
	// acknowledgedBy looks after the alert since wall time acknowledgedAt; "" when nobody does. It holds for the episode.
	acknowledgedBy string
	acknowledgedAt int64
	// silence is the ID of the silence that receivers believe to cover the alert, 0 for none.
	silence uint64
	// actions is how many records of the episode were about what a person did.
	actions int
}

// PutSilence puts a person's silence in force. One with the ID of another takes its place.
func (e *Engine) PutSilence(s alertaction.Silence, now time.Time) error {
	e.setNow(now)
	id, err := silenceID(s.ID)
	if err != nil {
		return err
	}
	if s.Rule != "" && e.ruleNamed(s.Rule) == nil {
		return alertaction.ErrUnknownRule
	}
	e.endSilences()
	if _, known := e.personSilences[id]; !known && len(e.personSilences) >= alertaction.MaxSilences {
		return alertaction.ErrTooMany
	}
	e.personSilences[id] = &s
	e.journal.markSilence(id)
	for _, g := range e.announcedGroups() {
		if covers(&s, g) {
			g.alert.persons().silence = id
			e.sayAction(g, &change{transition: alertschema.TransitionSilenceStart, comment: s.Comment})
		}
	}
	return nil
}

// EndSilence ends a person's silence before its time.
func (e *Engine) EndSilence(id, by string, now time.Time) error {
	e.setNow(now)
	n, err := silenceID(id)
	if err != nil || e.personSilences[n] == nil {
		return alertaction.ErrUnknownSilence
	}
	e.dropSilence(n, by)
	return nil
}

// Silences returns the silences of people that are in force, the one that ends first before the others.
func (e *Engine) Silences(now time.Time) []alertaction.Silence {
	var out []alertaction.Silence
	for _, s := range e.personSilences {
		if s.To.After(now) {
			out = append(out, *s)
		}
	}
	slices.SortFunc(out, func(a, b alertaction.Silence) int { return cmp.Or(a.To.Compare(b.To), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Acknowledge notes that a person looks after an announced alert.
func (e *Engine) Acknowledge(a alertaction.Acknowledgement, now time.Time) error {
	e.setNow(now)
	id, err := strconv.ParseUint(a.Alert, 16, 64)
	if err != nil {
		return alertaction.ErrUnknownAlert
	}
	g := e.alertOfRecord(id)
	if g == nil || g.alert.announced == 0 {
		return alertaction.ErrUnknownAlert
	}
	p := g.alert.persons()
	p.acknowledgedBy, p.acknowledgedAt = a.By, e.now
	e.sayAction(g, &change{transition: alertschema.TransitionAcknowledge, comment: a.Comment})
	return nil
}

// silenceID is the number of a silence's ID.
func silenceID(text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 16, 64)
	if err != nil || alertschema.IDText(id) != text {
		return 0, fmt.Errorf("%q is not the ID of a silence: it has 16 hex digits", alertschema.CutText(text, maxQuoted))
	}
	return id, nil
}

// endSilences ends those whose time is over.
func (e *Engine) endSilences() {
	for id, s := range e.personSilences {
		if s.To.UnixNano() <= e.now {
			e.dropSilence(id, "")
		}
	}
}

// dropSilence ends a silence, by a person or, if that is "", by time.
func (e *Engine) dropSilence(id uint64, by string) {
	delete(e.personSilences, id)
	e.journal.markSilence(id)
	for _, g := range e.announcedGroups() {
		p := g.alert.person
		if p == nil || p.silence != id {
			continue
		}
		p.silence = 0
		if other := e.silencedByPerson(g); other != nil {
			p.silence, _ = silenceID(other.ID)
			e.sayAction(g, &change{transition: alertschema.TransitionSilenceStart, comment: other.Comment})
			continue
		}
		e.sayAction(g, &change{transition: alertschema.TransitionSilenceEnd, endedBy: by})
	}
}

// endLostSilences ends those that receivers believe in and that the stored state no longer has.
func (e *Engine) endLostSilences() {
	for _, g := range e.announcedGroups() {
		if p := g.alert.person; p != nil && p.silence != 0 && e.personSilences[p.silence] == nil {
			p.silence = 0
			e.sayAction(g, &change{transition: alertschema.TransitionSilenceEnd})
		}
	}
}

// announcedGroups returns the groups of which an alert is announced, in an order that does not depend on chance.
func (e *Engine) announcedGroups() []*group {
	var out []*group
	for _, g := range e.alerts {
		if g.alert.announced > 0 {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, compareGroups)
	return out
}

// persons is what people have done about the alert.
func (a *alertState) persons() *person {
	if a.person == nil {
		a.person = &person{}
	}
	return a.person
}

// acknowledged tells whether a person looks after the alert.
func (a *alertState) acknowledged() bool { return a.person != nil && a.person.acknowledgedBy != "" }

// silencedByPerson returns the silence of a person that covers the alert of a group: of several the one that ends last. It is nil for none.
func (e *Engine) silencedByPerson(g *group) *alertaction.Silence {
	var last *alertaction.Silence
	for _, s := range e.personSilences {
		if s.To.UnixNano() > e.now && covers(s, g) && (last == nil || s.To.After(last.To) || s.To.Equal(last.To) && s.ID < last.ID) {
			last = s
		}
	}
	return last
}

// covers tells whether all that a silence names is true of the alert of a group.
func covers(s *alertaction.Silence, g *group) bool {
	if s.Rule != "" && s.Rule != g.rule.Name || s.Alert != "" && s.Alert != alertschema.IDText(g.recordID()) {
		return false
	}
	for key, value := range s.Group {
		if text, there := textOf(key, g.attributes(), g.resourceAttrs()); !there || text != value {
			return false
		}
	}
	return true
}

// textOf is the text of an attribute in the first list that has it.
func textOf(key string, lists ...[]attr.Attr) (string, bool) {
	for _, list := range lists {
		for _, a := range list {
			if a.Key == key || alertschema.GroupKey(a.Key) == key {
				return a.Value.AsString(), true
			}
		}
	}
	return "", false
}

// sayAction makes the record of what a person did about an announced alert. Nothing holds it back.
func (e *Engine) sayAction(g *group, what *change) {
	a := g.alert
	a.persons().actions++
	c := e.belated(g)
	c.transition, c.comment, c.endedBy = what.transition, what.comment, what.endedBy
	c.reason, c.from, c.to, c.belated = alertschema.ReasonPerson, a.announced, a.announced, false
	g.rule.transitions[c.transition]++
	e.emit(&c)
}

// personAttributes are the attributes of a record that say what people have done about the alert.
func (e *Engine) personAttributes(c *change) []attr.Attr {
	var out []attr.Attr
	add := func(key, text string) { out = append(out, attr.String(key, text)) }
	g := c.group
	if len(e.personSilences) > 0 {
		if s := e.silencedByPerson(g); s != nil {
			add(alertschema.KeySilencedBy, s.By)
			add(alertschema.KeySilencedUntil, alertschema.TimeText(s.To.UnixNano()))
			add(alertschema.KeySilenceID, s.ID)
		}
	}
	if a := g.alert; a.acknowledged() {
		add(alertschema.KeyAcknowledgedBy, a.person.acknowledgedBy)
		add(alertschema.KeyAcknowledgedAt, alertschema.TimeText(a.person.acknowledgedAt))
	}
	if c.comment != "" {
		add(alertschema.KeyComment, c.comment)
	}
	return out
}

// actionBody is the text of a record of what a person did.
func (e *Engine) actionBody(c *change, message string) string {
	said := ""
	if c.comment != "" {
		said = " (" + c.comment + ")"
	}
	switch s := e.silencedByPerson(c.group); {
	case c.transition == alertschema.TransitionAcknowledge:
		return "acknowledged by " + c.group.alert.person.acknowledgedBy + said + ": " + message
	case s != nil:
		return "silenced by " + s.By + " until " + s.To.UTC().Format("2006-01-02 15:04 MST") + said + ": " + message
	case c.endedBy != "":
		return "no longer silenced, " + c.endedBy + " ended it: " + message
	default:
		return "no longer silenced: " + message
	}
}

// storedSilence is the stored form of a person's silence. Times are wall time.
type storedSilence struct {
	rule, alert, by, comment string
	group                    []attr.Label
	from, to                 int64
}

// silenceFields is how it is stored. The numbers are stored: append only.
var silenceFields = []attr.Field[storedSilence]{
	attr.TextField(1, func(s *storedSilence) *string { return &s.rule }),
	attr.TextField(2, func(s *storedSilence) *string { return &s.alert }),
	attr.ListField(3, func(s *storedSilence) *[]attr.Label { return &s.group }, (*attr.Encoder).Labels, (*attr.Decoder).Labels),
	attr.TextField(4, func(s *storedSilence) *string { return &s.by }),
	attr.TextField(5, func(s *storedSilence) *string { return &s.comment }),
	attr.IntField(6, func(s *storedSilence) *int64 { return &s.from }),
	attr.IntField(7, func(s *storedSilence) *int64 { return &s.to }),
}

func encodeSilence(s *alertaction.Silence) []byte {
	stored := storedSilence{rule: s.Rule, alert: s.Alert, by: s.By, comment: s.Comment, from: s.From.UnixNano(), to: s.To.UnixNano()}
	for _, key := range s.Keys() {
		stored.group = append(stored.group, attr.Label{Key: key, Text: s.Group[key]})
	}
	var enc attr.Encoder
	attr.WriteFields(&enc, &stored, silenceFields)
	return enc.Sealed()
}

// restoreSilence takes up a silence that was in force before a restart. One that has ended meanwhile ends at the next tick.
func (e *Engine) restoreSilence(id uint64, v []byte) error {
	d := attr.Unseal(v)
	var stored storedSilence
	attr.ReadFields(&d, &stored, silenceFields)
	if err := d.Finish(); err != nil {
		e.journal.markSilence(id) // The next snapshot deletes it.
		return fmt.Errorf("decoding %s: %w", silenceKey(id), err)
	}
	s := &alertaction.Silence{
		ID: alertschema.IDText(id), Rule: stored.rule, Alert: stored.alert, By: stored.by, Comment: stored.comment,
		From: time.Unix(0, stored.from), To: time.Unix(0, stored.to),
	}
	for _, l := range stored.group {
		if s.Group == nil {
			s.Group = map[string]string{}
		}
		s.Group[l.Key] = l.Text
	}
	e.personSilences[id] = s
	return nil
}

// snapshotSilences appends the changes of the silences that are marked.
func (e *Engine) snapshotSilences(ops []Op) []Op {
	for _, id := range slices.Sorted(maps.Keys(e.journal.silences)) {
		op := Op{Key: silenceKey(id)}
		if s := e.personSilences[id]; s != nil {
			op.Value = encodeSilence(s)
		}
		ops = append(ops, op)
	}
	clear(e.journal.silences)
	return ops
}

package notifyexporter

import (
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// acknowledged is the transition of a record that says who looks after an alert, and silenceStart of one that says that a person has silenced it.
var acknowledged, silenceStart = alertschema.TransitionAcknowledge.String(), alertschema.TransitionSilenceStart.String()

// silenceGrace is how long after the announced end of a silence its end is taken for granted: the record that says so may have been lost.
const silenceGrace = int64(time.Minute)

// silenced tells whether a person's silence covers the alert.
func (e *entry) silenced(now int64) bool {
	return e.Silenced != 0 && (e.SilencedUntil == 0 || now < e.SilencedUntil+silenceGrace)
}

// observeSilence notes whether a person's silence covers the alert, as every record says.
func (t *table) observeSilence(e *entry, r *record, now int64) {
	switch {
	case r.Silenced && r.Active:
		if e.Silenced == 0 {
			e.Silenced = now
		}
		e.SilencedUntil = r.SilencedUntil
	case e.Silenced != 0:
		t.endSilence(e, now)
	}
}

// endSilence lets the time until a repetition or an escalation go on where the silence stopped it.
func (t *table) endSilence(e *entry, now int64) {
	paused := max(0, now-e.Silenced)
	if e.SilencedUntil != 0 {
		paused = max(0, min(now, e.SilencedUntil)-e.Silenced)
	}
	e.Silenced, e.SilencedUntil = 0, 0
	for _, tl := range e.Channels {
		if tl.Told != nil && tl.Told.Episode == e.Episode {
			tl.Told.First += paused
			tl.Told.Last += paused
		}
	}
	t.touch(e.ID)
}

// dropNeedless drops what was still to be told and need not be any more: all but ends while the alert is silenced, and an escalation of an alert that
// somebody looks after.
func (t *table) dropNeedless(e *entry) {
	for name, tl := range e.Channels {
		switch {
		case e.Silenced != 0:
			tl.Pending = slices.DeleteFunc(tl.Pending, func(n notice) bool { return !n.Resolved })
			tl.Left = 0
		case e.Acknowledged != "" && tl.Why == whyEscalated:
			tl.Pending = slices.DeleteFunc(tl.Pending, func(n notice) bool { return !n.Resolved })
			tl.Left, tl.Why, tl.From = 0, "", ""
		}
		if len(tl.Pending) == 0 && tl.Told == nil {
			delete(e.Channels, name)
		}
	}
}

// onlyAcknowledges tells that all there is to tell is who looks after an alert that is known.
func (it *item) onlyAcknowledges() bool {
	return it.told != nil && !slices.ContainsFunc(it.notices, func(n notice) bool { return n.Transition != acknowledged })
}

// looksAfter says who looks after an alert, and what they said.
func looksAfter(n *notice) string {
	text := n.By + " looks after it"
	if n.Comment != "" {
		text += ": " + oneLine(n.Comment)
	}
	return text
}

package alertmanagerexporter

import (
	"maps"
	"slices"
	"time"
)

// table is what Alertmanager shall believe: for each alert of the engine at most one active alert of Alertmanager, and those that have
// just ended. It knows no I/O and no lock.
type table struct {
	entries map[string]*entry // By alert.id.
	limit   int

	firing    int      // How many entries are active.
	forgotten []string // IDs of entries that are gone since takeForgotten was called.
}

// entry is one alert of the engine.
type entry struct {
	Position position
	// Labels are those of the last episode, all but the severity. They stay as the episode's first record gave them, for another
	// label set is another alert to Alertmanager. Nil once there is nothing to say of the alert: only its position is remembered.
	Labels map[string]string `json:",omitempty"`
	// Active is what is firing, nil when nothing is. Ended is what was, and is said to have ended for a while.
	Active *firing  `json:",omitempty"`
	Ended  []firing `json:",omitempty"`

	heard   int64  // When the last record came, or the entry was restored.
	version uint64 // Counts the changes.
	posted  uint64 // The version that Alertmanager has accepted.
}

// firing is one alert of Alertmanager: one label set from start to end. Times are nanoseconds since the epoch.
type firing struct {
	Severity string
	// Labels are all but the severity. Nil for those of the entry: most alerts have no others, and there are many.
	Labels      map[string]string `json:",omitempty"`
	Annotations map[string]string
	Starts      int64
	Ends        int64 `json:",omitempty"` // Of an ended one.
	EndedAt     int64 `json:",omitempty"` // Wall time at which its end was recorded.
}

const (
	// maxAlerts bounds the table.
	maxAlerts = 50_000
	// resolvedRetention is for how long an end is sent again at least. A request that timed out may be carried out late, and would
	// otherwise have the last word.
	resolvedRetention = int64(15 * time.Minute)
	// positionRetention is for how long it is known how far the records of an alert have come. A late duplicate of a fire would
	// otherwise fire again, with nothing to end it. It is longer than alertorigin knows a record, which somebody may send again.
	positionRetention = int64(24 * time.Hour)
)

func newTable() *table { return &table{entries: map[string]*entry{}, limit: maxAlerts} }

// restore replaces the table by entries that were kept.
func (t *table) restore(entries map[string]*entry, now int64) {
	t.entries, t.firing = entries, 0
	for _, e := range entries {
		e.heard, e.version, e.posted = now, 1, 0
		if e.Active != nil {
			t.firing++
		}
	}
}

// applyResult is what a record did to the table.
type applyResult uint8

const (
	changed applyResult = iota
	duplicate
	full
)

// apply brings the table up to what a record says.
func (t *table) apply(r *record, now int64) applyResult {
	e := t.entries[r.AlertID]
	switch {
	case e == nil:
		if len(t.entries) >= t.limit && !t.makeRoom() {
			return full
		}
		e = &entry{Labels: r.labels}
		t.entries[r.AlertID] = e
		if r.MovedLevel {
			// The fire came before this exporter could remember. Alertmanager may still have it.
			e.Ended = []firing{{
				Severity: r.PreviousSeverity, Starts: r.position.Started, Ends: min(r.At, now), EndedAt: now,
			}}
		}
	case !r.position.after(e.Position, now):
		return duplicate
	case r.position.Episode != e.Position.Episode, e.Labels == nil:
		e.relabel(r.labels)
	}
	if e.Active != nil {
		t.firing--
	}
	if r.Active {
		e.fire(r, now)
		t.firing++
	} else {
		e.resolve(r, now)
	}
	e.Position, e.heard = r.position, now
	e.version++
	return changed
}

// relabel gives the entry the labels of a new episode. What fired under others keeps them.
func (e *entry) relabel(labels map[string]string) {
	if maps.Equal(labels, e.Labels) {
		return
	}
	pin := func(f *firing) {
		switch {
		case f.Labels == nil:
			f.Labels = e.Labels
		case maps.Equal(f.Labels, labels):
			f.Labels = nil
		}
	}
	if e.Active != nil {
		pin(e.Active)
	}
	for i := range e.Ended {
		pin(&e.Ended[i])
	}
	e.Labels = labels
}

// fire makes the record's severity the active one, and ends what was active with other labels.
func (e *entry) fire(r *record, now int64) {
	if e.Active != nil && e.Active.Labels == nil && e.Active.Severity == r.Severity {
		if r.position.Episode != e.Position.Episode {
			e.Active.Starts = r.position.Started
		}
		e.Active.Annotations = r.annotations
		return
	}
	starts := r.position.Started
	if r.MovedLevel || (e.Active != nil && r.position.Episode == e.Position.Episode) {
		starts = r.At // The episode is older than this severity.
	}
	if e.Active != nil {
		e.end(r.At, now)
	}
	next := firing{Severity: r.Severity, Annotations: r.annotations, Starts: starts}
	e.forgetEnded(&next)
	e.Active = &next
}

// resolve ends what is active. What is not known to be active is ended all the same: Alertmanager may know it from before.
func (e *entry) resolve(r *record, now int64) {
	if e.Active == nil {
		e.Active = &firing{Severity: r.Severity, Starts: r.position.Started}
	}
	e.Active.Annotations = r.annotations
	e.end(r.Ended, now)
}

// end moves the active alert to those that ended. An end in the future would be none.
func (e *entry) end(at, now int64) {
	a := *e.Active
	a.Ends, a.EndedAt = min(max(at, a.Starts), now), now
	e.Active = nil
	e.forgetEnded(&a)
	e.Ended = append(e.Ended, a)
}

// split takes the severity out of the labels, among which older versions stored it, and leaves out labels that are the entry's.
func (f *firing) split(entry map[string]string) {
	if severity, old := f.Labels[labelSeverity]; old {
		f.Severity = severity
		delete(f.Labels, labelSeverity)
	}
	if maps.Equal(f.Labels, entry) {
		f.Labels = nil
	}
}

// forgetEnded forgets the end of what has the same label set.
func (e *entry) forgetEnded(now *firing) {
	e.Ended = slices.DeleteFunc(e.Ended, func(f firing) bool {
		return f.Severity == now.Severity && (f.Labels == nil) == (now.Labels == nil) && maps.Equal(f.Labels, now.Labels)
	})
}

// labelsOf is the whole label set of one of the entry's firings.
func (e *entry) labelsOf(f *firing) map[string]string {
	labels := f.Labels
	if labels == nil {
		labels = e.Labels
	}
	out := make(map[string]string, len(labels)+1)
	maps.Copy(out, labels)
	out[labelSeverity] = f.Severity
	return out
}

// age forgets ends that were said for long enough, and ends alerts of which nothing was heard for longer than expireAfter, if that is
// set. It returns the alerts that changed and remain. An end is kept until Alertmanager, to which the alert was sent with an end so far ahead as
// lifetime, has forgotten the alert by itself: it may have heard of no end yet.
func (t *table) age(now, expireAfter, lifetime int64) []string {
	retention := max(resolvedRetention, lifetime)
	var touched []string
	for id, e := range t.entries {
		before := len(e.Ended)
		e.Ended = slices.DeleteFunc(e.Ended, func(f firing) bool { return now-f.EndedAt >= retention })
		expired := e.Active != nil && expireAfter > 0 && now-e.heard >= expireAfter
		if expired {
			e.Active.Annotations = maps.Collect(maps.All(e.Active.Annotations))
			e.Active.Annotations["state"] = "expired"
			e.end(now, now)
			e.version++
			t.firing--
		}
		if e.silent() {
			e.Labels = nil
		}
		if e.silent() && now-e.heard >= positionRetention {
			t.forget(id)
		} else if expired || len(e.Ended) != before {
			touched = append(touched, id)
		}
	}
	slices.Sort(touched)
	return touched
}

// makeRoom forgets the alerts about which there is nothing to say; false when there are none.
func (t *table) makeRoom() bool {
	for id, e := range t.entries {
		if e.silent() {
			t.forget(id)
		}
	}
	return len(t.entries) < t.limit
}

func (t *table) forget(id string) {
	delete(t.entries, id)
	t.forgotten = append(t.forgotten, id)
}

// takeForgotten returns the IDs of the entries that were forgotten since the last call. Some may be back.
func (t *table) takeForgotten() []string {
	ids := t.forgotten
	t.forgotten = nil
	return ids
}

// silent tells whether there is nothing to say about the alert.
func (e *entry) silent() bool { return e.Active == nil && len(e.Ended) == 0 }

package history

import "slices"

// maxKeptRows bounds the process table that is kept with an alert.
const maxKeptRows = 40

// Keep computes what moved at the fire of an alert, and keeps that and the process table of the moment for as long as the alert is known.
// It takes some milliseconds, in which others go on. False if the episode is not known.
func (s *Store) Keep(episode string) bool {
	e, ok := s.Episode(episode)
	if !ok {
		return false
	}
	changes, table := s.Changes(e.Started), s.Table(e.Started)
	rows := table.first(maxKeptRows)
	kept := make([]Row, 0, len(rows))
	for _, i := range rows {
		kept = append(kept, table.Rows[i])
	}
	table.Omitted += len(table.Rows) - len(kept)
	table.Rows = kept
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &s.alerts
	i := slices.IndexFunc(a.episodes, func(e *Episode) bool { return e.Episode == episode })
	if i < 0 || s.closed {
		return false
	}
	a.heap -= a.episodes[i].size()
	a.episodes[i].changes, a.episodes[i].table = &changes, &table
	a.heap += a.episodes[i].size()
	s.boundAlerts()
	return true
}

// Kept returns what moved at the fire of an alert; false if it was not kept.
func (s *Store) Kept(episode string) (Changes, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.alerts.episodes {
		if e.Episode == episode && e.changes != nil {
			return *e.changes, true
		}
	}
	return Changes{}, false
}

// keptTable returns the newest table up to a time that is kept with an alert, and is newer than what the tiers have.
func (s *Store) keptTable(at int64, found *Table) {
	for _, e := range s.alerts.episodes {
		if t := e.table; t != nil && t.Time <= at && t.Time > found.Time {
			*found = *t
			found.Rows, found.Groups = slices.Clone(t.Rows), slices.Clone(t.Groups)
		}
	}
}

// keptSize is about how many bytes is kept with an alert.
func (e *Episode) keptSize() int {
	n := 0
	if e.changes != nil {
		n += len(e.changes.Series)*40 + len(e.changes.Processes)*300
	}
	if e.table != nil {
		n += len(e.table.Rows)*300 + len(e.table.Groups)*150
	}
	return n
}

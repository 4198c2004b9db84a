package history

import (
	"cmp"
	"slices"
	"time"
)

// AlertRecord is a record of the alert component: a change of an alert. What is not known is empty, or NaN.
type AlertRecord struct {
	ID, Episode          string
	UID                  string // Equal for duplicates.
	Transition, State    string
	Severity             string
	SeverityNumber       int
	Reason, Rule         string
	Metric, Unit         string
	Value, Threshold     float64
	Comparison, Message  string
	Time, Started, Ended int64 // Ended is 0 while it goes on.
	Attributes, Resource []Attribute
	Labels, Annotations  []Attribute

	// SilencedBy is the person whose silence covers the alert, until SilencedUntil, and AcknowledgedBy the one who looks after it. They are empty, and 0,
	// where there is none.
	SilencedBy, AcknowledgedBy string
	SilencedUntil              int64
}

// Transition is one change of an alert.
type Transition struct {
	Time                        int64
	Transition, State, Severity string
	Value, Threshold            float64
	UID                         string // Equal for duplicates.
}

// Episode is an alert from its fire to its end.
type Episode struct {
	AlertRecord // The newest.
	Transitions []Transition
	// Dropped is how many transitions were left out, between the first and the others.
	Dropped int

	// What moved at the fire, and the process table then.
	changes *Changes
	table   *Table
}

// Notice is another record of the alert component.
type Notice struct {
	Time                    int64
	Kind, Severity, Message string
}

// Alerts is what is known of alerts.
type Alerts struct {
	// Firing are the episodes that go on, the most severe first.
	Firing []string
	// Episodes, the newest start first.
	Episodes []Episode
	Notices  []Notice
	Dropped  int64
}

const (
	maxEpisodes    = 1000
	maxTransitions = 50
	maxNotices     = 100
	maxMessage     = 2048
	episodeSize    = 500
	transitionSize = 150
	// forgetEpisodes is how long an alert that has ended is kept, and one that fires but of which nothing is heard.
	forgetEpisodes = 7 * 24 * time.Hour
)

// alerts is the episodes, in the order in which they came.
type alerts struct {
	episodes []*Episode
	notices  []Notice
	rules    []Rule
	heard    bool // Some record has come.
	dropped  int64
	heap     int
}

// Rule is what the alert component has said of a rule, for one of its severities.
type Rule struct {
	Name, Severity, Metric, Unit string
	Resource                     []Attribute
	Attributes                   map[string]any // Text and numbers.
}

const (
	maxRules = 500
	ruleSize = 1000
)

// Rule takes what the alert component says of a rule, in place of what it said before.
func (s *Store) Rule(r Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &s.alerts
	a.heard = true
	for _, text := range []*string{&r.Name, &r.Severity, &r.Metric, &r.Unit} {
		*text = cut(*text, maxValueText)
	}
	r.Resource = cleanList(r.Resource)
	i := slices.IndexFunc(a.rules, func(x Rule) bool { return x.Name == r.Name && x.Severity == r.Severity })
	switch {
	case i >= 0:
		a.rules[i] = r
	case len(a.rules) < maxRules:
		a.rules = append(a.rules, r)
		a.heap += ruleSize
	}
	s.generation++
}

func newAlerts() alerts { return alerts{} }

// Alert takes a record; false when it says nothing new.
func (s *Store) Alert(r AlertRecord) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Episode == "" || s.closed {
		return false
	}
	a := &s.alerts
	a.heard = true
	r.clean()
	i := slices.IndexFunc(a.episodes, func(e *Episode) bool { return e.Episode == r.Episode })
	if i < 0 {
		a.supersede(&r)
		a.episodes = append(a.episodes, &Episode{AlertRecord: r})
		i = len(a.episodes) - 1
	}
	e := a.episodes[i]
	if r.UID != "" && slices.ContainsFunc(e.Transitions, func(t Transition) bool { return t.UID == r.UID }) {
		return false
	}
	a.heap -= e.size()
	if r.Time >= e.Time {
		e.AlertRecord = r
	}
	e.Transitions = append(e.Transitions, Transition{
		Time: r.Time, Transition: r.Transition, State: r.State, Severity: r.Severity, Value: r.Value, Threshold: r.Threshold, UID: r.UID,
	})
	if len(e.Transitions) > maxTransitions {
		e.Transitions = slices.Delete(e.Transitions, 1, 2)
		e.Dropped++
	}
	a.heap += e.size()
	s.boundAlerts()
	return true
}

// supersede ends the episode before of an alert that begins another one: its end was never told.
func (a *alerts) supersede(r *AlertRecord) {
	for _, e := range a.episodes {
		if e.ID == r.ID && r.ID != "" && e.Ended == 0 && r.Ended == 0 && e.Started < r.Started {
			e.Ended = r.Started
		}
	}
}

// boundAlerts forgets episodes while they are too many, or take too much.
func (s *Store) boundAlerts() {
	a := &s.alerts
	for len(a.episodes) > maxEpisodes || int64(a.heap) > s.cfg.MaxMemory/8 && len(a.episodes) > 1 {
		a.forgetOne()
	}
}

// clean bounds the texts of a record.
func (r *AlertRecord) clean() {
	for _, text := range []*string{
		&r.ID, &r.Episode, &r.UID, &r.Transition, &r.State, &r.Severity, &r.Reason, &r.Rule, &r.Metric, &r.Unit, &r.Comparison,
	} {
		*text = cut(*text, maxValueText)
	}
	r.Message = cut(r.Message, maxMessage)
	for _, list := range []*[]Attribute{&r.Attributes, &r.Resource, &r.Labels, &r.Annotations} {
		*list = cleanList(*list)
	}
}

// cleanList bounds a list of attributes and their texts.
func cleanList(list []Attribute) []Attribute {
	list = list[:min(len(list), maxAttributes)]
	for i, a := range list {
		list[i] = Attribute{cut(a.Key, maxValueText), cut(a.Value, maxValueText)}
	}
	return list
}

func (e *Episode) size() int {
	n := episodeSize + len(e.Message) + transitionSize*len(e.Transitions) + e.keptSize()
	for _, list := range [][]Attribute{e.Attributes, e.Resource, e.Labels, e.Annotations} {
		for _, a := range list {
			n += len(a.Key) + len(a.Value) + 32
		}
	}
	return n
}

// forgetOne drops the oldest episode that has ended, or else the oldest.
func (a *alerts) forgetOne() {
	i := max(0, slices.IndexFunc(a.episodes, func(e *Episode) bool { return e.Ended != 0 }))
	a.heap -= a.episodes[i].size()
	a.episodes = slices.Delete(a.episodes, i, i+1)
	a.dropped++
}

func (a *alerts) expire(now int64) {
	a.episodes = slices.DeleteFunc(a.episodes, func(e *Episode) bool {
		if e.Time >= now-forgetEpisodes.Microseconds() {
			return false
		}
		a.heap -= e.size()
		return true
	})
}

// Notice takes another record of the alert component.
func (s *Store) Notice(n Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &s.alerts
	a.heard = true
	n.Kind, n.Severity, n.Message = cut(n.Kind, maxValueText), cut(n.Severity, maxValueText), cut(n.Message, maxMessage)
	if a.notices = append(a.notices, n); len(a.notices) > maxNotices {
		a.notices = slices.Delete(a.notices, 0, 1)
	}
}

// Alerts returns the episodes that overlap [from, to), and all that go on.
func (s *Store) Alerts(from, to int64) Alerts {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &s.alerts
	out := Alerts{Dropped: a.dropped}
	var firing []*Episode
	for _, e := range a.episodes {
		if e.Ended == 0 {
			firing = append(firing, e)
		} else if e.Started >= to || e.Ended < from {
			continue
		}
		out.Episodes = append(out.Episodes, e.clone())
	}
	slices.SortStableFunc(out.Episodes, func(x, y Episode) int { return cmp.Compare(y.Started, x.Started) })
	slices.SortStableFunc(firing, func(x, y *Episode) int {
		return cmp.Or(cmp.Compare(y.SeverityNumber, x.SeverityNumber), cmp.Compare(x.Started, y.Started))
	})
	for _, e := range firing {
		out.Firing = append(out.Firing, e.Episode)
	}
	for _, n := range a.notices {
		if n.Time >= from && n.Time < to {
			out.Notices = append(out.Notices, n)
		}
	}
	return out
}

// Episode returns one episode; false if it is not known.
func (s *Store) Episode(id string) (Episode, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.alerts.episodes {
		if e.Episode == id {
			return e.clone(), true
		}
	}
	return Episode{}, false
}

func (e *Episode) clone() Episode {
	out := *e
	out.Transitions = slices.Clone(e.Transitions)
	return out
}

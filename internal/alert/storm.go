package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
)

// storm is the budget of records per minute, and the account of what it held back. Times are running time.
type storm struct {
	limit   int
	used    int
	opened  int64 // Start of the running minute.
	next    int64 // Earliest time of the next summary.
	held    map[ruleSeverity]int
	worst   storedLevel // The most severe level held back.
	samples []stormSample
	shares  shares // Of this minute.
	// loggedAt is when it was last logged, 0 for never, and logged the severity number of the worst of which that was.
	loggedAt int64
	logged   int
}

// stormSample is an example of what was held back.
type stormSample struct {
	text     string
	severity int
}

type ruleSeverity struct{ rule, severity string }

const (
	stormMinute      = 60 * second
	maxStormSamples  = 5
	maxSummaryCounts = 50
)

func newStorm(limit int) storm {
	return storm{limit: limit, opened: ladder.Unset, next: ladder.Unset, held: map[ruleSeverity]int{}, shares: newShares()}
}

// allowRecord takes one record from the minute's budget, if there is one left for the sender of the group. Up to half of it is kept for senders that
// have been known for longer and have had none.
func (e *Engine) allowRecord(g *group) bool {
	s := &e.storm
	if s.opened == ladder.Unset || e.running-s.opened >= stormMinute {
		s.opened, s.used, s.shares = e.running, 0, newShares()
	}
	from := e.oldestSender(g)
	if !e.leaves(from, s.limit-s.used, s.limit/2, &s.shares) {
		return false
	}
	s.used++
	s.shares.have[idOf(from)]++
	s.shares.refusedFrom = ladder.Forever
	return true
}

// count accounts for a change that was held back.
func (s *storm) count(c *change) {
	r := c.group.rule
	name := r.LevelName(max(c.from, c.to))
	s.held[ruleSeverity{r.Name, name}]++
	l := r.stored(max(c.from, c.to))
	if l.number > s.worst.number {
		s.worst = l
	}
	if n := len(s.samples); n < maxStormSamples || l.number > s.samples[n-1].severity { // The most severe ones, those that came first of equals.
		at, _ := slices.BinarySearchFunc(s.samples, l.number, func(x stormSample, severity int) int { return cmp.Or(cmp.Compare(severity, x.severity), -1) })
		s.samples = slices.Insert(s.samples, at, stormSample{c.group.title(), l.number})
		s.samples = s.samples[:min(len(s.samples), maxStormSamples)]
	}
}

// summarize queues one alert.suppressed record for what was held back since the last one, once a minute at most.
func (s *storm) summarize(e *Engine) {
	if len(s.held) == 0 || e.running < s.next {
		return
	}
	total := 0
	var counts []event.SuppressedCount
	for k, n := range s.held {
		total += n
		counts = append(counts, event.SuppressedCount{Rule: k.rule, Severity: k.severity, Count: n})
	}
	slices.SortFunc(counts, func(a, b event.SuppressedCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Severity, b.Severity))
	})
	counts = counts[:min(len(counts), maxSummaryCounts)]
	parts := make([]string, 0, len(counts))
	for _, c := range counts[:min(len(counts), maxStormSamples)] {
		parts = append(parts, fmt.Sprintf("%d of %s (%s)", c.Count, c.Rule, c.Severity))
	}
	examples := make([]string, len(s.samples))
	for i := range s.samples {
		examples[i] = s.samples[i].text
	}
	if s.worst.number > s.logged {
		s.logged, s.loggedAt = s.worst.number, 0
	}
	e.suppressed(event.Event{
		SeverityNumber: s.worst.number, SeverityText: s.worst.name,
		Body: fmt.Sprintf("%d alert records held back, more than %d a minute: %s; among them %s",
			total, s.limit, strings.Join(parts, ", "), strings.Join(examples, ", ")),
		UID: fmt.Sprintf("storm-%x", e.now), Counts: counts,
	}, &s.loggedAt)
	s.next = e.running + stormMinute
	clear(s.held)
	s.samples, s.worst = nil, storedLevel{}
}

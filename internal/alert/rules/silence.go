package rules

import (
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
)

// silence is a compiled silence. Bounds are nanoseconds since the epoch.
type silence struct {
	match    silenceMatch
	from, to int64
	cron     *cronSchedule
	duration int64
	schedule *Schedule // Hours in which alone it is in force, nil for all.
}

// maxSilence bounds a recurring silence, and with it the minutes that active looks back over.
const maxSilence = 7 * 24 * time.Hour

// compileSilence compiles a silence for alerts of a set of rules, nil while not all rules are known.
func compileSilence(sc SilenceConfig, set []*Rule, report func(string, ...any)) (silence, bool) {
	s := silence{from: ladder.Unset, to: ladder.Forever, duration: int64(sc.Duration)}
	ok := true
	fail := func(format string, args ...any) {
		ok = false
		report(format, args...)
	}
	s.match = compileSilenceMatch(sc, set, fail)
	if sc.Active != nil {
		s.schedule = compileSchedule("active", sc.Active, fail)
		if sc.Cron != "" {
			fail("active and cron exclude each other")
		}
	}
	if sc.Cron != "" {
		if sc.From != nil || sc.To != nil {
			fail("cron and from or to exclude each other")
		}
		if sc.Duration <= 0 || sc.Duration > maxSilence {
			fail("duration must be > 0 and at most %s", FormatDuration(maxSilence))
		}
		var err error
		if s.cron, err = parseCron(sc.Cron); err != nil {
			fail("%w", err)
		}
		return s, ok
	}
	if sc.Duration != 0 {
		fail("duration is ignored without cron: leave it out, or say when it begins each time")
	}
	if sc.From == nil && sc.To == nil && sc.Active == nil {
		fail("set from and to, or cron and duration, or active")
		return s, ok
	}
	var err error
	if sc.From != nil {
		if s.from, err = parseInstant(sc.From); err != nil {
			fail("from: %w", err)
		}
	}
	if sc.To != nil {
		if s.to, err = parseInstant(sc.To); err != nil {
			fail("to: %w", err)
		}
	}
	switch {
	case ok && s.to < s.from:
		fail("to is before from")
	case ok && s.to == s.from:
		fail("to is the same as from: the silence has no length")
	}
	return s, ok
}

// PastSilences says of which silences the end has passed at a wall time in nanoseconds since the epoch, in words for the operator.
func (r *Set) PastSilences(now int64) []string {
	var out []string
	for i := range r.Silences {
		if s := &r.Silences[i]; s.cron == nil && s.to <= now {
			out = append(out, fmt.Sprintf("silences[%d]: it ended at %s and does nothing any more: remove it", i, time.Unix(0, s.to).UTC().Format(time.RFC3339)))
		}
	}
	return out
}

// parseInstant reads RFC 3339 text, or takes a timestamp that the YAML reader already understood.
func parseInstant(v any) (int64, error) {
	switch x := v.(type) {
	case time.Time:
		return x.UnixNano(), nil
	case string:
		t, err := time.Parse(time.RFC3339, x)
		if err != nil {
			return 0, fmt.Errorf("expected RFC 3339, got %q", x)
		}
		return t.UnixNano(), nil
	default:
		return 0, fmt.Errorf("expected RFC 3339, got %v", v)
	}
}

// active tells whether the silence is in force at now.
func (s *silence) active(now int64) bool {
	if s.cron == nil {
		return now >= s.from && now < s.to && (s.schedule == nil || s.schedule.Holds(now))
	}
	minute := now - mod(now, int64(time.Minute))
	for start := minute; start > now-s.duration; start -= int64(time.Minute) {
		if s.cron.matches(time.Unix(0, start).UTC()) {
			return true
		}
	}
	return false
}

func mod(a, b int64) int64 { return ((a % b) + b) % b }

// SilenceSet answers for the silences in force; which ones are is worked out once a minute at most for
// recurring ones.
type SilenceSet struct {
	all        []silence
	cronMinute int64
	cronActive []bool
}

// NewSilenceSet returns the set of compiled silences.
func NewSilenceSet(all []silence) SilenceSet {
	return SilenceSet{all: all, cronMinute: ladder.Unset, cronActive: make([]bool, len(all))}
}

// Empty tells whether there are no silences at all.
func (s *SilenceSet) Empty() bool { return len(s.all) == 0 }

// Silenced tells whether an alert of the rule, at the given severity, is silenced at now. attrs are the attributes of its group, of its resource,
// and those of the scope that its group key has.
func (s *SilenceSet) Silenced(now int64, rule, severity string, labels []attr.Label, attrs ...[]attr.Attr) bool {
	if len(s.all) == 0 {
		return false
	}
	if minute := now - mod(now, int64(time.Minute)); minute != s.cronMinute {
		s.cronMinute = minute
		for i := range s.all {
			s.cronActive[i] = s.all[i].cron != nil && s.all[i].active(now)
		}
	}
	for i := range s.all {
		on := s.cronActive[i]
		if s.all[i].cron == nil {
			on = s.all[i].active(now)
		}
		if on && s.all[i].match.holds(rule, severity, labels, attrs) {
			return true
		}
	}
	return false
}

package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cronSchedule is a five-field cron expression; each field is a set of bits.
type cronSchedule struct {
	minute, hour, day, month, weekday uint64
	// anyDay and anyWeekday tell that the field was "*": with both given, either is enough, as cron has it.
	anyDay, anyWeekday bool
}

// parseCron reads "minute hour day-of-month month day-of-week": numbers, *, lists, ranges and steps.
// Sunday is 0 or 7.
func parseCron(text string) (*cronSchedule, error) {
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return nil, fmt.Errorf("cron %q: expected 5 fields, got %d", text, len(fields))
	}
	var c cronSchedule
	for i, f := range []struct {
		set      *uint64
		from, to int
	}{{&c.minute, 0, 59}, {&c.hour, 0, 23}, {&c.day, 1, 31}, {&c.month, 1, 12}, {&c.weekday, 0, 7}} {
		set, err := parseCronField(fields[i], f.from, f.to)
		if err != nil {
			return nil, fmt.Errorf("cron %q: %w", text, err)
		}
		*f.set = set
	}
	if c.weekday&(1<<7) != 0 {
		c.weekday |= 1
	}
	c.anyDay, c.anyWeekday = strings.HasPrefix(fields[2], "*"), strings.HasPrefix(fields[4], "*")
	if !c.everComes() {
		return nil, fmt.Errorf("cron %q: there is no such day", text)
	}
	return &c, nil
}

// everComes tells whether a day of the month is in one of the months: the 31st of February is in none.
func (c *cronSchedule) everComes() bool {
	if !c.anyWeekday {
		return true // A day of the week comes in every month, unless the day of the month is asked for as well.
	}
	for month, days := range [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31} {
		if c.month&(1<<(month+1)) != 0 && c.day&(1<<(days+1)-1)&^1 != 0 {
			return true
		}
	}
	return false
}

func parseCronField(field string, from, to int) (uint64, error) {
	var set uint64
	for part := range strings.SplitSeq(field, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			var err error
			if step, err = cronNumber(stepText); err != nil || step < 1 || step > to {
				return 0, fmt.Errorf("bad step in %q: a step is from 1 to %d", part, to)
			}
		}
		low, high := from, to
		if span != "*" {
			a, b, ranged := strings.Cut(span, "-")
			var err error
			if low, err = cronNumber(a); err != nil {
				return 0, fmt.Errorf("bad number in %q", part)
			}
			switch {
			case ranged:
				if high, err = cronNumber(b); err != nil {
					return 0, fmt.Errorf("bad number in %q", part)
				}
			case !stepped:
				high = low
			}
		}
		if low < from || high > to || low > high {
			return 0, fmt.Errorf("%q is outside %d-%d", part, from, to)
		}
		for n := low; n <= high; n += step {
			set |= 1 << n
		}
	}
	return set, nil
}

// cronNumber reads a number of a field, of digits alone. None is longer than a byte.
func cronNumber(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 8)
	return int(n), err
}

// matches tells whether the schedule fires in t's minute.
func (c *cronSchedule) matches(t time.Time) bool {
	if c.minute&(1<<t.Minute()) == 0 || c.hour&(1<<t.Hour()) == 0 || c.month&(1<<int(t.Month())) == 0 {
		return false
	}
	day, weekday := c.day&(1<<t.Day()) != 0, c.weekday&(1<<int(t.Weekday())) != 0
	if c.anyDay || c.anyWeekday {
		return day && weekday
	}
	return day || weekday
}

// Package schedule is hours of the day on days of the week in a time zone: when an alert rule is evaluated, a silence holds, or a channel of
// notifications is used. It imports the standard library only.
package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // Containers without a file system of their own, and Windows, have no database of time zones. It is 0.8 % of the distribution; one of the system comes first.
)

// Config is hours of the day on days of the week. At least one of Days and Hours is set; the other then means all.
type Config struct {
	// Days are days of the week and ranges of them: mon, mon-fri, sat-sun. A text, or a list of texts.
	Days any `mapstructure:"days"`
	// Hours are ranges of local time such as 08:00-18:00, the end not included. One whose end is before its start, 22:00-06:00, goes on after
	// midnight and belongs to the day that it begins on. A text, or a list of texts.
	Hours any `mapstructure:"hours"`
	// TimeZone is a name of the IANA database such as Europe/Berlin, or Local for the system's. Absent: UTC.
	TimeZone string `mapstructure:"time_zone"`
}

// Schedule is a compiled Config.
type Schedule struct {
	days     [7]bool // By time.Weekday.
	hours    []hourRange
	location *time.Location
	text     string
}

// hourRange is a range of minutes of the local day. One that ends before it starts goes on after midnight.
type hourRange struct{ from, to int }

const minutesOfDay = 24 * 60

var weekdays = [7]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// Compile compiles a block; key is where it stands. What is wrong with it is reported, as a format and its arguments.
func Compile(key string, c *Config, report func(string, ...any)) *Schedule {
	s := &Schedule{location: time.UTC}
	bad := 0
	of := func(name string, v any) []string {
		texts, err := listOfTexts(v)
		if err != nil {
			bad++
			report("%s.%s: %w", key, name, err)
		}
		return texts
	}
	days, hours := of("days", c.Days), of("hours", c.Hours)
	if len(days) == 0 && len(hours) == 0 && bad == 0 {
		report("%s: set days or hours", key)
	}
	for _, text := range days {
		if err := s.addDays(text); err != nil {
			report("%s.days: %w", key, err)
		}
	}
	if len(days) == 0 {
		s.days = [7]bool{true, true, true, true, true, true, true}
	}
	for _, text := range hours {
		h, err := parseHours(text)
		if err != nil {
			report("%s.hours: %w", key, err)
			continue
		}
		s.hours = append(s.hours, h)
	}
	if len(hours) == 0 {
		s.hours = []hourRange{{0, minutesOfDay}}
	}
	if c.TimeZone != "" {
		location, err := time.LoadLocation(c.TimeZone)
		if err != nil {
			report("%s.time_zone: unknown time zone %q: write a name of the IANA database, as in Europe/Berlin, or UTC or Local", key, c.TimeZone)
			return s
		}
		s.location = location
	}
	s.text = strings.Join(append(days, hours...), ", ") + " " + s.location.String()
	return s
}

// listOfTexts reads a text, or a list of texts.
func listOfTexts(v any) ([]string, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{x}, nil
	case []string:
		return x, nil
	case []any:
		out := make([]string, len(x))
		for i, item := range x {
			text, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("expected text, got %v: write it in quotes", item)
			}
			out[i] = text
		}
		return out, nil
	default:
		return nil, fmt.Errorf("expected text or a list of texts, got %v: write it in quotes", v)
	}
}

// addDays adds a day or a range of days, which may go over the end of the week.
func (s *Schedule) addDays(text string) error {
	first, last, ranged := strings.Cut(text, "-")
	from, err := parseWeekday(first)
	if err != nil {
		return err
	}
	to := from
	if ranged {
		if to, err = parseWeekday(last); err != nil {
			return err
		}
	}
	for day := from; ; day = (day + 1) % 7 {
		s.days[day] = true
		if day == to {
			return nil
		}
	}
}

func parseWeekday(text string) (int, error) {
	name := strings.ToLower(strings.TrimSpace(text))
	day := slices.IndexFunc(weekdays[:], func(full string) bool { return name == full || name == full[:3] })
	if day < 0 {
		return 0, fmt.Errorf("unknown day %q (known: mon, tue, wed, thu, fri, sat, sun, and ranges such as mon-fri)", text)
	}
	return day, nil
}

func parseHours(text string) (hourRange, error) {
	first, last, ranged := strings.Cut(text, "-")
	from, errFrom := parseClock(first)
	to, errTo := parseClock(last)
	switch {
	case !ranged || errFrom != nil || errTo != nil || from == minutesOfDay:
		return hourRange{}, fmt.Errorf("%q: expected a range of times of day, as in 08:00-18:00", text)
	case from == to:
		return hourRange{}, fmt.Errorf("%q is empty: the whole day is 00:00-24:00", text)
	}
	if to == 0 {
		to = minutesOfDay
	}
	return hourRange{from, to}, nil
}

// parseClock reads a time of day as minutes; 24:00 is the end of the day.
func parseClock(text string) (int, error) {
	h, m, ok := strings.Cut(strings.TrimSpace(text), ":")
	hour, errHour := strconv.ParseUint(h, 10, 8)
	minute, errMinute := strconv.ParseUint(m, 10, 8)
	at := int(hour)*60 + int(minute)
	if !ok || errHour != nil || errMinute != nil || len(m) != 2 || len(h) > 2 || minute > 59 || at > minutesOfDay {
		return 0, fmt.Errorf("%q is no time of day", text)
	}
	return at, nil
}

// Holds tells whether wall time now, in nanoseconds since the epoch, is within the hours. What counts is what a clock on the wall there shows: an
// hour that daylight saving repeats is within twice, and of one that it leaves out there is nothing.
func (s *Schedule) Holds(now int64) bool {
	local := time.Unix(0, now).In(s.location)
	minute, today := local.Hour()*60+local.Minute(), int(local.Weekday())
	yesterday := (today + 6) % 7
	for _, h := range s.hours {
		switch {
		case h.from < h.to:
			if s.days[today] && minute >= h.from && minute < h.to {
				return true
			}
		case s.days[today] && minute >= h.from, s.days[yesterday] && minute < h.to:
			return true
		}
	}
	return false
}

// String returns the schedule as it is written, in one line.
func (s *Schedule) String() string { return s.text }

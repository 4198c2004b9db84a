package rules

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func scheduleOf(t *testing.T, c ActiveConfig) *Schedule {
	t.Helper()
	var errs []string
	s := compileSchedule("active", &c, func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...).Error()) })
	require.Empty(t, errs)
	return s
}

// wallHolds compares what the clock on the wall shows, as text, with the ranges as they are written.
func wallHolds(local time.Time, days map[string]bool, hours []string) bool {
	clock, today := local.Format("15:04"), strings.ToLower(local.Format("Mon"))
	year, month, day := local.Date()
	before := strings.ToLower(time.Date(year, month, day-1, 12, 0, 0, 0, time.UTC).Format("Mon"))
	for _, h := range hours {
		from, to, _ := strings.Cut(h, "-")
		if from < to {
			if days[today] && clock >= from && clock < to {
				return true
			}
			continue
		}
		if days[today] && clock >= from || days[before] && clock < to {
			return true
		}
	}
	return false
}

var dayNames = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// A schedule holds in a minute of a year when the clock on the wall says so, whatever the zone, with days of 23, 25 and, on Lord Howe, 23.5 hours.
func TestAScheduleGoesByTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	zones := []string{"Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "Africa/Casablanca", "", "Pacific/Apia"}
	for i := range len(zones) {
		zone := zones[i%len(zones)]
		c := ActiveConfig{TimeZone: zone}
		days := map[string]bool{}
		var written []any
		for range 1 + rng.IntN(3) {
			from, n := rng.IntN(7), rng.IntN(7)
			text := dayNames[from]
			if n > 0 {
				text += "-" + dayNames[(from+n)%7]
			}
			written = append(written, text)
			for k := range n + 1 {
				days[dayNames[(from+k)%7]] = true
			}
		}
		var hours []string
		var hoursWritten []any
		for range 1 + rng.IntN(2) {
			from := rng.IntN(24*60 - 1)
			to := rng.IntN(24 * 60)
			if rng.IntN(2) == 0 {
				from = rng.IntN(4 * 60) // Where the clocks change.
			}
			if from == to {
				to++
			}
			text := fmt.Sprintf("%02d:%02d-%02d:%02d", from/60, from%60, to/60, to%60)
			if to == 0 {
				text = fmt.Sprintf("%02d:%02d-24:00", from/60, from%60)
			}
			hours, hoursWritten = append(hours, text), append(hoursWritten, text)
		}
		c.Days, c.Hours = written, hoursWritten
		s := scheduleOf(t, c)
		location, err := time.LoadLocation(zone)
		require.NoError(t, err)
		for at := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC); at.Year() < 2027; at = at.Add(time.Minute) {
			if expected := wallHolds(at.In(location), days, hours); s.Holds(at.UnixNano()) != expected {
				t.Fatalf("%s %v %v at %s: expected %t", zone, written, hours, at.In(location), expected)
			}
		}
	}
}

// The lengths of days that the clocks change on, by hand: in Berlin 2026-03-29 has no 02:30, and 2026-10-25 has it twice.
func TestAScheduleOnDaysWhoseClocksChange(t *testing.T) {
	t.Parallel()
	minutes := func(c ActiveConfig, day string) (n int) {
		s := scheduleOf(t, c)
		from, err := time.Parse(time.RFC3339, day)
		require.NoError(t, err)
		for at := from; at.Before(from.Add(30 * time.Hour)); at = at.Add(time.Minute) {
			if s.Holds(at.UnixNano()) {
				n++
			}
		}
		return n
	}
	night := ActiveConfig{Days: "sun", Hours: "01:00-04:00", TimeZone: "Europe/Berlin"}
	assert.Equal(t, 2*60, minutes(night, "2026-03-29T00:00:00+01:00"))
	assert.Equal(t, 4*60, minutes(night, "2026-10-25T00:00:00+02:00"))
	over := ActiveConfig{Days: "sat", Hours: "22:00-06:00", TimeZone: "Europe/Berlin"} // Begins on Saturday, goes on into Sunday.
	assert.Equal(t, 7*60, minutes(over, "2026-03-28T20:00:00+01:00"))
	assert.Equal(t, 9*60, minutes(over, "2026-10-24T20:00:00+02:00"))
	assert.Equal(t, 2*3*60, minutes(ActiveConfig{Hours: "02:30-05:30"}, "2026-03-29T00:00:00Z"))
}

func TestActiveHoursThatAreRefused(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]ActiveConfig{
		"active: set days or hours": {TimeZone: "UTC"},
		`active.days: unknown day "mo" (known: mon, tue, wed, thu, fri, sat, sun, and ranges such as mon-fri)`: {Days: []any{"mo-fri"}},
		`active.days: expected text, got 1: write it in quotes`:                                                {Days: []any{1}},
		`active.hours: "8-18": expected a range of times of day, as in 08:00-18:00`:                            {Hours: "8-18"},
		`active.hours: "08:00": expected a range of times of day, as in 08:00-18:00`:                           {Hours: "08:00"},
		`active.hours: "08:00-25:00": expected a range of times of day, as in 08:00-18:00`:                     {Hours: "08:00-25:00"},
		`active.hours: "24:00-08:00": expected a range of times of day, as in 08:00-18:00`:                     {Hours: "24:00-08:00"},
		`active.hours: "08:00-08:00" is empty: the whole day is 00:00-24:00`:                                   {Hours: []any{"08:00-08:00"}},
		`active.hours: expected text or a list of texts, got 29040: write it in quotes`:                        {Hours: 29040},
		`active.time_zone: unknown time zone "Europe/Berln": write a name of the IANA database, as in Europe/Berlin, or UTC or Local`: {
			Days: "mon", TimeZone: "Europe/Berln",
		},
	} {
		cfg := DefaultConfig()
		cfg.Rules = twoLevels(func(rc *RuleConfig) { rc.Active = &c })
		cfg.Rules[0].Name = "r"
		_, err := Compile(cfg)
		require.Error(t, err, text)
		assert.Equal(t, `rules[0] "r": `+text, err.Error())

		cfg.Rules, cfg.Silences = nil, []SilenceConfig{{All: true, Active: &c}}
		_, err = Compile(cfg)
		require.Error(t, err, text)
		assert.Equal(t, `silences[0]: `+text, err.Error())
	}
}

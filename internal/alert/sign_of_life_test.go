package alert

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// TestSomebodyWhoSendsIsNotSilent has a host go on sending points that no rule can use: none of the rules that silence
// decides may say that it is silent, until it really is.
func TestSomebodyWhoSendsIsNotSilent(t *testing.T) {
	t.Parallel()
	for name, useless := range map[string]func(s float64) point{
		"too old":             func(s float64) point { return point{s: s - 7200, v: 90} },
		"too new":             func(s float64) point { return point{s: s + 7200, v: 90} },
		"a little too old":    func(s float64) point { return point{s: s - 301, v: 90} },
		"behind by a minute":  func(s float64) point { return point{s: s - 250, v: 90} },
		"a clock that stands": func(float64) point { return point{s: 29, v: 90} },
		"a clock of 1970":     func(s float64) point { return point{s: s - 56*365*86400, v: 90} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, timeRules(1), func(c *rules.Config) { c.EvaluationInterval = time.Second })
			for s := 0.0; s < 30; s++ {
				r.step(s, 90)
			}
			r.words()
			for s := 30.0; s < 200; s++ {
				r.observe(s, useless(s))
				r.engine.Evaluate(at(s + 0.5))
				require.Empty(t, r.words(), "at %v", s)
			}
			for s := 200.0; s < 230; s++ {
				r.engine.Evaluate(at(s))
			}
			said := strings.Join(r.words(), ",")
			for _, word := range []string{"absent fire", "absent late fire", "keep no_data", "close resolve", "alert no_data", "resolve resolve"} {
				assert.Contains(t, said, word, "now it is silent")
			}
		})
	}
}

// TestFirstSignOfLife: a host whose clock was wrong from the start is there, and is missed when it is gone.
func TestFirstSignOfLife(t *testing.T) {
	t.Parallel()
	for _, expect := range []bool{false, true} {
		r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 10 * time.Second, Expect: expect}}}, nil)
		for s := 0.0; s < 900; s++ {
			r.observe(s, point{s: s + 7200, v: 1})
			r.engine.Evaluate(at(s))
			require.Empty(t, r.transitions(), "expect %v at %v", expect, s)
		}
		notices := r.engine.TakeNotices()
		require.Len(t, notices, 1, "neither more nor that nothing matches")
		for s := 900.0; s < 915; s++ {
			r.engine.Evaluate(at(s))
		}
		assert.Equal(t, []string{"fire:critical"}, r.transitions())
		r.observe(920, point{s: 920 + 7200, v: 1})
		assert.Equal(t, []string{"resolve"}, r.transitions(), "it sends again")
	}
}

// TestRestoredAlertOfAHostWithAWrongClock: nothing of what it sends can be used since the restart, but it does send.
func TestRestoredAlertOfAHostWithAWrongClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	r.step(0, 90)
	r.step(15, 90)
	r.drain()
	r.restartFrom(store{}, 20, 30)
	for s := 30.0; s < 4000; s += 15 {
		r.observe(s, point{s: s + 7200, v: 90})
		r.engine.Evaluate(at(s))
		require.Empty(t, r.transitions(), "at %v", s)
	}
	for s := 4000.0; s < 4330; s += 15 {
		r.engine.Evaluate(at(s))
	}
	assert.Equal(t, []string{"no_data:warning"}, r.transitions())
}

func TestValuesThatAreNoNumbersAreASignOfLife(t *testing.T) {
	t.Parallel()
	r := newRig(t, []rules.RuleConfig{{Name: "gone", Metric: "m", Severity: "critical", Absent: &rules.AbsentConfig{For: 10 * time.Second}}}, nil)
	r.step(0, 1)
	for s := 1.0; s < 60; s++ {
		r.step(s, math.NaN())
		require.Empty(t, r.transitions())
	}
	r.observe(60, point{s: 60, noValue: true})
	r.engine.Evaluate(at(70))
	assert.Equal(t, []string{"fire:critical"}, r.transitions(), "a marker says that it has ended")
}

// TestWrongClockIsSaidOnce names a host and its skew, in one line an hour however many hosts there are.
func TestWrongClockIsSaidOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	send := func(now, ahead float64, hosts int) {
		for h := range hosts {
			r.origin.Reset()
			r.origin.Resource = []attr.Attr{attr.String("host.name", fmt.Sprintf("db%d", h))}
			r.observe(now, point{s: now + ahead, v: 90})
		}
		r.engine.Evaluate(at(now))
	}
	for s := 0.0; s < 1200; s += 15 {
		send(s, -7200, 1)
	}
	notices := r.engine.TakeNotices()
	require.Len(t, notices, 1)
	assert.Contains(t, notices[0], "host db0 sends points that are 2h behind this Collector's clock, more than limits::max_sample_age, 5m: ")
	send(1200, 7200, 500)
	send(1215, 7200, 500)
	assert.Empty(t, r.engine.TakeNotices(), "within an hour of the first")
	send(3600, 7200, 500)
	notices = r.engine.TakeNotices()
	require.Len(t, notices, 1)
	assert.Contains(t, notices[0], "host db1 sends points that are 2h ahead of this Collector's clock: ")
	assert.Contains(t, notices[0], "; points of 498 more are out of time, such as those of db2, db3, db4, db5")
	for s := 3615.0; s < 7300; s += 15 {
		send(s, 0, 1)
	}
	assert.Empty(t, r.engine.TakeNotices())
	send(7300, 7200, 1)
	assert.Len(t, r.engine.TakeNotices(), 1, "it had been right for an hour, and is wrong again")
}

package harness

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

var (
	severityRank   = map[string]int{"": 0, "info": 1, "warning": 2, "critical": 3}
	severityNumber = map[string]plog.SeverityNumber{"info": 9, "warning": 13, "critical": 18}
)

// EpisodesOf splits the records of one alert into episodes, and checks what holds of any: it begins with a fire, goes up and down one
// ladder, one record a transition, each of which continues where the one before has ended, and nothing but a resolve ends it.
func EpisodesOf(t *testing.T, records []AlertRecord) (episodes [][]AlertRecord) {
	t.Helper()
	level, uids, begun := "", map[string]bool{}, map[string]bool{}
	for i := range records {
		r := &records[i]
		what := fmt.Sprintf("record %d, %s %s %s: %s", i, r.Rule(), r.Transition(), r.Severity(), r.Body)
		assert.Equal(t, "alert.state_change", r.Event, what)
		assert.Equal(t, records[0].id(), r.id(), what)
		assert.False(t, uids[r.UID()], "%s: a uid twice", what)
		uids[r.UID()] = true
		if r.Transition() == "fire" {
			assert.Empty(t, level, "%s: it fires already", what)
			assert.Equal(t, "inactive", r.Attributes["alert.state.previous"], what)
			assert.False(t, begun[r.episode()], "%s: an episode twice", what)
			begun[r.episode()] = true
			episodes = append(episodes, nil)
		} else {
			assert.NotEmpty(t, level, "%s: it does not fire", what)
			assert.Equal(t, level, r.previous(), what)
		}
		require.NotEmpty(t, episodes, what)
		last := len(episodes) - 1
		if n := len(episodes[last]); n > 0 {
			assert.Equal(t, episodes[last][0].episode(), r.episode(), what)
			assert.False(t, r.at.Before(episodes[last][n-1].at), "%s: before its predecessor", what)
		}
		episodes[last] = append(episodes[last], *r)

		number, state := severityNumber[r.Severity()], "firing"
		switch r.Transition() {
		case "fire":
		case "escalate":
			assert.Greater(t, severityRank[r.Severity()], severityRank[level], what)
		case "deescalate":
			assert.Less(t, severityRank[r.Severity()], severityRank[level], what)
		case "resolve":
			assert.Equal(t, level, r.Severity(), what)
			number, state = severityNumber["info"], "resolved"
		default:
			assert.Fail(t, "no such transition is expected", what)
		}
		assert.Equal(t, number, r.number, what)
		assert.Equal(t, state, r.Attributes["alert.state"], what)
		if level = r.Severity(); state == "resolved" {
			level = ""
		}
	}
	return episodes
}

// OneEpisode checks that the records are one episode, from fire to resolve.
func OneEpisode(t *testing.T, records []AlertRecord) {
	t.Helper()
	episodes := EpisodesOf(t, records)
	if assert.Len(t, episodes, 1) {
		assert.Equal(t, "resolve", records[len(records)-1].Transition())
	}
}

// TransitionsOf gives the transitions with their severities, such as "fire warning", and checks the records as EpisodesOf does.
func TransitionsOf(t *testing.T, records []AlertRecord) (transitions []string) {
	t.Helper()
	EpisodesOf(t, records)
	for i := range records {
		transitions = append(transitions, records[i].Transition()+" "+records[i].Severity())
	}
	return transitions
}

package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// alertRecord is a log record of the alert component.
type alertRecord struct {
	event, body          string
	at                   time.Time
	number               plog.SeverityNumber
	attributes, resource map[string]string
}

func (r *alertRecord) rule() string       { return r.attributes["alert.rule.name"] }
func (r *alertRecord) transition() string { return r.attributes["alert.transition"] }
func (r *alertRecord) severity() string   { return r.attributes["alert.severity"] }
func (r *alertRecord) previous() string   { return r.attributes["alert.severity.previous"] }
func (r *alertRecord) reason() string     { return r.attributes["alert.reason"] }
func (r *alertRecord) id() string         { return r.attributes["alert.id"] }
func (r *alertRecord) episode() string    { return r.attributes["alert.episode.id"] }
func (r *alertRecord) uid() string        { return r.attributes["log.record.uid"] }

// alertFile is where a file exporter writes alerts.
type alertFile string

// read gives the records that are complete. A line that a kill has cut off is none; what follows it may stand in the same line.
func (f alertFile) read(t *testing.T) (records []alertRecord) {
	t.Helper()
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	const begin = `{"resourceLogs"`
	for _, batch := range strings.Split(string(text), begin)[1:] {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(begin + batch))
		if err != nil {
			continue
		}
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					records = append(records, alertRecord{
						event: lr.EventName(), body: lr.Body().AsString(), at: lr.Timestamp().AsTime(), number: lr.SeverityNumber(),
						attributes: textsOf(lr.Attributes()), resource: textsOf(rl.Resource().Attributes()),
					})
				}
			}
		}
	}
	return records
}

func textsOf(attributes pcommon.Map) map[string]string {
	texts := make(map[string]string, attributes.Len())
	for k, v := range attributes.All() {
		texts[k] = v.AsString()
	}
	return texts
}

// of gives the records of one rule.
func (f alertFile) of(t *testing.T, rule string) (records []alertRecord) {
	t.Helper()
	for _, r := range f.read(t) {
		if r.rule() == rule {
			records = append(records, r)
		}
	}
	return records
}

// await waits for the nth record of a rule with a transition.
func (f alertFile) await(t *testing.T, rule, transition string, nth int) (found alertRecord) {
	t.Helper()
	f.until(t, fmt.Sprintf("%s %d of rule %s", transition, nth, rule), func() bool {
		seen := 0
		for _, r := range f.of(t, rule) {
			if r.transition() == transition {
				if seen++; seen == nth {
					found = r
					return true
				}
			}
		}
		return false
	})
	return found
}

// until waits for a condition on the records.
func (f alertFile) until(t *testing.T, what string, met func() bool, meanwhile ...func()) {
	t.Helper()
	eventually(t, what, func() error {
		for _, do := range meanwhile {
			do()
		}
		if met() {
			return nil
		}
		var seen []string
		for _, r := range f.read(t) {
			seen = append(seen, r.rule()+" "+r.transition()+" "+r.severity())
		}
		return fmt.Errorf("so far there is %q", seen)
	})
}

// byAlert parts records by the alert that they are of.
func byAlert(records []alertRecord) map[string][]alertRecord {
	alerts := make(map[string][]alertRecord)
	for _, r := range records {
		alerts[r.id()] = append(alerts[r.id()], r)
	}
	return alerts
}

var (
	severityRank   = map[string]int{"": 0, "info": 1, "warning": 2, "critical": 3}
	severityNumber = map[string]plog.SeverityNumber{"info": 9, "warning": 13, "critical": 18}
)

// episodesOf parts the records of one alert into episodes, and checks what holds of any: it begins with a fire, goes up and down one
// ladder, one record a transition, each of which continues where the one before has ended, and nothing but a resolve ends it.
func episodesOf(t *testing.T, records []alertRecord) (episodes [][]alertRecord) {
	t.Helper()
	level, uids, begun := "", map[string]bool{}, map[string]bool{}
	for i := range records {
		r := &records[i]
		what := fmt.Sprintf("record %d, %s %s %s: %s", i, r.rule(), r.transition(), r.severity(), r.body)
		assert.Equal(t, "alert.state_change", r.event, what)
		assert.Equal(t, records[0].id(), r.id(), what)
		assert.False(t, uids[r.uid()], "%s: a uid twice", what)
		uids[r.uid()] = true
		if r.transition() == "fire" {
			assert.Empty(t, level, "%s: it fires already", what)
			assert.Equal(t, "inactive", r.attributes["alert.state.previous"], what)
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

		number, state := severityNumber[r.severity()], "firing"
		switch r.transition() {
		case "fire":
		case "escalate":
			assert.Greater(t, severityRank[r.severity()], severityRank[level], what)
		case "deescalate":
			assert.Less(t, severityRank[r.severity()], severityRank[level], what)
		case "resolve":
			assert.Equal(t, level, r.severity(), what)
			number, state = severityNumber["info"], "resolved"
		default:
			assert.Fail(t, "no such transition is expected", what)
		}
		assert.Equal(t, number, r.number, what)
		assert.Equal(t, state, r.attributes["alert.state"], what)
		if level = r.severity(); state == "resolved" {
			level = ""
		}
	}
	return episodes
}

// oneEpisode checks that the records are one episode, from fire to resolve.
func oneEpisode(t *testing.T, records []alertRecord) {
	t.Helper()
	episodes := episodesOf(t, records)
	if assert.Len(t, episodes, 1) {
		assert.Equal(t, "resolve", records[len(records)-1].transition())
	}
}

// transitionsOf gives the transitions with their severities, and checks the records as episodesOf does.
func transitionsOf(t *testing.T, records []alertRecord) (transitions []string) {
	t.Helper()
	episodesOf(t, records)
	for i := range records {
		transitions = append(transitions, records[i].transition()+" "+records[i].severity())
	}
	return transitions
}

// namedProgram copies a program of this host under a name that no other process has, not even one of the same test.
func namedProgram(t *testing.T, program, name string) (path string) {
	t.Helper()
	from, err := exec.LookPath(program)
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), fmt.Sprintf("%s-%d", name, os.Getpid()))
	copyProgram(t, from, path)
	return path
}

// run starts a program of namedProgram, with an input that never comes, and ends it when the test ends.
func run(t *testing.T, path, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Args[0] = program // Some programs are many, told apart by this.
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	startFor(t, cmd)
	return cmd
}

// startFor starts a command, and ends it when the test ends.
func startFor(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { end(cmd) })
}

// end kills a process, and waits until it is gone.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// burn is a shell script that keeps a CPU busy, for a minute of its time at most.
const burn = "ulimit -t 60; while :; do :; done"

// killCollector ends a collector at once, as a crash does.
func killCollector(c *collector) {
	_ = c.cmd.Process.Kill()
	<-c.exited //nolint:errcheck // That it was killed is no news.
}

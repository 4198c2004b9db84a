package alertpipe

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/plog"
)

// crashChildEnv tells the test binary that it is the child: "directory first-step seed".
const crashChildEnv = "ALERTPIPE_CRASH_CHILD"

const (
	crashSeries = 4
	crashSteps  = 400
	crashStep   = 15 * time.Second
	crashKills  = 200
)

// script returns the values of the series. Each stays for at least four samples where it is, and is calm in the end.
func script(seed uint64) [crashSteps][crashSeries]float64 {
	rng := rand.New(rand.NewPCG(seed, 7))
	var out [crashSteps][crashSeries]float64
	for s := range crashSeries {
		for step := 0; step < crashSteps; {
			value := []float64{10, 90, 99}[rng.IntN(3)]
			for range 4 + rng.IntN(6) {
				if step < crashSteps {
					out[step][s] = value
					step++
				}
			}
		}
		for step := crashSteps - 5; step < crashSteps; step++ {
			out[step][s] = 10
		}
	}
	return out
}

// crashLife feeds the script from a step on, with the clock of the script, and tells step and delivery by line.
func crashLife(t *testing.T, dir string, first int, seed uint64, host *testHost, say func(string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		advance(time.Duration(first) * crashStep)
		r := newRig(t, withStorage, 1)
		r.id = component.MustNewID("alert")
		r.create()
		r.host = host
		if dir != "" {
			host.storage = openFileStorage(t, dir)
			defer func() { _ = host.storage.Shutdown(context.Background()) }()
		}
		r.out[0].set(func(_ context.Context, ld plog.Logs) error {
			for _, rl := range ld.ResourceLogs().All() {
				for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
					rec := readRecord(lr)
					id, _ := lr.Attributes().Get("alert.id")
					say(fmt.Sprintf("record %s %s %s %d", id.Str(), rec.UID, rec.Transition, rec.Time.Unix()))
				}
			}
			return nil
		})
		r.start()
		for step, values := range script(seed) {
			if step < first {
				continue
			}
			for s, v := range values {
				r.inputs[0].Consume(gauge(v, strconv.Itoa(s)))
			}
			synctest.Wait()
			say(fmt.Sprintf("step %d", step))
			advance(crashStep)
		}
		r.shutdown()
		say("end")
	})
}

func openFileStorage(t *testing.T, dir string) component.Component {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	ext, err := factory.Create(context.Background(), extension.Settings{
		ID: storageID, TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}, cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(context.Background(), &testHost{}))
	return ext
}

// TestCrashChild is what the crash test kills.
func TestCrashChild(t *testing.T) {
	args := strings.Fields(os.Getenv(crashChildEnv))
	if len(args) == 0 {
		t.Skip("only the crash test runs this") //nolint:forbidigo // It is no test.
	}
	first, err := strconv.Atoi(args[1])
	require.NoError(t, err)
	seed, err := strconv.ParseUint(args[2], 10, 64)
	require.NoError(t, err)
	crashLife(t, args[0], first, seed, &testHost{}, func(line string) {
		_, _ = os.Stdout.WriteString("# " + line + "\n")
	})
}

// delivery is one record that a child delivered.
type delivery struct {
	alert, uid, transition string
	at                     int64
}

// TestKill kills a process at 200 random moments, and starts it again each time on what it left in file_storage, with the step that
// was under way. No fire is lost, nothing is resolved that did not fire, and what arrives twice has one uid.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a few hundred processes") //nolint:forbidigo // -short asks for it.
	}
	rng := rand.New(rand.NewPCG(42, 42))
	for kills, round := 0, uint64(0); kills < crashKills; round++ {
		dir := t.TempDir()
		var got []delivery
		for first, ended := 0, false; !ended; {
			// The more kills are left, the more of them go into this round.
			var kill *int
			if kills < crashKills {
				n := 1 + rng.IntN(60)
				kill = &n
			}
			lines := runChild(t, dir, first, round, kill, time.Duration(rng.IntN(3000))*time.Microsecond)
			for _, line := range lines {
				first, ended = readLine(t, line, &got, first)
			}
			if !ended {
				kills++
			}
		}
		checkDeliveries(t, round, got)
	}
}

// readLine takes what a child said: the next step to start with, whether the script has ended, and what was delivered.
func readLine(t *testing.T, line string, got *[]delivery, first int) (int, bool) {
	t.Helper()
	words := strings.Fields(line)
	switch words[0] {
	case "step":
		step, err := strconv.Atoi(words[1])
		require.NoError(t, err)
		return step + 1, false
	case "record":
		at, err := strconv.ParseInt(words[4], 10, 64)
		require.NoError(t, err)
		*got = append(*got, delivery{words[1], words[2], words[3], at})
		return first, false
	default:
		return first, true
	}
}

// runChild runs a child and returns its complete lines. With kill it dies a moment after it has said so many of them.
func runChild(t *testing.T, dir string, first int, seed uint64, kill *int, moment time.Duration) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", crashChildEnv, dir, first, seed))
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var lines, rest []string
	in := bufio.NewReader(stdout)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			break // A line that was cut off was not said.
		}
		if said, ok := strings.CutPrefix(line, "# "); ok {
			lines = append(lines, said)
		} else {
			rest = append(rest, line)
		}
		if kill != nil && len(lines) == *kill {
			kill = nil
			time.AfterFunc(moment, func() { _ = cmd.Process.Kill() })
		}
	}
	if cmd.Wait() != nil && !slices.Contains(lines, "end\n") && cmd.ProcessState.Exited() {
		require.Fail(t, "the child failed by itself", "%s", rest)
	}
	return lines
}

func checkDeliveries(t *testing.T, seed uint64, got []delivery) {
	t.Helper()
	// Drop what arrived twice, as a receiver would.
	byUID := map[string]delivery{}
	var once []delivery
	for _, d := range got {
		if earlier, twice := byUID[d.uid]; twice {
			assert.Equal(t, earlier, d, "one uid, one record")
			continue
		}
		byUID[d.uid] = d
		once = append(once, d)
	}
	firing := map[string]string{} // Episode by alert.
	count := 0
	for _, d := range once {
		episode := d.uid[:16]
		switch d.transition {
		case "fire":
			assert.Empty(t, firing[d.alert], "it fires already")
			firing[d.alert] = episode
			count++
		case "resolve":
			assert.Equal(t, firing[d.alert], episode, "resolved without a fire")
			delete(firing, d.alert)
		default:
			assert.Equal(t, firing[d.alert], episode, "%s without a fire", d.transition)
		}
	}
	assert.Empty(t, firing, "everything is resolved in the end")

	// What a process that nobody kills says of the same series.
	var want []delivery
	crashLife(t, "", 0, seed, &testHost{storage: &memoryStorage{}}, func(line string) { readLine(t, line, &want, 0) })
	fires := 0
	for _, d := range want {
		if d.transition != "fire" {
			continue
		}
		fires++
		// A fire that was not stored yet is decided again from the next sample.
		assert.True(t, slices.ContainsFunc(once, func(o delivery) bool {
			return o.alert == d.alert && o.transition == "fire" && o.at >= d.at && o.at <= d.at+int64(3*crashStep/time.Second)
		}), "the fire of %s at %d is lost", d.alert, d.at)
	}
	assert.Equal(t, fires, count)
	assert.Positive(t, fires)
}

package process

import (
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

func readerOf(t *testing.T, h proctest.Host) *read.Reader {
	t.Helper()
	r := read.New(h.Root)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

// sleepingHost has a process in uninterruptible sleep. What may not be read of it until it is awake is not there to be read.
func sleepingHost(t *testing.T) (r *read.Reader, wake func()) {
	t.Helper()
	h := proctest.NewHost(t)
	h.Process(7, "stuck", 1, map[string]string{"cgroup": "0::/a.service\n"})
	h.Write("proc/7/stat", proctest.StatOf(7, "stuck", 'D', 1, 1))
	return readerOf(t, h), func() {
		h.Process(7, "stuck", 1, map[string]string{"cmdline": "stuck\x00-v\x00", "smaps_rollup": proctest.SmapsText})
	}
}

func TestTrackerAsksAgainForWhatItCouldNotWaitFor(t *testing.T) {
	r, wake := sleepingHost(t)
	tracker := newTracker(t, r, Options{Attributes: read.AttributeExecutable | read.AttributeCommand, Details: read.FieldProportional})
	p := scrape(t, tracker, 0).Shown[0]
	assert.Equal(t, "stuck", p.Identity().Executable)
	assert.Empty(t, p.Identity().Command)
	wake()
	p = scrape(t, tracker, 1).Shown[0]
	assert.Equal(t, "stuck", p.Identity().Command)
	assert.NotZero(t, p.Have&read.FieldProportional)
}

func TestFilterDecidesOnASleepingProcessWhenItsCommandLineIsKnown(t *testing.T) {
	for name, filter := range map[string]Filter{
		"one that is included": {Include: Match{CommandLines: []string{"stuck -v"}}},
		"one that is not":      {Include: Match{CommandLines: []string{"other"}}},
		"one that is excluded": {Exclude: Match{CommandLines: []string{"stuck -v"}}},
	} {
		r, wake := sleepingHost(t)
		tracker := newTracker(t, r, Options{Filter: filter})
		for n := range 2 {
			assert.Equal(t, 1, scrape(t, tracker, n).Excluded.Members, name)
		}
		wake()
		s := scrape(t, tracker, 2)
		if name == "one that is included" {
			assert.Len(t, s.Shown, 1, name)
		} else {
			assert.Equal(t, 1, s.Excluded.Members, name)
		}
	}
}

// TestIdentityStaysWhileItCannotBeReadAgain: a process is looked at twice, for it may exec in between. The second look waits until it can see all.
func TestIdentityStaysWhileItCannotBeReadAgain(t *testing.T) {
	h := proctest.NewHost(t)
	h.Process(1, "init", 0, map[string]string{"cmdline": "init\x00"})
	tracker := newTracker(t, readerOf(t, h), Options{
		Attributes: read.AttributeCommand, Filter: Filter{Include: Match{CommandLines: []string{"dump -v"}}},
	})
	assert.Empty(t, scrape(t, tracker, 0).Shown)
	h.Process(7, "dump", 1, map[string]string{"cmdline": "dump\x00-v\x00"})
	for n, state := range []byte{'S', 'D', 'D', 'S', 'S'} {
		h.Write("proc/7/stat", proctest.StatOf(7, "dump", state, 1, 1))
		shown := scrape(t, tracker, n+1).Shown
		require.Len(t, shown, 1, "scrape %d, state %c", n+1, state)
		assert.Equal(t, "dump", shown[0].Identity().Command, "scrape %d, state %c", n+1, state)
	}
}

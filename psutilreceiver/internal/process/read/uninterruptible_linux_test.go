package read

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// sleepingHost has a process in uninterruptible sleep, of which no file may be opened that waits for its memory map until it is awake.
func sleepingHost(t *testing.T) (r *Reader, wake func()) {
	t.Helper()
	h := proctest.NewHost(t)
	h.Process(7, "stuck", 1, map[string]string{"cmdline": "stuck\x00-v\x00", "smaps_rollup": proctest.SmapsText, "cgroup": "0::/a.service\n"})
	h.Write("proc/7/stat", proctest.StatOf(7, "stuck", 'D', 1, 1))
	r = readerOf(t, h)
	r.dir.intercept = func(_ int32, f File) unix.Errno {
		if f == FileCmdline || f == FileSmapsRollup {
			t.Errorf("%s is read of a process in uninterruptible sleep", f)
		}
		return 0
	}
	return r, func() {
		r.dir.intercept = nil
		h.Write("proc/7/stat", proctest.StatOf(7, "stuck", 'S', 1, 1))
	}
}

func TestReaderDoesNotWaitForAProcessInUninterruptibleSleep(t *testing.T) {
	const others = AttributeExecutable | AttributeOwner | AttributeCgroup
	const all = others | AttributeCommand | AttributeCommandLine
	r, wake := sleepingHost(t)
	s := scan(t, r, FieldProportional)[7]
	assert.Zero(t, s.Have&FieldProportional)
	var id Identity
	require.True(t, r.Identify(&s, all, &id))
	assert.Equal(t, others, id.Have, "the rest is read")
	assert.Equal(t, "a.service", id.Unit)

	wake()
	s = scan(t, r, FieldProportional)[7]
	assert.NotZero(t, s.Have&FieldProportional)
	require.True(t, r.Identify(&s, all, &id))
	assert.Equal(t, all, id.Have)
	assert.Equal(t, "stuck -v", id.CommandLine)
}

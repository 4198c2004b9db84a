package read

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const limitsText = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            1024                 1048576              files     
Max nice priority         0                    0                    
`

func TestParseLimits(t *testing.T) {
	limits, err := parseLimits([]byte(limitsText))
	require.NoError(t, err)
	assert.EqualValues(t, 1024, limits[LimitDescriptors])
	assert.EqualValues(t, 0, limits[LimitNice])
	assert.Equal(t, uint64(Unlimited), uint64(limits[LimitCPU]))
	for _, text := range []string{"", "garbage", "Max open files", "Max open files 10", "Max open files -1 2 files\n", "Max open filesx 1 2\n"} {
		_, err := parseLimits([]byte(text))
		assert.Error(t, err, text)
	}
}

func FuzzParseLimits(f *testing.F) {
	f.Add([]byte(limitsText))
	f.Fuzz(func(t *testing.T, text []byte) {
		if limits, err := parseLimits(text); err == nil {
			for _, v := range limits {
				assert.GreaterOrEqual(t, v, int64(0))
			}
		}
	})
}

// TestLimitsOfThisProcess compares what is read with what the system call says, and holds that it is remembered, and forgotten in time.
func TestLimitsOfThisProcess(t *testing.T) {
	var own Key
	reader := New("")
	require.NoError(t, reader.Scan(func(s *Sample) {
		if int(s.PID) == os.Getpid() {
			own = s.Key
		}
	}))
	require.NoError(t, reader.Close())
	var want unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &want))

	r := NewLimitReader("")
	now := time.Unix(1000, 0)
	r.Begin(now)
	limits, ok := r.Of(own)
	require.True(t, ok)
	assert.EqualValues(t, want.Cur, limits[LimitDescriptors])
	_, ok = r.Of(Key{PID: own.PID, Start: own.Start + 1})
	assert.False(t, ok, "the pid belongs to another process")

	first := r.known[own].readAt
	r.Begin(now.Add(time.Minute))
	_, _ = r.Of(own)
	assert.Equal(t, first, r.known[own].readAt, "remembered")
	r.Begin(now.Add(limitsLifetime))
	assert.Len(t, r.known, 1, "what was not asked for is forgotten")
	_, _ = r.Of(own)
	assert.NotEqual(t, first, r.known[own].readAt, "read again")
	_, ok = (*LimitReader)(nil).Of(own)
	assert.False(t, ok)
}

package host

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoadOfHosts(t *testing.T) {
	for name, want := range map[string]Load{
		"server-6.x": {Avg1: 1.37, Avg5: 0.92, Avg15: 0.64, Tasks: 611},
		"kernel-4.4": {Avg1: 0.08, Avg5: 0.03, Avg15: 0.05, Tasks: 133},
		"container":  {Avg1: 2.10, Avg5: 1.80, Avg15: 1.75, Tasks: 402},
	} {
		got, err := fixtureHost(t, name).Load()
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
}

func TestParseLoadavgRefuses(t *testing.T) {
	for _, text := range []string{"", "\n", "a b c 1/x 4\n"} {
		got, err := hostWith(t, map[string]string{"proc/loadavg": text}).Load()
		require.ErrorIs(t, err, errMalformed, "%q", text)
		assert.False(t, IsOdd(err))
		assert.Equal(t, Load{}, got)
	}
	for text, want := range map[string]Load{
		"0.00 0.01": {0, Odd, Odd, Odd}, "0.00 0.01 0.05 1/ 9": {0, 0.01, 0.05, Odd}, "-0.1 0.01 0.05 1/9 4\n": {Odd, 0.01, 0.05, 9},
		" 0.01 0.05 1/9 4\n": {Odd, 0.01, 0.05, 9}, "a b c 1/9 4\n": {Odd, Odd, Odd, 9}, "0.00 18446744073709551615 0.05 1/9 4\n": {0, Odd, 0.05, 9},
	} {
		got, err := hostWith(t, map[string]string{"proc/loadavg": text}).Load()
		require.True(t, IsOdd(err), text)
		assert.Equal(t, want, got, text)
	}
}

func FuzzParseLoadavg(f *testing.F) {
	for _, seed := range []string{"", "1.37 0.92 0.64 2/611 48123\n", "1 2 3 4/5", "18446744073709551615.99 0 0 0/0", "0 0 0 /"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parseLoadavg(text)
		if err != nil {
			assert.True(t, IsOdd(err) || l == Load{})
			return
		}
		for _, v := range []float64{l.Avg1, l.Avg5, l.Avg15} {
			assert.GreaterOrEqual(t, v, 0.0)
			assert.False(t, math.IsInf(v, 0))
		}
		assert.GreaterOrEqual(t, l.Tasks, int64(0))
	})
}

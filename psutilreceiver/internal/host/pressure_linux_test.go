package host

import (
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestPressureOfServer(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	for resource, want := range map[Resource]Pressure{
		ResourceCPU: {
			Some: Stall{Reported: true, Avg10: 0.0152, Avg60: 0.011, Avg300: 0.0083, Total: 48120.331204},
			Full: Stall{Reported: true},
		},
		ResourceMemory: {
			Some: Stall{Reported: true, Avg10: 0.0012, Avg60: 0.0004, Avg300: 0.0001, Total: 120.334021},
			Full: Stall{Reported: true, Avg10: 0.001, Avg60: 0.0003, Total: 98.220114},
		},
		ResourceIO: {
			Some: Stall{Reported: true, Avg10: 0.124, Avg60: 0.0775, Avg300: 0.031, Total: 9120.334112},
			Full: Stall{Reported: true, Avg10: 0.1002, Avg60: 0.0631, Avg300: 0.0275, Total: 8011.220334},
		},
		ResourceIRQ: {Full: Stall{Reported: true, Avg10: 0.0031, Avg60: 0.0022, Avg300: 0.002, Total: 2204.11889}},
	} {
		got, err := h.Pressure(resource)
		require.NoError(t, err)
		assertStall(t, want.Some, got.Some, resource)
		assertStall(t, want.Full, got.Full, resource)
	}
}

func assertStall(t *testing.T, want, got Stall, r Resource) {
	t.Helper()
	assert.Equal(t, want.Reported, got.Reported, r)
	assert.InDelta(t, want.Avg10, got.Avg10, 1e-12, r)
	assert.InDelta(t, want.Avg60, got.Avg60, 1e-12, r)
	assert.InDelta(t, want.Avg300, got.Avg300, 1e-12, r)
	assert.InDelta(t, want.Total, got.Total, 1e-9, r)
}

// resources are all that Linux tracks.
var resources = [...]Resource{ResourceCPU, ResourceMemory, ResourceIO, ResourceIRQ}

func TestPressureIsQuietWithoutPSI(t *testing.T) {
	old, container := fixtureHost(t, "kernel-4.4"), fixtureHost(t, "container")
	for _, r := range resources {
		_, err := old.Pressure(r)
		require.ErrorIs(t, err, ErrUnsupported, r)
	}
	_, err := container.Pressure(ResourceIRQ)
	require.ErrorIs(t, err, ErrUnsupported, "the kernel knows the others")
	_, err = container.Pressure(ResourceIO)
	require.NoError(t, err)
	require.ErrorIs(t, optional(unix.EOPNOTSUPP), ErrUnsupported, "what reading answers after psi=0")
}

func TestParsePressure(t *testing.T) {
	const some = "some avg10=1.00 avg60=2.00 avg300=3.00 total=4000000\n"
	got, err := parsePressure("proc/pressure/cpu", []byte(some))
	require.NoError(t, err, "CPU before 5.13 has no full line")
	assert.Equal(t, Pressure{Some: Stall{Reported: true, Avg10: 0.01, Avg60: 0.02, Avg300: 0.03, Total: 4}}, got)

	for name, text := range map[string]string{
		"an empty file":         "",
		"no line that is known": "none avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
	} {
		got, err := parsePressure("proc/pressure/cpu", []byte(text))
		require.ErrorIs(t, err, errMalformed, name)
		assert.False(t, IsOdd(err))
		assert.Equal(t, Pressure{}, got, name)
	}
	for text, want := range map[string]Stall{
		"some avg10=1.00 avg60=2.0":                          {Avg10: 0.01, Avg60: 0.02, Avg300: Odd, Total: Odd}, // A line that is cut off.
		"some avg10= avg60=2.00 avg300=3.00 total=4000000\n": {Avg10: Odd, Avg60: 0.02, Avg300: 0.03, Total: 4},
		"some avg10=1.00 avg300=3.00 total=4000000\n":        {Avg10: 0.01, Avg60: Odd, Avg300: 0.03, Total: 4},
		"some avg10=1.00 avg60=2.00 avg300=3.00 total=-1\n":  {Avg10: 0.01, Avg60: 0.02, Avg300: 0.03, Total: Odd},
		"some avg10=1.00 avg60=2.00 avg300=300 total=1e9\n":  {Avg10: 0.01, Avg60: 0.02, Avg300: Odd, Total: Odd},
	} {
		got, err := parsePressure("proc/pressure/cpu", []byte(text))
		require.True(t, IsOdd(err), text)
		want.Reported = true
		assert.Equal(t, Pressure{Some: want}, got, text)
	}
}

func TestPressureAgreesWithProcfs(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	fs, err := procfs.NewFS(h.Path("proc"))
	require.NoError(t, err)
	for _, r := range []Resource{ResourceCPU, ResourceMemory, ResourceIO} {
		want, err := fs.PSIStatsForResource(r.String())
		require.NoError(t, err)
		got, err := h.Pressure(r)
		require.NoError(t, err)
		assertStall(t, stallOf(want.Some), got.Some, r)
		assertStall(t, stallOf(want.Full), got.Full, r)
	}
}

func stallOf(l *procfs.PSILine) Stall {
	return Stall{Reported: true, Avg10: l.Avg10 / 100, Avg60: l.Avg60 / 100, Avg300: l.Avg300 / 100, Total: float64(l.Total) / 1e6}
}

func FuzzParsePressure(f *testing.F) {
	for _, seed := range []string{
		"", "some", "some avg10=1.00 avg60=2.00 avg300=3.00 total=4\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
		"full avg10=999.00 avg60=0.00 avg300=0.00 total=18446744073709551615\n", "some avg10=1 avg10=1 avg10=1 avg10=1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePressure("proc/pressure/io", text)
		if isOdd := IsOdd(err); err != nil {
			assert.True(t, isOdd || p == Pressure{})
			return
		}
		assert.True(t, p.Some.Reported || p.Full.Reported)
		for _, s := range []Stall{p.Some, p.Full} {
			for _, ratio := range []float64{s.Avg10, s.Avg60, s.Avg300} {
				assert.GreaterOrEqual(t, ratio, 0.0)
				assert.LessOrEqual(t, ratio, 1.0)
			}
			assert.GreaterOrEqual(t, s.Total, 0.0)
		}
	})
}

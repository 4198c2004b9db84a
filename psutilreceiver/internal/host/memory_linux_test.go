package host

import (
	"strings"
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseMeminfo(t *testing.T) {
	for _, tc := range []struct {
		name   string
		text   string
		want   func(*Memory)
		states MemoryStates
	}{
		{
			name: "available as the kernel estimates it",
			text: "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nBuffers: 50 kB\nCached: 400 kB\n",
			want: func(m *Memory) {
				m.Total, m.Free, m.Available, m.Buffers, m.Cached = 1000*1024, 100*1024, 600*1024, 50*1024, 400*1024
			},
			states: MemoryStates{Used: 400 * 1024, Free: 100 * 1024, Buffers: 50 * 1024, Cached: 450 * 1024},
		},
		{
			name: "before 3.14 available is worked out",
			text: "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 400 kB\nShmem: 30 kB\nSReclaimable: 20 kB\n",
			want: func(m *Memory) {
				m.Total, m.Free, m.Available, m.Buffers, m.Cached = 1000*1024, 100*1024, 540*1024, 50*1024, 400*1024
				m.Shared, m.SlabReclaimable = 30*1024, 20*1024
			},
			states: MemoryStates{Used: 460 * 1024, Free: 100 * 1024, Buffers: 50 * 1024, Cached: 390 * 1024},
		},
		{
			name: "free memory beyond what is available is kept back by the kernel and counts as used",
			text: "MemTotal: 1000 kB\nMemFree: 300 kB\nMemAvailable: 250 kB\nBuffers: 50 kB\nCached: 10 kB\n",
			want: func(m *Memory) {
				m.Total, m.Free, m.Available, m.Buffers, m.Cached = 1000*1024, 300*1024, 250*1024, 50*1024, 10*1024
			},
			states: MemoryStates{Used: 750 * 1024, Free: 250 * 1024},
		},
		{
			name:   "available beyond the total, as under some container views",
			text:   "MemTotal: 1000 kB\nMemFree: 200 kB\nMemAvailable: 4000 kB\nBuffers: 0 kB\n",
			want:   func(m *Memory) { m.Total, m.Free, m.Available, m.Buffers = 1000*1024, 200*1024, 200*1024, 0 },
			states: MemoryStates{Used: 800 * 1024, Free: 200 * 1024},
		},
		{
			name: "huge pages are counted in pages, others in bytes",
			text: "MemTotal: 10240 kB\nMemFree: 0 kB\nMemAvailable: 8 kB\nBuffers: 0 kB\nHugePages_Total: 10\nHugePages_Free: 4\nHugePages_Rsvd: 2\nHugePages_Surp: 1\nHugepagesize: 2048 kB\n",
			want: func(m *Memory) {
				m.Total, m.Free, m.Available, m.Buffers = 10<<20, 0, 8*1024, 0
				m.HugePagesTotal, m.HugePagesFree, m.HugePagesReserved, m.HugePagesSurplus, m.HugePageSize = 10, 4, 2, 1, 2<<20
			},
			states: MemoryStates{Used: 2<<20 - 8*1024, Free: 8 << 20, Cached: 8 * 1024},
		},
		{
			name: "free huge pages are free, though not available",
			text: "MemTotal: 10240 kB\nMemFree: 1024 kB\nMemAvailable: 2048 kB\nBuffers: 0 kB\nHugePages_Total: 3\nHugePages_Free: 2\nHugepagesize: 2048 kB\n",
			want: func(m *Memory) {
				m.Total, m.Free, m.Available, m.Buffers = 10<<20, 1<<20, 2<<20, 0
				m.HugePagesTotal, m.HugePagesFree, m.HugePageSize = 3, 2, 2<<20
			},
			states: MemoryStates{Used: 4 << 20, Free: 5 << 20, Cached: 1 << 20},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := noMemory
			tc.want(&want)
			got, err := hostWith(t, map[string]string{"proc/meminfo": tc.text}).Memory()
			require.NoError(t, err)
			assert.Equal(t, want, got)
			assert.Equal(t, tc.states, got.States())
		})
	}
}

// TestMeminfoThatCantBe takes a text that is right, with one fault: only the states that need what is wrong are left out, and it is said.
func TestMeminfoThatCantBe(t *testing.T) {
	const right = "MemTotal: 10240 kB\nMemFree: 1024 kB\nMemAvailable: 2048 kB\nBuffers: 100 kB\nCached: 900 kB\n" +
		"HugePages_Total: 3\nHugePages_Free: 2\nHugepagesize: 2048 kB\n"
	const kB = 1024
	whole := MemoryStates{Used: 4096 * kB, Free: 5120 * kB, Buffers: 100 * kB, Cached: 924 * kB}
	got, err := parseMeminfo([]byte(right))
	require.NoError(t, err)
	require.Equal(t, whole, got.States())
	noHuge := MemoryStates{Used: Odd, Free: Odd, Buffers: whole.Buffers, Cached: whole.Cached}
	noFree := MemoryStates{Used: whole.Used, Free: Odd, Buffers: whole.Buffers, Cached: Odd}
	noBuffers := MemoryStates{Used: whole.Used, Free: whole.Free, Buffers: Odd, Cached: Odd}
	for _, tc := range []struct {
		was, is string
		want    MemoryStates
	}{
		{"HugePages_Free: 2", "HugePages_Free: 4", noHuge},
		{"HugePages_Free: 2", "HugePages_Free: 1000000000000", noHuge},
		{"HugePages_Free: 2", "HugePages_Free: 2 kB", noHuge},
		{"HugePages_Total: 3\nHugePages_Free: 2", "HugePages_Total: 5\nHugePages_Free: 5", noHuge},
		{"HugePages_Total: 3\nHugePages_Free: 2", "HugePages_Free: 1000", noHuge},
		{"HugePages_Free: 2\n", "", noHuge},
		{"Hugepagesize: 2048 kB", "Hugepagesize: 2048 MB", noHuge},
		{"Hugepagesize: 2048 kB\n", "", noHuge},
		{"MemFree: 1024 kB", "MemFree: 10241 kB", noFree},
		{"MemFree: 1024 kB", "MemFree: 1 MB", noFree},
		{"MemFree: 1024 kB", "MemFree: 1024", noFree},
		{"MemFree: 1024 kB\n", "", noFree},
		{"Buffers: 100 kB", "Buffers: 10241 kB", noBuffers},
		{"Buffers: 100 kB", "Buffers: 100 B", noBuffers},
		{"Buffers: 100 kB\n", "", noBuffers},
	} {
		got, err := parseMeminfo([]byte(strings.Replace(right, tc.was, tc.is, 1)))
		assert.True(t, IsOdd(err), "%q", tc.is)
		assert.Equal(t, tc.want, got.States(), "%q in place of %q", tc.is, tc.was)
	}
	got, err = parseMeminfo([]byte("MemTotal: 1000 kB\n"))
	assert.True(t, IsOdd(err))
	assert.Equal(t, MemoryStates{Used: Odd, Free: Odd, Buffers: Odd, Cached: Odd}, got.States(), "nothing but the total")
	got, err = parseMeminfo([]byte("MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\n"))
	assert.True(t, IsOdd(err))
	assert.Equal(t, int64(Odd), got.Available, "before 3.14 it needs the page cache")
}

func TestParseMeminfoRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"an empty file":          "",
		"no total":               "MemFree: 100 kB\n",
		"a total of nothing":     "MemTotal: 0 kB\n",
		"a line that is cut off": "MemTotal: 100 kB\nMemFree:",
		"a negative size":        "MemTotal: 100 kB\nMemFree: -4 kB\n",
		"an absurd size":         "MemTotal: 9223372036854775807 kB\n",
	} {
		_, err := hostWith(t, map[string]string{"proc/meminfo": text}).Memory()
		require.ErrorIs(t, err, errMalformed, name)
	}
}

// TestStatesSum combines values of all states: whatever the kernel reports, the parts are there and sum to the whole.
func TestStatesSum(t *testing.T) {
	values := []int64{-1, 0, 1, 499, 500, 501, 1000, 5000}
	for _, free := range values {
		for _, available := range values {
			for _, buffers := range values {
				m := Memory{Total: 1000, Free: free, Available: available, Buffers: buffers}
				checkStates(t, &m)
			}
		}
	}
}

// TestStatesOfOddValues: what is made of a value that can't be is left out, and nothing else.
func TestStatesOfOddValues(t *testing.T) {
	whole := Memory{Total: 1000, Free: 100, Available: 600, Buffers: 50, HugePagesFree: 2, HugePageSize: 10}
	assert.Equal(t, MemoryStates{Used: 380, Free: 120, Buffers: 50, Cached: 450}, whole.States())
	for _, tc := range []struct {
		odd  func(*Memory) *int64
		want MemoryStates
	}{
		{func(m *Memory) *int64 { return &m.Total }, MemoryStates{Used: Odd, Free: 120, Buffers: 50, Cached: 450}},
		{func(m *Memory) *int64 { return &m.Free }, MemoryStates{Used: 380, Free: Odd, Buffers: 50, Cached: Odd}},
		{func(m *Memory) *int64 { return &m.Available }, MemoryStates{Used: Odd, Free: 120, Buffers: 50, Cached: Odd}},
		{func(m *Memory) *int64 { return &m.Buffers }, MemoryStates{Used: 380, Free: 120, Buffers: Odd, Cached: Odd}},
		{func(m *Memory) *int64 { return &m.HugePagesFree }, MemoryStates{Used: Odd, Free: Odd, Buffers: 50, Cached: 450}},
	} {
		m := whole
		*tc.odd(&m) = Odd
		assert.Equal(t, tc.want, m.States())
	}
}

func checkStates(t *testing.T, m *Memory) {
	t.Helper()
	s := m.States()
	assert.Equal(t, m.Total, s.Used+s.Free+s.Buffers+s.Cached, "%+v", *m)
	for _, part := range []int64{s.Used, s.Free, s.Buffers, s.Cached} {
		assert.GreaterOrEqual(t, part, int64(0), "%+v", *m)
	}
	notAvailable := m.Total - min(max(m.Available, 0), m.Total)
	assert.Equal(t, notAvailable-min(m.freeHugePages(), notAvailable), s.Used, "used is what is not available, without free huge pages: %+v", *m)
}

func TestMeminfoAgreesWithProcfs(t *testing.T) {
	for _, name := range []string{"server-6.x", "kernel-4.4", "container"} {
		h := fixtureHost(t, name)
		fs, err := procfs.NewFS(h.Path("proc"))
		require.NoError(t, err)
		want, err := fs.Meminfo()
		require.NoError(t, err)
		m, err := h.Memory()
		require.NoError(t, err)
		checkStates(t, &m)
		for what, pair := range map[string]struct {
			want *uint64
			got  int64
		}{
			"MemTotal": {want.MemTotalBytes, m.Total}, "MemFree": {want.MemFreeBytes, m.Free},
			"MemAvailable": {want.MemAvailableBytes, m.Available}, "Buffers": {want.BuffersBytes, m.Buffers},
			"Cached": {want.CachedBytes, m.Cached}, "Shmem": {want.ShmemBytes, m.Shared},
			"Active": {want.ActiveBytes, m.Active}, "Inactive": {want.InactiveBytes, m.Inactive},
			"Dirty": {want.DirtyBytes, m.Dirty}, "Writeback": {want.WritebackBytes, m.Writeback},
			"Committed_AS": {want.CommittedASBytes, m.Committed}, "CommitLimit": {want.CommitLimitBytes, m.CommitLimit},
			"SReclaimable": {want.SReclaimableBytes, m.SlabReclaimable}, "SUnreclaim": {want.SUnreclaimBytes, m.SlabUnreclaimable},
			"HugePages_Total": {want.HugePagesTotal, m.HugePagesTotal}, "HugePages_Free": {want.HugePagesFree, m.HugePagesFree},
			"HugePages_Rsvd": {want.HugePagesRsvd, m.HugePagesReserved}, "HugePages_Surp": {want.HugePagesSurp, m.HugePagesSurplus},
			"Hugepagesize": {want.HugepagesizeBytes, m.HugePageSize},
		} {
			if assert.NotNil(t, pair.want, "%s of %s", what, name) {
				assert.Equal(t, int64(*pair.want), pair.got, "%s of %s", what, name)
			}
		}
	}
}

func FuzzParseMeminfo(f *testing.F) {
	for _, seed := range []string{
		"", "MemTotal:", "MemTotal: 16 kB", "MemTotal: 16 kB\nMemFree: 99 kB\nShmem: 77 kB\nMemAvail", "MemTotal: 4503599627370496 kB\nMemFree: 4503599627370496 kB\nCached: 4503599627370496 kB\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMeminfo(text)
		if err != nil {
			assert.True(t, IsOdd(err) || m == Memory{})
			return
		}
		assert.Positive(t, m.Total)
		assert.GreaterOrEqual(t, m.Available, int64(0))
		assert.LessOrEqual(t, m.Available, m.Total)
		checkStates(t, &m)
	})
}

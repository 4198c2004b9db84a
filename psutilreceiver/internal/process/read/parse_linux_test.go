package read

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// statText is a stat of 52 fields in which every statistic that is read has a different value.
const statText = "4194304 (a) b\\n(c\\\\) S 7 4194304 4194304 0 -1 4194560 11 12 13 14 15 16 17 18 20 -5 3 0 900 2048 25 18446744073709551615 1 1 1 1 1 0 0 0 0 0 0 0 17 1 0 0 42 0 0 1 1 1 1 1 1 1 0\n"

func TestParseStat(t *testing.T) {
	var s Sample
	require.True(t, parseStat([]byte(statText), 4096, &s))
	assert.Equal(t, Key{PID: 1 << 22, Start: 900}, s.Key)
	assert.Equal(t, "a) b\n(c\\", s.Comm())
	assert.Equal(t, byte('S'), s.State)
	assert.Equal(t, int32(7), s.PPID)
	assert.False(t, s.KernelThread)
	assert.Equal(t, int32(-5), s.Nice)
	assert.Equal(t, Totals{
		MinorFaults: 11, MajorFaults: 13, CPUUser: 150_000, CPUSystem: 160_000,
	}, s.Totals)
	assert.Equal(t, Children{User: 170_000, System: 180_000, Faults: 12}, s.Children)
	assert.Equal(t, Levels{Threads: 3, Virtual: 2048, Resident: 25 * 4096}, s.Levels)
	assert.Equal(t, statFields, s.Have)
}

func TestParseStatOfKernelThreadsAndOldKernels(t *testing.T) {
	var s Sample
	worker := "2 (kworker/u8:2-events_unbound) I 0 0 0 0 -1 69238880 0 0 0 0 0 3 0 0 20 0 1 0 9 0 0 18446744073709551615"
	require.True(t, parseStat([]byte(worker), 4096, &s))
	assert.True(t, s.KernelThread)
	assert.Equal(t, "kworker/u8:2", s.Comm(), "a worker by its own name, not by its work")
	assert.Equal(t, statFields, s.Have, "a stat that ends early")
}

// badStats are texts that are no stat. They are seeds of the fuzz test, too.
var badStats = []string{
	"", "\n", "1", "1 ", "()", "1 (a", "1 (a)", "1 (a) ", "1 a) S 1", ") (", "1 (a) S 1 1 1",
	"0" + statText[7:], "-1" + statText[7:], "4294967296" + statText[7:],
	strings.Replace(statText, " S ", " SS ", 1),
	strings.Replace(statText, " 900 ", " x ", 1),
	strings.Replace(statText, " 900 ", "  ", 1),
	strings.Replace(statText, " 900 ", " 9223372036854775808 ", 1),
	statText[:60],
	// The kernel prints the PID as the first byte, one blank before the comm and one after it.
	" " + statText, "\t" + statText, "\n" + statText, "\v" + statText, "\f" + statText, "\r" + statText, "\u00a0" + statText, "\x00" + statText,
	"+" + statText, "0" + statText, "1 " + statText, "x" + statText,
	strings.Replace(statText, " (", "(", 1), strings.Replace(statText, " (", "  (", 1), strings.Replace(statText, " (", "\t(", 1),
	strings.Replace(statText, ") S", ")S", 1), strings.Replace(statText, ") S", ")\tS", 1), strings.Replace(statText, ") S", ")  S", 1),
	"\r1()0                   0  ",
}

// oddNumbers are what a number of the kernel can't be.
var oddNumbers = []string{"-1", "9223372036854775808", "18446744073709551615", strings.Repeat("9", 20), "", "x"}

// TestAnOddValueOfAStatCostsItsField replaces each column of a stat in turn: the fields of the others are as without.
func TestAnOddValueOfAStatCostsItsField(t *testing.T) {
	costs := map[int]Fields{
		10: FieldMinorFaults, 12: FieldMajorFaults, 14: FieldCPUUser, 15: FieldCPUSystem, 11: FieldChildrenFaults, 16: FieldChildrenUser, 17: FieldChildrenSystem,
		19: FieldNice, 20: FieldThreads, 23: FieldVirtual, 24: FieldMemory,
	}
	const comm = "4194304 (a) b\\n(c\\\\) "
	var whole Sample
	require.True(t, parseStat([]byte(statText), 4096, &whole))
	for field := 4; field <= 52; field++ {
		for _, odd := range oddNumbers {
			columns := strings.Split(strings.TrimPrefix(statText, comm), " ")
			columns[field-3] = odd
			text := comm + strings.Join(columns, " ")
			var s Sample
			ok := parseStat([]byte(text), 4096, &s)
			if field == 22 {
				require.False(t, ok, "%q: the start tells a process from a later one", text)
				continue
			}
			require.True(t, ok, "%q", text)
			if field == 19 && odd == "-1" {
				require.Equal(t, int32(-1), s.Nice, "a nice value that there is")
				continue
			}
			require.Equal(t, statFields&^costs[field], s.Have, "%q", text)
			if field == 4 {
				require.Equal(t, int32(noParent), s.PPID, "%q", text)
			} else {
				require.Equal(t, int32(7), s.PPID)
			}
			require.Equal(t, whole.Comm(), s.Comm())
			require.Equal(t, whole.Key, s.Key)
			for c := range NumCounters {
				if s.Have&c.Field() != 0 {
					require.Equal(t, whole.Totals[c], s.Totals[c], "%q", text)
				}
			}
			for l := range NumLevels {
				if s.Have&l.Field() != 0 {
					require.Equal(t, whole.Levels[l], s.Levels[l], "%q", text)
				}
			}
		}
	}
}

func TestParseStatOfMalformedText(t *testing.T) {
	for _, text := range badStats {
		s := Sample{ProcessState: ProcessState{Have: statFields}}
		assert.False(t, parseStat([]byte(text), 4096, &s), "%q", text)
		assert.Zero(t, s.Have, "%q", text)
	}
}

// TestParseStatAgrees compares with another parser on this process.
func TestParseStatAgrees(t *testing.T) {
	text, err := os.ReadFile("/proc/self/stat")
	require.NoError(t, err)
	var s Sample
	require.True(t, parseStat(text, uint64(os.Getpagesize()), &s))
	self, err := procfs.Self()
	require.NoError(t, err)
	other, err := self.Stat()
	require.NoError(t, err)
	assert.Equal(t, other.PID, int(s.PID))
	assert.Equal(t, other.Comm, s.Comm())
	assert.Equal(t, other.PPID, int(s.PPID))
	assert.Equal(t, other.Starttime, s.Start)
	assert.Equal(t, other.Nice, int(s.Nice))
	assert.LessOrEqual(t, s.Totals[MinorFaults], uint64(other.MinFlt))
	assert.LessOrEqual(t, s.Totals[CPUUser], uint64(other.UTime)*microsecondsPerTick)
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(statText))
	for _, text := range badStats {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := Sample{ProcessState: ProcessState{Have: ^Fields(0)}}
		ok := parseStat(text, 4096, &s)
		require.Equal(t, ok, s.Have != 0)
		if ok {
			require.Positive(t, s.PID)
			require.GreaterOrEqual(t, s.PPID, int32(noParent))
			require.LessOrEqual(t, len(s.Comm()), commSize)
			require.True(t, strings.HasPrefix(string(text), strconv.Itoa(int(s.PID))+" ("))
		}
	})
}

func TestParseIO(t *testing.T) {
	var s Sample
	require.True(t, parseIO([]byte(proctest.IOText), &s))
	assert.Equal(t, Totals{
		LogicalReadBytes: 1, LogicalWriteBytes: 2, DiskReadBytes: 5, DiskWriteBytes: 6,
	}, s.Totals)
	assert.Equal(t, FieldDiskIO|FieldLogicalIO, s.Have)

	s = Sample{}
	require.True(t, parseIO([]byte("rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\n"), &s), "a kernel that does not account for storage")
	assert.Equal(t, FieldLogicalIO, s.Have)

	for _, bad := range []string{"", "rchar: 1\n", "rchar 1\n", "read_bytes: x\n", "read_bytes: -1\n"} {
		s = Sample{}
		parseIO([]byte(bad), &s)
		assert.Zero(t, s.Have&FieldDiskIO, "%q", bad)
		assert.Zero(t, s.Totals[DiskReadBytes], "%q", bad)
	}
}

// TestAnOddValueOfIOCostsItself replaces each value, or drops its line: the others are as without, and it is said.
func TestAnOddValueOfIOCostsItself(t *testing.T) {
	lines := strings.SplitAfter(proctest.IOText, "\n")
	for key, field := range map[string]Fields{"rchar": FieldLogicalRead, "wchar": FieldLogicalWrite, "read_bytes": FieldDiskRead, "write_bytes": FieldDiskWrite} {
		for _, odd := range append([]string{"no line"}, oddNumbers...) {
			var text string
			for _, line := range lines {
				if name, _, _ := strings.Cut(line, ":"); name != key {
					text += line
				} else if odd != "no line" {
					text += key + ": " + odd + "\n"
				}
			}
			var s Sample
			assert.False(t, parseIO([]byte(text), &s), "%q", text)
			assert.Equal(t, (FieldDiskIO|FieldLogicalIO)&^field, s.Have, "%q", text)
		}
	}
}

func FuzzParseIO(f *testing.F) {
	f.Add([]byte(proctest.IOText))
	f.Add([]byte("read_bytes: 18446744073709551616\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Sample
		ok := parseIO(text, &s)
		require.True(t, s.Have != 0 || !ok)
		for c := range NumCounters {
			require.False(t, s.Totals[c] != 0 && s.Have&c.Field() == 0, "a field that the sample does not have is not set")
		}
	})
}

func TestParseStatus(t *testing.T) {
	st, ok := parseStatus([]byte(proctest.StatusText))
	require.True(t, ok)
	assert.Equal(t, status{
		uid: 33, hasUID: true, levels: Levels{Swap: 12 << 10}, voluntary: 150, involuntary: 545, have: FieldSwap | FieldSwitches,
	}, st)
	st, ok = parseStatus([]byte("Name:\tkthreadd\nUid:\t0\t0\t0\t0\nvoluntary_ctxt_switches:\t1\n"))
	require.True(t, ok)
	assert.Zero(t, st.have&FieldSwap)
	assert.Equal(t, FieldVoluntary, st.have&FieldSwitches, "one of two is not both")
	for _, bad := range []string{"", "Uid\n", "Uid:\t0\n", "Uid:\t0\t4294967296\n", "VmSwap:\t1\t kB"} {
		st, ok := parseStatus([]byte(bad))
		assert.False(t, ok, "%q", bad)
		assert.False(t, st.hasUID, "%q", bad)
	}
	for _, odd := range oddNumbers {
		st, ok = parseStatus([]byte("Uid:\t1\t" + odd + "\t1\t1\nVmSwap:\t" + odd + " kB\nvoluntary_ctxt_switches:\t" + odd + "\nnonvoluntary_ctxt_switches:\t4\n"))
		assert.False(t, ok)
		assert.Equal(t, status{involuntary: 4, have: FieldInvoluntary}, st, "%q", odd)
		st, ok = parseStatus([]byte("Uid:\t1\t7\t1\t1\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t" + odd + "\n"))
		assert.False(t, ok)
		assert.Equal(t, status{uid: 7, hasUID: true, voluntary: 3, have: FieldVoluntary}, st, "%q", odd)
		st, ok = parseStatus([]byte("Uid:\t1\t7\t1\t1\nVmSwap:\t" + odd + " kB\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t4\n"))
		assert.False(t, ok)
		assert.Equal(t, status{uid: 7, hasUID: true, voluntary: 3, involuntary: 4, have: FieldSwitches}, st, "%q", odd)
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(proctest.StatusText))
	f.Fuzz(func(t *testing.T, text []byte) {
		st, ok := parseStatus(text)
		require.True(t, st.hasUID || !ok)
		require.True(t, st.hasUID || st.uid == 0)
	})
}

func TestParseStatm(t *testing.T) {
	var s Sample
	require.True(t, parseStatm([]byte("100 50 7 1 0 30 0\n"), 4096, &s))
	assert.Equal(t, uint64(7*4096), s.Levels[Shared])
	for _, bad := range []string{"", "1 2", "1 2 x", "x"} {
		s = Sample{}
		assert.False(t, parseStatm([]byte(bad), 4096, &s), "%q", bad)
		assert.Zero(t, s.Have)
	}
	for i, field := range []Fields{FieldVirtual, FieldMemory, FieldShared} {
		for _, odd := range oddNumbers {
			columns := strings.Split("100 50 7 1 0 30 0\n", " ")
			columns[i] = odd
			s = Sample{}
			assert.False(t, parseStatm([]byte(strings.Join(columns, " ")), 4096, &s))
			assert.Equal(t, (FieldVirtual|FieldMemory|FieldShared)&^field, s.Have, "%d %q", i, odd)
		}
	}
}

func FuzzParseStatm(f *testing.F) {
	f.Add([]byte("100 50 7 1 0 30 0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Sample
		require.Equal(t, parseStatm(text, 4096, &s), s.Have == FieldMemory|FieldVirtual|FieldShared)
	})
}

func TestParseSmapsRollup(t *testing.T) {
	var s Sample
	require.True(t, parseSmapsRollup([]byte(proctest.SmapsText), &s))
	assert.Equal(t, uint64(700<<10), s.Levels[Proportional])
	assert.Equal(t, uint64(11<<10), s.Levels[Unique])
	for bad, have := range map[string]Fields{
		"": 0, "x\n": 0, "x\nPss\n": 0, "x\nPss: 1 kB\n": FieldProportional, "x\nPss: 1 kB\nPrivate_Clean: -1\nPrivate_Dirty: 1\n": FieldProportional,
		"x\nPss: a kB\nPrivate_Clean: 1\nPrivate_Dirty: 1\n": FieldUnique,
	} {
		s = Sample{}
		assert.False(t, parseSmapsRollup([]byte(bad), &s), "%q", bad)
		assert.Equal(t, have, s.Have, "%q", bad)
	}
}

func FuzzParseSmapsRollup(f *testing.F) {
	f.Add([]byte(proctest.SmapsText))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Sample
		require.Equal(t, parseSmapsRollup(text, &s), s.Have == RollupFields)
	})
}

func TestParsePasswd(t *testing.T) {
	names := parsePasswd([]byte("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\n# a comment\n#old:x:7:7::/:\n+nis:x:8:8::/:\n-not:x:9:9::/:\n \tblank:x:5:5::/:\n\n+::::::\nbig:x:4294967294:1::/:\nodd:x:-1:0::/:\nshort:x\nweb:x:33:33::/:"))
	assert.Equal(t, map[uint32]string{0: "root", 4294967294: "big", 33: "web", 5: "blank"}, names)
}

func FuzzParsePasswd(f *testing.F) {
	f.Add([]byte("root:x:0:0:root:/root:/bin/sh\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range parsePasswd(text) {
			require.NotEmpty(t, name)
			require.NotContains(t, name, ":")
			require.NotContains(t, name, "\n")
		}
	})
}

func TestParseHidepid(t *testing.T) {
	line := func(path, fs, options string) string {
		return "22 1 0:21 / " + path + " rw,nosuid shared:5 - " + fs + " proc " + options + "\n"
	}
	cases := map[string]struct {
		text, hidepid string
		group         int
	}{
		"nothing hidden":            {line("/proc", "proc", "rw"), "", 0},
		"invisible, with a group":   {line("/proc", "proc", "rw,gid=27,hidepid=invisible"), "invisible", 27},
		"as old kernels print it":   {line("/proc", "proc", "rw,hidepid=2"), "invisible", 0},
		"noaccess":                  {line("/proc", "proc", "rw,hidepid=1"), "noaccess", 0},
		"ptraceable":                {line("/proc", "proc", "rw,hidepid=4"), "ptraceable", 0},
		"off":                       {line("/proc", "proc", "rw,hidepid=off"), "", 0},
		"another procfs":            {line("/chroot/proc", "proc", "rw,hidepid=2"), "", 0},
		"another file system":       {line("/proc", "tmpfs", "rw,hidepid=2"), "", 0},
		"mounted over":              {line("/proc", "proc", "rw,hidepid=2") + line("/proc", "proc", "rw"), "", 0},
		"a word that will be added": {line("/proc", "proc", "rw,hidepid=later"), "later", 0},
		"not a mountinfo":           {"proc /proc proc rw,hidepid=2 0 0\n - \n22 1 - proc\n", "", 0},
	}
	for name, c := range cases {
		hidepid, group := parseHidepid([]byte(c.text), "/proc")
		assert.Equal(t, c.hidepid, hidepid, name)
		assert.Equal(t, c.group, group, name)
	}
	hidepid, _ := parseHidepid([]byte(line(`/host\040fs/proc`, "proc", "hidepid=2")), "/host fs/proc")
	assert.Equal(t, "invisible", hidepid)
}

func FuzzParseHidepid(f *testing.F) {
	f.Add([]byte("22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw,hidepid=2,gid=7\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		hidepid, _ := parseHidepid(text, "/proc")
		require.True(t, hidepid == "" || strings.Contains(string(text), "hidepid="))
	})
}

func FuzzCutDirent(f *testing.F) {
	f.Add([]byte("0123456701234567\x18\x00\x0442\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, buffer []byte) {
		for len(buffer) > 0 {
			name, rest := cutDirent(buffer)
			require.Less(t, len(rest), len(buffer), "each step consumes")
			require.NotContains(t, string(name), "\x00")
			buffer = rest
		}
	})
}

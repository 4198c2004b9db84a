package host

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// errorsOf reads the errors of a host by component and type.
func errorsOf(t *testing.T, e *HardwareErrors) map[string]int64 {
	t.Helper()
	components, err := e.Read()
	require.NoError(t, err)
	counts := make(map[string]int64)
	for _, c := range components {
		for _, n := range c.Errors {
			counts[c.ID+" "+n.Type] = n.Count
		}
	}
	return counts
}

func TestHardwareErrorsOfServer(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	assert.Equal(t, map[string]int64{"edac/mc0 corrected": 17, "edac/mc0 uncorrected": 0}, errorsOf(t, NewHardwareErrors(h, ErrorSources{})))

	modules := NewHardwareErrors(h, ErrorSources{DIMMs: true})
	assert.Equal(t, map[string]int64{
		"edac/mc0/dimm0 corrected": 16, "edac/mc0/dimm0 uncorrected": 0, "edac/mc0/dimm3 corrected": 0, "edac/mc0/dimm3 uncorrected": 0,
		"edac/mc0 corrected": 1, "edac/mc0 uncorrected": 0,
	}, errorsOf(t, modules), "the sum is that of the controllers")
	components, err := modules.Read()
	require.NoError(t, err)
	assert.Equal(t, "CPU_SrcID#0_MC#0_Chan#0_DIMM#0", components[0].Name)
	assert.Equal(t, "mc0 dimm3", components[1].Name)

	devices := NewHardwareErrors(h, ErrorSources{PCI: true})
	counts := errorsOf(t, devices)
	assert.Len(t, counts, 5)
	assert.EqualValues(t, 4, counts["pci/0000_03_00.0 correctable"])
	require.Contains(t, counts, "pci/0000_03_00.0 nonfatal")
	require.Contains(t, counts, "pci/0000_03_00.0 fatal")

	assert.Len(t, errorsOf(t, NewHardwareErrors(fixtureHost(t, "kernel-4.4"), ErrorSources{DIMMs: true})), 4)
	_, err = NewHardwareErrors(fixtureHost(t, "container"), ErrorSources{DIMMs: true, PCI: true, MachineChecks: true}).Read()
	require.ErrorIs(t, err, ErrUnsupported)
}

func TestMachineChecks(t *testing.T) {
	h := hostWith(t, map[string]string{interruptsFile: "           CPU0       CPU1\n  1:          9          8   IO-APIC    1-edge      i8042\n" +
		"MCE:          2          1   Machine check exceptions\nMCP:        310        310   Machine check polls\n"})
	assert.Equal(t, map[string]int64{"cpu machine_check": 3}, errorsOf(t, NewHardwareErrors(h, ErrorSources{MachineChecks: true})))
	for text, want := range map[string]int64{
		"  1: 2 x\nERR: 0\n":         absent,
		"MCE: 5\n":                   5,
		"MCE: 5 6 7":                 18,
		"MCE: Machine checks\n":      Odd,
		"MCE:\n":                     Odd,
		"":                           Odd,
		"garbage":                    Odd,
		"MCE: 9223372036854775807 1": Odd,
	} {
		got, err := parseMachineChecks([]byte(text))
		assert.Equal(t, want, got, "%q", text)
		assert.Equal(t, want == Odd, IsOdd(err), "%q", text)
	}
}

func TestAComponentThatComesAndGoes(t *testing.T) {
	h := hostWith(t, map[string]string{"sys/devices/system/edac/mc/mc0/ce_count": "1\n", "sys/devices/system/edac/mc/mc0/ue_count": "0\n"})
	put(t, h.Root(), "sys/devices/system/edac/mc/power/control", "auto\n")
	e := NewHardwareErrors(h, ErrorSources{})
	assert.Len(t, errorsOf(t, e), 2)

	put(t, h.Root(), "sys/devices/system/edac/mc/mc1/ce_count", "5\n")
	for range rediscoverAfter - 1 {
		require.Len(t, errorsOf(t, e), 2, "looking takes reads of directories and is rare")
	}
	require.Len(t, errorsOf(t, e), 4)

	require.NoError(t, os.RemoveAll(h.Path("sys/devices/system/edac/mc/mc0")))
	assert.Len(t, errorsOf(t, e), 2, "the driver has gone: that is no fault")
	put(t, h.Root(), "sys/devices/system/edac/mc/mc0/ce_count", "3\n")
	assert.Len(t, errorsOf(t, e), 4, "what has gone is looked for at once")
}

func TestAnOddCountCostsItselfAlone(t *testing.T) {
	for text, fault := range map[string]bool{"": true, "x\n": true, "-1\n": true, "18446744073709551616\n": true, "4294967295\n": false} {
		h := hostWith(t, map[string]string{"sys/devices/system/edac/mc/mc0/ce_count": text, "sys/devices/system/edac/mc/mc0/ue_count": "7\n"})
		components, err := NewHardwareErrors(h, ErrorSources{}).Read()
		assert.Equal(t, fault, IsOdd(err), "%q", text)
		require.Len(t, components, 1)
		assert.Equal(t, fault, components[0].Errors[0].Count == Odd, "%q", text)
		assert.EqualValues(t, 7, components[0].Errors[1].Count)
	}
	h := hostWith(t, map[string]string{"sys/devices/system/edac/mc/mc0/ce_count": "1\n"})
	require.NoError(t, os.Mkdir(h.Path("sys/devices/system/edac/mc/mc0/ue_count"), 0o755))
	components, err := NewHardwareErrors(h, ErrorSources{}).Read()
	require.Error(t, err)
	assert.False(t, IsOdd(err))
	assert.Equal(t, []ErrorCount{{"corrected", 1}, {"uncorrected", absent}}, components[0].Errors)
}

func TestHardwareErrorsAreReadWithoutAllocating(t *testing.T) {
	e := NewHardwareErrors(hostWith(t, nil), ErrorSources{})
	_, _ = e.Read()
	assert.Zero(t, testing.AllocsPerRun(rediscoverAfter/2, func() { _, _ = e.Read() }), "a host without any")
}

func FuzzParseHardwareErrors(f *testing.F) {
	for _, seed := range []string{
		"", "TOTAL_ERR_COR 4\n", "RxErr 2\nTOTAL_ERR_FATAL", "TOTAL_ERR_ -1\n", "MCE: 1 2 Machine\n", "MCE:", "MCE: 9223372036854775807 9223372036854775807",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if v, ok := parseAERTotal(text); ok {
			assert.True(t, v >= 0 && v < math.MaxInt64)
			assert.Contains(t, string(text), "TOTAL_ERR_")
		}
		v, err := parseMachineChecks(text)
		assert.Equal(t, v == Odd, err != nil)
		assert.GreaterOrEqual(t, v, int64(Odd))
		if v >= 0 {
			assert.Contains(t, string(text), "MCE:")
		}
	})
}

package host

import (
	"encoding/binary"
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nvmePage is a log page with the bytes at the places of the specification.
func nvmePage(warning byte) []byte {
	page := make([]byte, nvmeLogSize)
	page[0] = warning
	binary.LittleEndian.PutUint16(page[1:], 311)
	page[3], page[4], page[5] = 100, 10, 7
	for at, v := range map[int]uint64{32: 1000, 48: 2000, 96: 3, 112: 40, 128: 9120, 144: 5, 160: 2, 176: 11} {
		binary.LittleEndian.PutUint64(page[at:], v)
	}
	return page
}

func smartValue(d *DiskHealth, name string) int64 {
	for _, v := range d.Values {
		if v.Name == name {
			return v.Value
		}
	}
	return absent
}

func TestHealthLogOfNVMe(t *testing.T) {
	var d DiskHealth
	d.reset()
	require.NoError(t, d.parseNVMeLog(nvmePage(0)))
	assert.True(t, d.StateKnown)
	assert.Equal(t, DiskOK, d.State)
	assert.InDelta(t, 0.93, d.Remaining, 1e-9)
	assert.InDelta(t, 37.85, d.Celsius, 1e-9)
	assert.EqualValues(t, 2, d.MediaErrors)
	for name, want := range map[string]int64{
		"critical_warning": 0, "available_spare": 100, "available_spare_threshold": 10, "percentage_used": 7, "data_units_read": 1000,
		"data_units_written": 2000, "controller_busy_time": 3, "power_cycles": 40, "power_on_hours": 9120, "unsafe_shutdowns": 5, "media_errors": 2,
		"error_log_entries": 11,
	} {
		assert.Equal(t, want, smartValue(&d, name), name)
	}
	for warning, want := range map[byte]DiskState{
		0: DiskOK, 1: DiskFailing, 2: DiskDegraded, 4: DiskFailing, 8: DiskFailed, 16: DiskDegraded, 32: DiskFailed, 3: DiskFailing, 31: DiskFailed,
	} {
		d.reset()
		require.NoError(t, d.parseNVMeLog(nvmePage(warning)))
		assert.Equal(t, want, d.State, "critical warning %#x", warning)
	}
	page := nvmePage(0)
	page[5] = 130
	binary.LittleEndian.PutUint16(page[1:], 0)
	page[160+9] = 1
	d.reset()
	require.NoError(t, d.parseNVMeLog(page))
	assert.Zero(t, d.Remaining, "used beyond what it was made for")
	assert.True(t, math.IsNaN(d.Celsius))
	assert.Equal(t, int64(math.MaxInt64), d.MediaErrors)
	require.ErrorIs(t, d.parseNVMeLog(page[:511]), errMalformed)
}

// ataData has the attributes, each with the bytes of its raw value, and a checksum that is right.
func ataData(attributes ...[7]byte) []byte {
	data := make([]byte, ataDataSize)
	for i, a := range attributes {
		at := data[ataAttributesAt+i*ataAttributeSize:]
		at[0] = a[0]
		copy(at[5:], a[1:])
	}
	sum := byte(0)
	for _, b := range data {
		sum += b
	}
	data[ataDataSize-1] = -sum
	return data
}

func TestSMARTDataOfATA(t *testing.T) {
	var d DiskHealth
	d.reset()
	require.NoError(t, d.parseATAData(ataData([7]byte{5, 8, 1}, [7]byte{9, 0x10, 0x27, 0, 0, 9}, [7]byte{194, 41, 0, 12, 0, 55}, [7]byte{187, 3}, [7]byte{1, 9}, [7]byte{197, 2})))
	for name, want := range map[string]int64{
		"reallocated_sectors": 264, "power_on_hours": 10000, "temperature": 41, "reported_uncorrectable_errors": 3, "pending_sectors": 2,
	} {
		assert.Equal(t, want, smartValue(&d, name), name)
	}
	assert.Len(t, d.Values, 5, "what has no common meaning is left out")
	assert.InDelta(t, 41, d.Celsius, 0)
	assert.EqualValues(t, 3, d.MediaErrors)
	wrong := ataData([7]byte{5, 8, 1})
	wrong[100]++
	require.ErrorIs(t, d.parseATAData(wrong), errMalformed)
	require.ErrorIs(t, d.parseATAData(wrong[:100]), errMalformed)

	d.reset()
	require.NoError(t, d.parseATAStatus(0x4f, 0xc2))
	assert.Equal(t, DiskOK, d.State)
	require.NoError(t, d.parseATAStatus(0xf4, 0x2c))
	assert.Equal(t, DiskFailing, d.State)
	require.ErrorIs(t, d.parseATAStatus(0, 0), errMalformed)
}

func TestRegistersInSenseData(t *testing.T) {
	sense := make([]byte, 64)
	copy(sense, []byte{0x72, 0x01, 0x00, 0x1d, 0, 0, 0, 14, 0x09, 0x0c, 0, 0, 0, 0xff, 0, 0, 0, 0x4f, 0, 0xc2, 0xa0, 0x50})
	r, err := parseATASense(sense)
	require.NoError(t, err)
	assert.Equal(t, ataRegisters{count: 0xff, mid: 0x4f, high: 0xc2, status: 0x50}, r)
	assert.False(t, r.isAsleep())
	sense[13] = 0
	r, err = parseATASense(sense)
	require.NoError(t, err)
	assert.True(t, r.isAsleep(), "a disk in standby is not asked more")
	sense[21] = 0x51
	_, err = parseATASense(sense)
	require.Error(t, err, "a disk that does not know the command")
	_, err = parseATASense(make([]byte, 64))
	require.ErrorIs(t, err, errMalformed)
}

func TestSizesOfTheKernelsStructures(t *testing.T) {
	assert.EqualValues(t, 72, unsafe.Sizeof(nvmeCommand{}))
	if unsafe.Sizeof(uintptr(0)) == 8 {
		assert.EqualValues(t, 88, unsafe.Sizeof(scsiRequest{}))
	}
}

func TestDisksWhoseHealthIsNotTold(t *testing.T) {
	_, err := NewDiskHealths(fixtureHost(t, "container")).Read()
	require.ErrorIs(t, err, ErrUnsupported)

	h := hostWith(t, map[string]string{
		"sys/class/nvme/nvme0/state": "live\n", "sys/class/nvme/nvme0/dev": "240:0\n", "dev/nvme0": "no device",
		"sys/class/nvme/nvme1/state": "dead\n", "sys/class/nvme/nvme2/state": "resetting\n",
		"sys/block/sda/device/vendor": "ATA     \n", "sys/block/sdb/device/vendor": "QEMU    \n",
	})
	got, err := NewDiskHealths(h).Read()
	require.NoError(t, err)
	require.Len(t, got, 4, "a disk that is no ATA disk is not asked")
	assert.Equal(t, []DiskState{DiskOK, DiskFailed, DiskDegraded, DiskOK}, []DiskState{got[0].State, got[1].State, got[2].State, got[3].State})
	assert.Equal(t, "disk/nvme0", got[0].ID)
	assert.Empty(t, got[0].Values, "a file in the place of the device is not taken for it")
	assert.False(t, got[3].StateKnown)
}

func FuzzParseDiskHealth(f *testing.F) {
	f.Add(nvmePage(0))
	f.Add(ataData([7]byte{194, 41}))
	f.Add([]byte{0x72, 0x01, 0x00, 0x1d, 0, 0, 0, 14, 0x09, 0x0c, 0, 0, 0, 0xff, 0, 0, 0, 0x4f, 0, 0xc2, 0xa0, 0x50})
	f.Fuzz(func(t *testing.T, data []byte) {
		var nvme, ata DiskHealth
		nvme.reset()
		ata.reset()
		_ = nvme.parseNVMeLog(data)
		_ = ata.parseATAData(data)
		_, _ = parseATASense(data)
		assert.True(t, nvme.Remaining == absent || nvme.Remaining >= 0 && nvme.Remaining <= 1)
		for _, v := range nvme.Values {
			assert.GreaterOrEqual(t, v.Value, int64(0))
		}
	})
}

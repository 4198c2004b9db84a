package host

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGPUsOfServer(t *testing.T) {
	got, err := NewGPUs(fixtureHost(t, "server-6.x")).Read()
	require.NoError(t, err)
	assert.Equal(t, []GPU{{
		ID: "pci/0000_0c_00.0", Name: "AMD Radeon PRO W6800", Utilization: 0.37, MemoryUsed: 4290772992, MemoryTotal: 17163091968,
	}}, got)
	for _, name := range []string{"kernel-4.4", "container"} {
		_, err = NewGPUs(fixtureHost(t, name)).Read()
		require.ErrorIs(t, err, ErrUnsupported, name)
	}
}

func TestGPUsThatSayLittle(t *testing.T) {
	h := hostWith(t, nil)
	card := func(name, device string, files map[string]string) {
		for file, text := range files {
			put(t, h.Root(), "sys/devices/"+device+"/"+file, text)
		}
		link(t, h.Root(), "sys/class/drm/"+name+"/device", "../../../devices/"+device)
	}
	card("card0", "0000:00:02.0", map[string]string{"vendor": "0x8086\n"})
	card("card1", "0000:03:00.0", map[string]string{"gpu_busy_percent": "101\n", "mem_info_vram_total": "512\n"})
	link(t, h.Root(), "sys/devices/0000:03:00.0/driver", "../../bus/pci/drivers/amdgpu")
	card("card2", "0000:04:00.0", map[string]string{"gpu_busy_percent": "5\n", "power/runtime_status": "suspended\n"})
	card("card0-HDMI-A-1", "0000:00:02.0", nil)
	gpus := NewGPUs(h)
	got, err := gpus.Read()
	require.NoError(t, err)
	assert.Equal(t, []GPU{{ID: "pci/0000:03:00.0", Name: "amdgpu", Utilization: absent, MemoryUsed: absent, MemoryTotal: 512}}, got,
		"one that sleeps is not woken, and one whose driver shows nothing is none")
	require.NoError(t, os.WriteFile(h.Path("sys/devices/0000:04:00.0/power/runtime_status"), []byte("active\n"), 0o600))
	got, err = gpus.Read()
	require.NoError(t, err)
	assert.Len(t, got, 2)
	assert.InDelta(t, 0.05, got[1].Utilization, 1e-9)
}

func FuzzBusyShare(f *testing.F) {
	for _, seed := range []int64{0, 100, -1, 101, 1 << 62} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, percent int64) {
		share := busyShare(percent)
		assert.True(t, share == absent || share >= 0 && share <= 1)
	})
}

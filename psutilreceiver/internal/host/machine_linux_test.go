package host

import (
	"bufio"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLiveCPUModel(t *testing.T) {
	want := make(map[string]string)
	for s := bufio.NewScanner(strings.NewReader(kernelText(t, cpuinfoFile))); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ":")
		if _, ok := want[strings.TrimSpace(key)]; !ok {
			want[strings.TrimSpace(key)] = strings.Join(strings.Fields(value), " ")
		}
	}
	got := liveHost(t).Identity().CPU
	assert.Equal(t, want["vendor_id"]+want["CPU implementer"], got.Vendor)
	assert.Equal(t, want["model name"], got.Name)
	assert.Equal(t, want["stepping"]+want["CPU revision"], got.Stepping)
}

func TestFirmwareTextThatSaysNothing(t *testing.T) {
	for text, want := range map[string]string{
		"Dell Inc.\n": "Dell Inc.", "To Be Filled By O.E.M.\n": "", "System manufacturer": "", "Default string": "", " \n": "", "": "", "Not Specified\n": "",
		"Raspberry Pi 4 Model B Rev 1.4\x00": "Raspberry Pi 4 Model B Rev 1.4",
	} {
		assert.Equal(t, want, firmwareText(text), text)
	}
}

func TestParseCacheSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1024K\n": 1 << 20, "2M": 2 << 20, "512": 512, "": 0, "K": 0, "x": 0, "-1K": 0, "9223372036854775807K": 0,
	} {
		assert.Equal(t, want, parseCacheSize([]byte(text)), text)
	}
}

func FuzzParseMachine(f *testing.F) {
	for _, seed := range []string{"", "vendor_id\t: A\n\nvendor_id: B", "model name\t: \xff\x00", ":", "1024K", "9223372036854775807M", "M"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m := parseCPUModel(text)
		for _, v := range []string{m.Vendor, m.Family, m.ID, m.Name, m.Stepping} {
			assert.LessOrEqual(t, len(v), len(text))
			assert.NotContains(t, v, "\n")
		}
		size := parseCacheSize(text)
		assert.True(t, size >= 0 && size <= maxCacheSize)
	})
}

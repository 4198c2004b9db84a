package host

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/disk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

func TestLiveDisks(t *testing.T) {
	h := liveHost(t)
	d := NewDisks(h, everyDisk)
	before, err := disk.IOCounters()
	require.NoError(t, err)
	disks, err := d.Read(time.Now())
	require.NoError(t, err)
	after, err := disk.IOCounters()
	require.NoError(t, err)

	listed := strings.Count(kernelText(t, "proc/diskstats"), "\n")
	assert.LessOrEqual(t, len(disks), listed)
	for _, got := range disks {
		low, ok := before[got.Name]
		if !ok {
			continue // Gopsutil leaves out what has done nothing yet.
		}
		high := after[got.Name]
		for name, v := range map[string][3]float64{
			"reads":         {float64(low.ReadCount), float64(got.Reads), float64(high.ReadCount)},
			"writes":        {float64(low.WriteCount), float64(got.Writes), float64(high.WriteCount)},
			"reads merged":  {float64(low.MergedReadCount), float64(got.ReadsMerged), float64(high.MergedReadCount)},
			"writes merged": {float64(low.MergedWriteCount), float64(got.WritesMerged), float64(high.MergedWriteCount)},
			"read bytes":    {float64(low.ReadBytes), float64(got.ReadBytes), float64(high.ReadBytes)},
			"written bytes": {float64(low.WriteBytes), float64(got.WrittenBytes), float64(high.WriteBytes)},
			"read time":     {float64(low.ReadTime), got.ReadTime * 1000, float64(high.ReadTime)},
			"write time":    {float64(low.WriteTime), got.WriteTime * 1000, float64(high.WriteTime)},
			"busy time":     {float64(low.IoTime), got.IOTime * 1000, float64(high.IoTime)},
			"weighted time": {float64(low.WeightedIO), got.WeightedIOTime * 1000, float64(high.WeightedIO)},
		} {
			assert.GreaterOrEqual(t, v[1]+0.5, v[0], "%s of %s", name, got.Name)
			assert.LessOrEqual(t, v[1]-0.5, v[2], "%s of %s", name, got.Name)
		}
		size, err := os.ReadFile(filepath.Join("/sys/class/block", got.Name, "size"))
		require.NoError(t, err)
		sectors, ok := proctext.Int(bytes.TrimSpace(size))
		require.True(t, ok)
		assert.Equal(t, sectors*512, got.Size)
	}
}

func TestLiveWholeDisks(t *testing.T) {
	reader := NewDisks(liveHost(t), wholeDisks)
	disks, err := reader.Read(time.Now())
	require.NoError(t, err)
	defer func() {
		require.NoError(t, reader.Close())
		assert.Zero(t, reader.files.budget.Open(), "no file is left open")
	}()
	for _, d := range disks {
		slaves, err := os.ReadDir(filepath.Join("/sys/block", d.Name, "slaves"))
		require.NoError(t, err)
		assert.Empty(t, slaves)
	}
}

func BenchmarkDisks(b *testing.B) {
	h, err := New("")
	require.NoError(b, err)
	d := NewDisks(h, wholeDisks)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		h.Begin()
		if _, err := d.Read(now); err != nil {
			b.Fatal(err)
		}
	}
}

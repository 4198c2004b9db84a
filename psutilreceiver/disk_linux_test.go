package psutilreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func scrapeDisks(t *testing.T, root string, cfg DiskConfig) pmetric.Metrics {
	t.Helper()
	md, err := scrapeRoot(t, root, nil, func(_ ScraperConfig, settings scraperSettings) (scraper, error) { return newDiskScraper(cfg, settings) })
	require.NoError(t, err)
	return md
}

func TestDiskScraper(t *testing.T) {
	points := pointsOf(t, scrapeDisks(t, fixtureRoot("kernel-4.4"), DiskConfig{Include: DeviceMatch{Devices: []string{"sda"}}}))
	assert.Equal(t, map[string]float64{
		"system.disk.io{disk.io.direction=read,system.device=sda}":              6024408 * 512,
		"system.disk.io{disk.io.direction=write,system.device=sda}":             18024408 * 512,
		"system.disk.operations{disk.io.direction=read,system.device=sda}":      120334,
		"system.disk.operations{disk.io.direction=write,system.device=sda}":     302211,
		"system.disk.merged{disk.io.direction=read,system.device=sda}":          4402,
		"system.disk.merged{disk.io.direction=write,system.device=sda}":         180112,
		"system.disk.operation_time{disk.io.direction=read,system.device=sda}":  90.221,
		"system.disk.operation_time{disk.io.direction=write,system.device=sda}": 402.211,
		"system.disk.io_time{system.device=sda}":                                120.334,
		"system.disk.weighted_io_time{system.device=sda}":                       492.504,
		"system.disk.pending_operations{system.device=sda}":                     0,
		"system.disk.limit{system.device=sda}":                                  points["system.disk.limit{system.device=sda}"],
	}, points)
}

func TestDisksThatAreShown(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  DiskConfig
		want []string
	}{
		"whole disks, of which the sum is the host's I/O": {DiskConfig{}, []string{"nvme0n1", "nvme1n1"}},
		"partitions where they are asked for": {
			DiskConfig{Partitions: true},
			[]string{"nvme0n1", "nvme0n1p1", "nvme0n1p2", "nvme0n1p3", "nvme1n1", "nvme1n1p1"},
		},
		"what is included, whatever it is": {
			DiskConfig{Include: DeviceMatch{Devices: []string{"dm-0", "loop0", "nvme0n1"}}},
			[]string{"loop0", "nvme0n1", "dm-0"},
		},
		"what is excluded": {DiskConfig{Exclude: DeviceMatch{Devices: []string{"nvme1n1", "dm-0"}}}, []string{"nvme0n1"}},
		"by pattern": {DiskConfig{
			Include: DeviceMatch{Devices: []string{"^(dm-|md)", "n1$"}, MatchType: MatchRegexp},
			Exclude: DeviceMatch{Devices: []string{"^dm-1$"}, MatchType: MatchRegexp},
		}, []string{"nvme0n1", "nvme1n1", "md127", "dm-0"}},
		"a name is a whole one": {DiskConfig{Include: DeviceMatch{Devices: []string{"nvme0"}}}, nil},
	} {
		md := scrapeDisks(t, fixtureRoot("server-6.x"), c.cfg)
		assert.Equal(t, c.want, valuesOf(t, md, "system.disk.io", "system.device"), name)
	}
}

// TestDiskStarts pins since when the totals of a disk count: since boot for what is there in the first scrape, since the scrape before
// for what appears or takes a name later.
func TestDiskStarts(t *testing.T) {
	const sda, sdb = "   8       0 sda 9 0 9 0 9 0 9 0 0 0 0\n", "   8      16 sdb 3 0 3 0 3 0 3 0 0 0 0\n"
	h := changingHostWith(t, map[string]string{"proc/diskstats": sda, "sys/class/block/sda/diskseq": "1\n"})
	s, err := newDiskScraper(DiskConfig{}, h.settings)
	require.NoError(t, err)
	const metric = "system.disk.io_time"
	starts := func() map[string]pcommon.Timestamp { t.Helper(); return startsOf(t, h.scrape(t, s), metric) }

	assert.Equal(t, map[string]pcommon.Timestamp{"{system.device=sda}": h.current.boot}, starts())
	first := h.current.time
	h.put(t, "proc/diskstats", sda+sdb)
	want := map[string]pcommon.Timestamp{"{system.device=sda}": h.current.boot, "{system.device=sdb}": first}
	assert.Equal(t, want, starts(), "one that was plugged in")
	assert.Equal(t, want, starts())

	third := h.current.time
	h.put(t, "sys/class/block/sda/diskseq", "5\n")
	h.put(t, "proc/diskstats", "   8       0 sda 2 0 2 0 2 0 2 0 0 0 0\n"+sdb)
	want["{system.device=sda}"] = third
	assert.Equal(t, want, starts(), "another one of the name")

	h.put(t, "proc/diskstats", sdb)
	starts()
	gone := h.current.time
	h.put(t, "proc/diskstats", sda+sdb)
	want["{system.device=sda}"] = gone
	assert.Equal(t, want, starts(), "one that is back")
}

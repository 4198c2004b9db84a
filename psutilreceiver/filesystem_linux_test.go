package psutilreceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

func TestFilesystemScraper(t *testing.T) {
	root := fixtureRoot("kernel-4.4")
	var st unix.Statfs_t
	require.NoError(t, unix.Statfs(root, &st))
	md, err := scrapeRoot(t, root, func(m *metadata.MetricsConfig) { m.SystemFilesystemInodesLimit.Enabled = true },
		func(_ ScraperConfig, settings scraperSettings) (scraper, error) {
			return newFilesystemScraper(defaultFilesystemConfig(), settings)
		})
	require.NoError(t, err)
	points := pointsOf(t, md)
	const where = "system.device=/dev/sda1,system.filesystem.mode=rw,system.filesystem.mountpoint=/"
	limit := points["system.filesystem.limit{"+where+",system.filesystem.type=ext4}"]
	assert.InDelta(t, float64(st.Blocks)*float64(st.Frsize), limit, 0, "the space is that of the directory below the root")

	var used, share, inodes float64
	for name, v := range points {
		switch {
		case strings.HasPrefix(name, "system.filesystem.usage{"+where):
			used += v
		case strings.HasPrefix(name, "system.filesystem.utilization{"+where):
			share += v
			assert.GreaterOrEqual(t, v, 0.0)
		case strings.HasPrefix(name, "system.filesystem.inodes.usage{"+where):
			inodes += v
		}
	}
	assert.InDelta(t, limit, used, 0, "the states sum to the limit")
	assert.InDelta(t, 1, share, 1e-9)
	assert.InDelta(t, float64(st.Files), inodes, 0)
	assert.InDelta(t, inodes, points["system.filesystem.inodes.limit{"+where+",system.filesystem.type=ext4}"], 0)
	assert.Contains(t, points, "system.filesystem.stuck")
	assert.Zero(t, points["system.filesystem.stuck"])
	assert.Len(t, valuesOf(t, md, "system.filesystem.limit", "system.filesystem.mountpoint"), 1)
}

func TestFilesystemsThatAreShown(t *testing.T) {
	mounts := []host.Mount{
		{Device: "/dev/sda1", Mountpoint: "/", Type: "ext4"},
		{Device: "/dev/sdb1", Mountpoint: "/var/lib/docker", Type: "xfs"},
		{Device: "nas:/backup", Mountpoint: "/mnt/backup", Type: "nfs4"},
		{Device: "tmpfs", Mountpoint: "/run", Type: "tmpfs", Virtual: true},
		{Device: "proc", Mountpoint: "/proc", Type: "proc", Virtual: true},
	}
	types := func(names ...string) FSTypeMatch { return FSTypeMatch{FSTypes: names} }
	places := func(patterns ...string) MountPointMatch {
		return MountPointMatch{MountPoints: patterns, MatchType: MatchRegexp}
	}
	for name, c := range map[string]struct {
		cfg  FilesystemConfig
		want []string
	}{
		"what stores something":       {FilesystemConfig{}, []string{"/", "/var/lib/docker", "/mnt/backup"}},
		"the others, too":             {FilesystemConfig{IncludeVirtualFilesystems: true}, []string{"/", "/var/lib/docker", "/mnt/backup", "/run", "/proc"}},
		"the others but one":          {FilesystemConfig{IncludeVirtualFilesystems: true, ExcludeFSTypes: types("proc", "nfs4")}, []string{"/", "/var/lib/docker", "/run"}},
		"one that is named by type":   {FilesystemConfig{IncludeFSTypes: types("tmpfs", "ext4")}, []string{"/", "/run"}},
		"one that is named by place":  {FilesystemConfig{IncludeMountPoints: places("^/run$")}, []string{"/run"}},
		"one that is named by device": {FilesystemConfig{IncludeDevices: DeviceMatch{Devices: []string{"tmpfs"}}}, []string{"/run"}},
		"all tests have to agree": {FilesystemConfig{
			IncludeFSTypes: types("ext4", "xfs"), ExcludeMountPoints: places("^/var/"), ExcludeDevices: DeviceMatch{Devices: []string{"/dev/sdc1"}},
		}, []string{"/"}},
	} {
		want := c.cfg.filter()
		var shown []string
		for i := range mounts {
			if want(&mounts[i]) {
				shown = append(shown, mounts[i].Mountpoint)
			}
		}
		assert.Equal(t, c.want, shown, name)
	}
}

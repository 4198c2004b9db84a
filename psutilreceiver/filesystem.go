package psutilreceiver

import (
	"context"
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// FilesystemConfig configures the filesystem scraper. Without an include list, virtual filesystems are left out: those that have no storage
// of their own.
type FilesystemConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// IncludeDevices and the lists below choose mounts: a mount is shown if every include list that has names has its own, and no
	// exclude list has it.
	IncludeDevices     DeviceMatch     `mapstructure:"include_devices"`
	ExcludeDevices     DeviceMatch     `mapstructure:"exclude_devices"`
	IncludeFSTypes     FSTypeMatch     `mapstructure:"include_fs_types"`
	ExcludeFSTypes     FSTypeMatch     `mapstructure:"exclude_fs_types"`
	IncludeMountPoints MountPointMatch `mapstructure:"include_mount_points"`
	ExcludeMountPoints MountPointMatch `mapstructure:"exclude_mount_points"`

	// IncludeVirtualFilesystems shows filesystems without storage of their own, too: tmpfs, proc, overlay.
	IncludeVirtualFilesystems bool `mapstructure:"include_virtual_filesystems"`

	// Timeout is how long a mount may take to answer before it counts as stuck. No scrape waits that long: what comes late is shown
	// by the next one.
	Timeout time.Duration `mapstructure:"timeout"`
}

func defaultFilesystemConfig() FilesystemConfig { return FilesystemConfig{Timeout: 5 * time.Second} }

// Validate checks the timeout; the lists check themselves.
func (c *FilesystemConfig) Validate() error {
	if c.Timeout < minCollectionInterval {
		return fmt.Errorf("timeout is %v: it must be at least %v; a duration has a unit, as in 5s", c.Timeout, minCollectionInterval)
	}
	return nil
}

// filter returns whether a mount is shown.
func (c *FilesystemConfig) filter() func(*host.Mount) bool {
	devices := newSelection(c.IncludeDevices.Devices, c.IncludeDevices.MatchType, c.ExcludeDevices.Devices, c.ExcludeDevices.MatchType)
	types := newSelection(c.IncludeFSTypes.FSTypes, c.IncludeFSTypes.MatchType, c.ExcludeFSTypes.FSTypes, c.ExcludeFSTypes.MatchType)
	mountPoints := newSelection(c.IncludeMountPoints.MountPoints, c.IncludeMountPoints.MatchType,
		c.ExcludeMountPoints.MountPoints, c.ExcludeMountPoints.MatchType)
	virtual := c.IncludeVirtualFilesystems || devices.include != nil || types.include != nil || mountPoints.include != nil
	return func(m *host.Mount) bool {
		return (virtual || !m.Virtual) && devices.matches(m.Device) && types.matches(m.Type) && mountPoints.matches(m.Mountpoint)
	}
}

type filesystemScraper struct {
	scraperSettings
	filesystems *host.Filesystems
	ext4        *host.Ext4Errors
}

func newFilesystemScraper(cfg FilesystemConfig, settings scraperSettings) (scraper, error) {
	return &filesystemScraper{
		scraperSettings: settings, filesystems: host.NewFilesystems(settings.host, cfg.Timeout, cfg.filter()), ext4: host.NewExt4Errors(settings.host),
	}, nil
}

func (s *filesystemScraper) close() error { return s.ext4.Close() }

func (s *filesystemScraper) scrape(t *scrapeContext) error {
	found, err := s.filesystems.Read(t.now)
	for i := range found {
		s.record(t, &found[i])
	}
	s.recordHealth(t)
	stuck := int64(s.filesystems.Stuck())
	s.mb.RecordSystemFilesystemStuckDataPoint(t.time, stuck)
	s.telemetry.PsutilStuckMounts.Record(context.Background(), stuck)
	return err
}

func (s *filesystemScraper) record(t *scrapeContext, f *host.Filesystem) {
	mb, ts := s.mb, t.time
	mode := "rw"
	if f.ReadOnly {
		mode = "ro"
	}
	mb.RecordSystemFilesystemLimitDataPoint(ts, f.Total, f.Device, mode, f.Mountpoint, f.Type)
	for _, part := range []struct {
		state metadata.AttributeSystemFilesystemState
		bytes int64
	}{
		{metadata.AttributeSystemFilesystemStateUsed, f.Used},
		{metadata.AttributeSystemFilesystemStateFree, f.Free},
		{metadata.AttributeSystemFilesystemStateReserved, f.Reserved},
	} {
		mb.RecordSystemFilesystemUsageDataPoint(ts, part.bytes, f.Device, mode, f.Mountpoint, f.Type, part.state)
		mb.RecordSystemFilesystemUtilizationDataPoint(ts, float64(part.bytes)/float64(f.Total), f.Device, mode, f.Mountpoint, f.Type, part.state)
	}
	if f.Inodes > 0 {
		mb.RecordSystemFilesystemInodesLimitDataPoint(ts, f.Inodes, f.Device, mode, f.Mountpoint, f.Type)
		mb.RecordSystemFilesystemInodesUsageDataPoint(
			ts, f.InodesUsed, f.Device, mode, f.Mountpoint, f.Type, metadata.AttributeSystemFilesystemStateUsed)
		mb.RecordSystemFilesystemInodesUsageDataPoint(
			ts, f.InodesFree, f.Device, mode, f.Mountpoint, f.Type, metadata.AttributeSystemFilesystemStateFree)
	}
}

// recordHealth records what is known of a filesystem whether or not its space is. The points have no mode, so that one series shows how it changes.
func (s *filesystemScraper) recordHealth(t *scrapeContext) {
	s.ext4.Begin()
	for i, all := 0, s.filesystems.Health(); i < len(all); i++ {
		h := &all[i]
		s.mb.RecordSystemFilesystemReadOnlyDataPoint(t.time, oneIf(h.ReadOnly), h.Device, h.Mountpoint, h.Type)
		if h.Answer != host.AnswerUnknown {
			s.mb.RecordSystemFilesystemErrorDataPoint(t.time, oneIf(h.Answer == host.AnswerError), h.Device, h.Mountpoint, h.Type)
		}
		if s.metrics.SystemFilesystemLinuxExt4Errors.Enabled {
			recordKnown(s.ext4.Read(h), func(v int64) { s.mb.RecordSystemFilesystemLinuxExt4ErrorsDataPoint(t.time, v, h.Device, h.Mountpoint) })
		}
	}
	s.ext4.End()
}

package psutilreceiver

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// raidScraper reports the arrays of disks that Linux itself makes: md(4).
type raidScraper struct {
	scraperSettings
	arrays []host.Array
}

func newRaidScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &raidScraper{scraperSettings: settings}, nil
}

func (s *raidScraper) scrape(t *scrapeContext) error {
	var err error
	s.arrays, err = s.host.Arrays(s.arrays)
	for i := range s.arrays {
		s.record(t, &s.arrays[i])
	}
	return err
}

// arrayStates are the states of hw.status that an array has.
var arrayStates = [...]metadata.AttributeHwState{
	host.ArrayOK:       metadata.AttributeHwStateOk,
	host.ArrayDegraded: metadata.AttributeHwStateDegraded,
	host.ArrayFailed:   metadata.AttributeHwStateFailed,
}

// syncActions are the values of the attribute for what an array is doing.
var syncActions = [...]metadata.AttributeSystemLinuxMdSyncAction{
	host.SyncCheck:    metadata.AttributeSystemLinuxMdSyncActionCheck,
	host.SyncRecovery: metadata.AttributeSystemLinuxMdSyncActionRecovery,
	host.SyncReshape:  metadata.AttributeSystemLinuxMdSyncActionReshape,
	host.SyncResync:   metadata.AttributeSystemLinuxMdSyncActionResync,
}

func (s *raidScraper) record(t *scrapeContext, a *host.Array) {
	recordHardwareStatus(s.mb, t.time, a.ID, a.Name, metadata.AttributeHwTypeLogicalDisk, arrayStates[:], arrayStates[a.State])
	for _, part := range [...]struct {
		state metadata.AttributeSystemLinuxMdDiskState
		disks int64
	}{
		{metadata.AttributeSystemLinuxMdDiskStateActive, a.Active},
		{metadata.AttributeSystemLinuxMdDiskStateFailed, a.Failed},
		{metadata.AttributeSystemLinuxMdDiskStateSpare, a.Spare},
	} {
		recordKnown(part.disks, func(v int64) { s.mb.RecordSystemLinuxMdDisksDataPoint(t.time, v, a.Name, part.state) })
	}
	recordKnown(a.Required, func(v int64) { s.mb.RecordSystemLinuxMdDisksRequiredDataPoint(t.time, v, a.Name) })
	if s.metrics.SystemLinuxMdMismatches.Enabled {
		recordKnown(s.host.Mismatches(a.Name), func(v int64) { s.mb.RecordSystemLinuxMdMismatchesDataPoint(t.time, v, a.Name) })
	}
	if a.Sync == host.SyncNone {
		return
	}
	if a.Progress >= 0 {
		s.mb.RecordSystemLinuxMdSyncProgressDataPoint(t.time, a.Progress, a.Name, syncActions[a.Sync])
	}
	recordKnown(a.Speed, func(v int64) { s.mb.RecordSystemLinuxMdSyncSpeedDataPoint(t.time, v, a.Name, syncActions[a.Sync]) })
}

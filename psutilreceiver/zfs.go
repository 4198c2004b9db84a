package psutilreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// zfsScraper reports the pools and the cache of ZFS on Linux.
type zfsScraper struct {
	scraperSettings
	pools *host.ZFSPools
	arc   host.ZFSARC
}

func newZFSScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &zfsScraper{scraperSettings: settings, pools: host.NewZFSPools(settings.host)}, nil
}

// scrape reads the pools first: they tell whether there is a ZFS at all.
func (s *zfsScraper) scrape(t *scrapeContext) error {
	pools, err := s.pools.Read(s.metrics.SystemZfsDatasetIo.Enabled || s.metrics.SystemZfsDatasetOperations.Enabled)
	if errors.Is(err, host.ErrUnsupported) {
		return err
	}
	var arcErr error
	if s.arc, arcErr = s.host.ZFSARC(); !isLost(arcErr) {
		recordRows(zfsARCRows, s.mb, t.time, &s.arc)
	}
	for i := range pools {
		s.record(t, &pools[i])
	}
	return errors.Join(err, arcErr)
}

// zfsStates are the values of the attribute for the states of a pool.
var zfsStates = [...]metadata.AttributeSystemZfsPoolState{
	host.ZFSOnline:    metadata.AttributeSystemZfsPoolStateOnline,
	host.ZFSDegraded:  metadata.AttributeSystemZfsPoolStateDegraded,
	host.ZFSFaulted:   metadata.AttributeSystemZfsPoolStateFaulted,
	host.ZFSOffline:   metadata.AttributeSystemZfsPoolStateOffline,
	host.ZFSRemoved:   metadata.AttributeSystemZfsPoolStateRemoved,
	host.ZFSUnavail:   metadata.AttributeSystemZfsPoolStateUnavail,
	host.ZFSSuspended: metadata.AttributeSystemZfsPoolStateSuspended,
}

func (s *zfsScraper) record(t *scrapeContext, p *host.ZFSPool) {
	s.mb.Reset(metadata.WithStartTime(s.starts.Start(p.Name, 0)))
	if p.StateKnown {
		for state, value := range zfsStates {
			s.mb.RecordSystemZfsPoolStateDataPoint(t.time, oneIf(host.ZFSPoolState(state) == p.State), p.Name, value)
		}
	}
	recordCounter(p.IO.ReadBytes, func(v int64) { s.mb.RecordSystemZfsPoolIoDataPoint(t.time, v, p.Name, diskRead) })
	recordCounter(p.IO.WrittenBytes, func(v int64) { s.mb.RecordSystemZfsPoolIoDataPoint(t.time, v, p.Name, diskWrite) })
	recordCounter(p.IO.Reads, func(v int64) { s.mb.RecordSystemZfsPoolOperationsDataPoint(t.time, v, p.Name, diskRead) })
	recordCounter(p.IO.Writes, func(v int64) { s.mb.RecordSystemZfsPoolOperationsDataPoint(t.time, v, p.Name, diskWrite) })
	for i := range p.Datasets {
		d := &p.Datasets[i]
		s.mb.Reset(metadata.WithStartTime(s.starts.Start("dataset "+d.Name, 0)))
		recordCounter(d.IO.ReadBytes, func(v int64) { s.mb.RecordSystemZfsDatasetIoDataPoint(t.time, v, d.Name, diskRead) })
		recordCounter(d.IO.WrittenBytes, func(v int64) { s.mb.RecordSystemZfsDatasetIoDataPoint(t.time, v, d.Name, diskWrite) })
		recordCounter(d.IO.Reads, func(v int64) { s.mb.RecordSystemZfsDatasetOperationsDataPoint(t.time, v, d.Name, diskRead) })
		recordCounter(d.IO.Writes, func(v int64) { s.mb.RecordSystemZfsDatasetOperationsDataPoint(t.time, v, d.Name, diskWrite) })
	}
}

type (
	zfsRequestType = metadata.AttributeSystemZfsArcRequestType
	zfsResult      = metadata.AttributeSystemZfsArcResult
)

// zfsARCRows are the points of the cache.
var zfsARCRows = append([]pointRow[host.ZFSARC]{
	intRow(func(a *host.ZFSARC) int64 { return a.Size }, hostPoint[host.ZFSARC]((*builder).RecordSystemZfsArcUsageDataPoint)),
	intRow(func(a *host.ZFSARC) int64 { return a.Target }, hostPoint[host.ZFSARC]((*builder).RecordSystemZfsArcTargetDataPoint)),
	intRow(func(a *host.ZFSARC) int64 { return a.Min }, hostPoint[host.ZFSARC]((*builder).RecordSystemZfsArcLimitMinDataPoint)),
	intRow(func(a *host.ZFSARC) int64 { return a.Max }, hostPoint[host.ZFSARC]((*builder).RecordSystemZfsArcLimitMaxDataPoint)),
}, zfsRequestRows()...)

func zfsRequestRows() (rows []pointRow[host.ZFSARC]) {
	for _, kind := range []struct {
		name     zfsRequestType
		requests func(*host.ZFSARC) *host.ZFSRequests
	}{
		{metadata.AttributeSystemZfsArcRequestTypeDemandData, func(a *host.ZFSARC) *host.ZFSRequests { return &a.DemandData }},
		{metadata.AttributeSystemZfsArcRequestTypeDemandMetadata, func(a *host.ZFSARC) *host.ZFSRequests { return &a.DemandMetadata }},
		{metadata.AttributeSystemZfsArcRequestTypePrefetchData, func(a *host.ZFSARC) *host.ZFSRequests { return &a.PrefetchData }},
		{metadata.AttributeSystemZfsArcRequestTypePrefetchMetadata, func(a *host.ZFSARC) *host.ZFSRequests { return &a.PrefetchMetadata }},
	} {
		rows = append(rows,
			zfsRequestRow(kind.name, metadata.AttributeSystemZfsArcResultHit, func(a *host.ZFSARC) int64 { return kind.requests(a).Hits }),
			zfsRequestRow(kind.name, metadata.AttributeSystemZfsArcResultIoHit, func(a *host.ZFSARC) int64 { return kind.requests(a).IOHits }),
			zfsRequestRow(kind.name, metadata.AttributeSystemZfsArcResultMiss, func(a *host.ZFSARC) int64 { return kind.requests(a).Misses }),
		)
	}
	return rows
}

func zfsRequestRow(kind zfsRequestType, result zfsResult, value func(*host.ZFSARC) int64) pointRow[host.ZFSARC] {
	return intRow(value, func(mb *builder, ts pcommon.Timestamp, v int64, _ *host.ZFSARC) {
		mb.RecordSystemZfsArcRequestsDataPoint(ts, v, kind, result)
	}).counter()
}

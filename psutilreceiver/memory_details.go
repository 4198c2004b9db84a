package psutilreceiver

import (
	"errors"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// memoryDetailsScraper reports fragmentation, NUMA nodes, compressed and merged memory of Linux.
type memoryDetailsScraper struct {
	scraperSettings
	details *host.MemoryDetails
}

func newMemoryDetailsScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &memoryDetailsScraper{scraperSettings: settings, details: host.NewMemoryDetails(settings.host)}, nil
}

func (s *memoryDetailsScraper) scrape(t *scrapeContext) error {
	return errors.Join(s.scrapeZones(t), s.scrapeNodes(t), s.scrapeZRAM(t), s.scrapeZswap(t), s.scrapeKSM(t))
}

func (s *memoryDetailsScraper) scrapeZones(t *scrapeContext) error {
	if !s.metrics.SystemMemoryLinuxFreeBlocks.Enabled {
		return nil
	}
	zones, err := s.details.MemoryZones()
	for _, z := range zones {
		for order, blocks := range z.Blocks {
			if blocks >= 0 {
				s.mb.RecordSystemMemoryLinuxFreeBlocksDataPoint(t.time, blocks, z.Node, z.Name, int64(order))
			}
		}
	}
	return err
}

func (s *memoryDetailsScraper) scrapeNodes(t *scrapeContext) error {
	if !s.metrics.SystemMemoryLinuxNumaUsage.Enabled && !s.metrics.SystemMemoryLinuxNumaAllocations.Enabled {
		return nil
	}
	nodes, err := s.details.NUMANodes()
	for i := range nodes {
		n := &nodes[i]
		recordKnown(n.Used, func(v int64) {
			s.mb.RecordSystemMemoryLinuxNumaUsageDataPoint(t.time, v, n.Number, metadata.AttributeSystemMemoryLinuxNumaStateUsed)
		})
		recordKnown(n.Free, func(v int64) {
			s.mb.RecordSystemMemoryLinuxNumaUsageDataPoint(t.time, v, n.Number, metadata.AttributeSystemMemoryLinuxNumaStateFree)
		})
		for _, of := range [...]struct {
			kind  metadata.AttributeSystemMemoryLinuxNumaAllocationType
			pages int64
		}{
			{metadata.AttributeSystemMemoryLinuxNumaAllocationTypeHit, n.Hit},
			{metadata.AttributeSystemMemoryLinuxNumaAllocationTypeMiss, n.Miss},
			{metadata.AttributeSystemMemoryLinuxNumaAllocationTypeForeign, n.Foreign},
			{metadata.AttributeSystemMemoryLinuxNumaAllocationTypeInterleaveHit, n.InterleaveHit},
			{metadata.AttributeSystemMemoryLinuxNumaAllocationTypeLocal, n.Local},
			{metadata.AttributeSystemMemoryLinuxNumaAllocationTypeOther, n.Other},
		} {
			recordCounter(of.pages, func(v int64) { s.mb.RecordSystemMemoryLinuxNumaAllocationsDataPoint(t.time, v, n.Number, of.kind) })
		}
	}
	return err
}

func (s *memoryDetailsScraper) scrapeZRAM(t *scrapeContext) error {
	if !s.metrics.SystemMemoryLinuxZramUsage.Enabled {
		return nil
	}
	devices, err := s.details.ZRAMDevices()
	for i := range devices {
		z := &devices[i]
		for _, of := range [...]struct {
			kind  metadata.AttributeSystemMemoryLinuxZramType
			bytes int64
		}{
			{metadata.AttributeSystemMemoryLinuxZramTypeOriginal, z.Original},
			{metadata.AttributeSystemMemoryLinuxZramTypeCompressed, z.Compressed},
			{metadata.AttributeSystemMemoryLinuxZramTypeUsed, z.Used},
		} {
			recordKnown(of.bytes, func(v int64) { s.mb.RecordSystemMemoryLinuxZramUsageDataPoint(t.time, v, z.Name, of.kind) })
		}
	}
	return err
}

// scrapeZswap reads the files of the memory and of paging, of which it has a few values.
func (s *memoryDetailsScraper) scrapeZswap(t *scrapeContext) error {
	var memoryErr, vmErr error
	if s.metrics.SystemMemoryLinuxZswapUsage.Enabled {
		var m host.Memory
		if m, memoryErr = s.host.Memory(); !isLost(memoryErr) {
			recordKnown(m.Zswapped, func(v int64) {
				s.mb.RecordSystemMemoryLinuxZswapUsageDataPoint(t.time, v, metadata.AttributeSystemMemoryLinuxZswapTypeOriginal)
			})
			recordKnown(m.Zswap, func(v int64) {
				s.mb.RecordSystemMemoryLinuxZswapUsageDataPoint(t.time, v, metadata.AttributeSystemMemoryLinuxZswapTypeCompressed)
			})
		}
	}
	if s.metrics.SystemMemoryLinuxZswapOperations.Enabled {
		var vm host.VMSample
		if vm, vmErr = s.host.VM(); !isLost(vmErr) {
			recordCounter(vm.ZswapIn, func(v int64) {
				s.mb.RecordSystemMemoryLinuxZswapOperationsDataPoint(t.time, v, metadata.AttributeSystemPagingDirectionIn)
			})
			recordCounter(vm.ZswapOut, func(v int64) {
				s.mb.RecordSystemMemoryLinuxZswapOperationsDataPoint(t.time, v, metadata.AttributeSystemPagingDirectionOut)
			})
		}
	}
	return errors.Join(memoryErr, vmErr)
}

func (s *memoryDetailsScraper) scrapeKSM(t *scrapeContext) error {
	if !s.metrics.SystemMemoryLinuxKsmPages.Enabled && !s.metrics.SystemMemoryLinuxKsmFullScans.Enabled {
		return nil
	}
	k, err := s.host.KSM()
	for _, of := range [...]struct {
		state metadata.AttributeSystemMemoryLinuxKsmState
		pages int64
	}{
		{metadata.AttributeSystemMemoryLinuxKsmStateShared, k.Shared},
		{metadata.AttributeSystemMemoryLinuxKsmStateSharing, k.Sharing},
		{metadata.AttributeSystemMemoryLinuxKsmStateUnshared, k.Unshared},
		{metadata.AttributeSystemMemoryLinuxKsmStateVolatile, k.Volatile},
	} {
		recordKnown(of.pages, func(v int64) { s.mb.RecordSystemMemoryLinuxKsmPagesDataPoint(t.time, v, of.state) })
	}
	recordCounter(k.FullScans, func(v int64) { s.mb.RecordSystemMemoryLinuxKsmFullScansDataPoint(t.time, v) })
	return err
}

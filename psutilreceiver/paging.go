package psutilreceiver

import (
	"errors"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

type pagingScraper struct {
	scraperSettings
	// minor is the highest count of minor faults so far. The kernel counts a fault as major before it counts it at all, so that
	// the difference may step back for a moment.
	minor int64
}

func newPagingScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &pagingScraper{scraperSettings: settings}, nil
}

func (s *pagingScraper) scrape(t *scrapeContext) error {
	return errors.Join(s.scrapeSwaps(t), s.scrapeTotals(t))
}

func (s *pagingScraper) scrapeSwaps(t *scrapeContext) error {
	swaps, err := s.host.Swaps()
	for _, swap := range swaps {
		for _, part := range []struct {
			state metadata.AttributeSystemPagingState
			bytes int64
		}{
			{metadata.AttributeSystemPagingStateUsed, swap.Used},
			{metadata.AttributeSystemPagingStateFree, swap.Size - swap.Used},
		} {
			s.mb.RecordSystemPagingUsageDataPoint(t.time, part.bytes, swap.Device, part.state)
			if swap.Size > 0 {
				s.mb.RecordSystemPagingUtilizationDataPoint(t.time, float64(part.bytes)/float64(swap.Size), swap.Device, part.state)
			}
		}
	}
	return err
}

func (s *pagingScraper) scrapeTotals(t *scrapeContext) error {
	vm, err := s.host.VM()
	if isLost(err) {
		return err
	}
	minor := vm.Faults
	if vm.Faults >= 0 && vm.MajorFaults >= 0 {
		s.minor = max(s.minor, vm.Faults-vm.MajorFaults)
		minor = s.minor
	} else if vm.Faults >= 0 {
		minor = vm.MajorFaults // As little known.
	}
	recordCounter(vm.MajorFaults, func(v int64) {
		s.mb.RecordSystemPagingFaultsDataPoint(t.time, v, metadata.AttributeSystemPagingFaultTypeMajor)
	})
	recordCounter(minor, func(v int64) {
		s.mb.RecordSystemPagingFaultsDataPoint(t.time, v, metadata.AttributeSystemPagingFaultTypeMinor)
	})
	s.recordSwapped(t, vm.SwappedIn, vm.PageSize, metadata.AttributeSystemPagingDirectionIn)
	s.recordSwapped(t, vm.SwappedOut, vm.PageSize, metadata.AttributeSystemPagingDirectionOut)
	return err
}

// recordSwapped records pages that went to or came from swap. All of them are major: they waited for storage.
func (s *pagingScraper) recordSwapped(t *scrapeContext, pages, pageSize int64, direction metadata.AttributeSystemPagingDirection) {
	recordCounter(pages, func(v int64) {
		s.mb.RecordSystemPagingOperationsDataPoint(t.time, v, direction, metadata.AttributeSystemPagingFaultTypeMajor)
		s.mb.RecordSystemPagingIoDataPoint(t.time, v*pageSize, direction)
	})
}

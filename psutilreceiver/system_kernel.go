package psutilreceiver

import (
	"errors"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// softInterruptTypes are the kinds of soft interrupts in the kernel's order.
var softInterruptTypes = [host.SoftInterruptKinds]metadata.AttributeSystemCPULinuxSoftInterruptType{
	metadata.AttributeSystemCPULinuxSoftInterruptTypeHi, metadata.AttributeSystemCPULinuxSoftInterruptTypeTimer,
	metadata.AttributeSystemCPULinuxSoftInterruptTypeNetTx, metadata.AttributeSystemCPULinuxSoftInterruptTypeNetRx,
	metadata.AttributeSystemCPULinuxSoftInterruptTypeBlock, metadata.AttributeSystemCPULinuxSoftInterruptTypeIrqPoll,
	metadata.AttributeSystemCPULinuxSoftInterruptTypeTasklet, metadata.AttributeSystemCPULinuxSoftInterruptTypeSched,
	metadata.AttributeSystemCPULinuxSoftInterruptTypeHrtimer, metadata.AttributeSystemCPULinuxSoftInterruptTypeRcu,
}

// scrapeInterrupts records interrupts by kind.
func (s *systemScraper) scrapeInterrupts(t *scrapeContext) error {
	var softErr, hardErr error
	if s.metrics.SystemCPULinuxSoftInterrupts.Enabled {
		var kinds [host.SoftInterruptKinds]int64
		if kinds, softErr = s.host.SoftInterrupts(); !isLost(softErr) {
			for i, v := range kinds {
				recordCounter(v, func(v int64) { s.mb.RecordSystemCPULinuxSoftInterruptsDataPoint(t.time, v, softInterruptTypes[i]) })
			}
		}
	}
	if s.metrics.SystemCPULinuxInterrupts.Enabled {
		var list []host.Interrupt
		if list, hardErr = s.interrupts.Read(); !isLost(hardErr) {
			for i := range list {
				s.mb.RecordSystemCPULinuxInterruptsDataPoint(t.time, list[i].Count, list[i].Name, list[i].Description)
			}
		}
	}
	return errors.Join(softErr, hardErr)
}

func (s *systemScraper) scrapeEntropy(t *scrapeContext) error {
	if !s.metrics.SystemLinuxEntropyAvailable.Enabled {
		return nil
	}
	bits, err := s.host.Entropy()
	if err == nil {
		s.mb.RecordSystemLinuxEntropyAvailableDataPoint(t.time, bits)
	}
	return auxiliary(err)
}

func (s *systemScraper) scrapeInodes(t *scrapeContext) error {
	if !s.metrics.SystemLinuxInodeCount.Enabled && !s.metrics.SystemLinuxInodeFree.Enabled {
		return nil
	}
	inodes, err := s.host.Inodes()
	if !isLost(err) {
		recordKnown(inodes.Count, func(v int64) { s.mb.RecordSystemLinuxInodeCountDataPoint(t.time, v) })
		recordKnown(inodes.Free, func(v int64) { s.mb.RecordSystemLinuxInodeFreeDataPoint(t.time, v) })
	}
	return auxiliary(err)
}

func (s *systemScraper) scrapeDentries(t *scrapeContext) error {
	m := &s.metrics
	if !m.SystemLinuxDentryCount.Enabled && !m.SystemLinuxDentryUnused.Enabled && !m.SystemLinuxDentryNegative.Enabled {
		return nil
	}
	dentries, err := s.host.Dentries()
	if !isLost(err) {
		recordKnown(dentries.Count, func(v int64) { s.mb.RecordSystemLinuxDentryCountDataPoint(t.time, v) })
		recordKnown(dentries.Unused, func(v int64) { s.mb.RecordSystemLinuxDentryUnusedDataPoint(t.time, v) })
		recordKnown(dentries.Negative, func(v int64) { s.mb.RecordSystemLinuxDentryNegativeDataPoint(t.time, v) })
	}
	return auxiliary(err)
}

package psutilreceiver

import (
	"errors"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// systemScraper reports what belongs to the host as a whole: uptime, logins, open files, what the kernel holds in memory, and its totals.
type systemScraper struct {
	scraperSettings
	interrupts  *host.Interrupts
	kernelAsked bool      // when the kernel changed: it does not while the host runs
	kernelSince time.Time // zero if that is not known
}

func newSystemScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &systemScraper{scraperSettings: settings, interrupts: host.NewInterrupts(settings.host)}, nil
}

func (s *systemScraper) scrape(t *scrapeContext) error {
	return errors.Join(s.scrapeUptime(t), s.scrapeLogins(t), s.scrapeFileHandles(t), s.scrapeKernel(t), s.scrapeHungTasks(t), s.scrapeMaintenance(t),
		s.scrapeInterrupts(t), s.scrapeEntropy(t), s.scrapeInodes(t), s.scrapeDentries(t))
}

func (s *systemScraper) scrapeUptime(t *scrapeContext) error {
	if !s.metrics.SystemUptime.Enabled {
		return nil
	}
	up, err := s.host.Uptime()
	if err != nil {
		return err
	}
	s.mb.RecordSystemUptimeDataPoint(t.time, up.Seconds())
	return nil
}

func (s *systemScraper) scrapeLogins(t *scrapeContext) error {
	if !s.metrics.SystemSessionCount.Enabled && !s.metrics.SystemUserCount.Enabled {
		return nil
	}
	logins, err := s.host.Logins()
	if err != nil {
		return err
	}
	s.mb.RecordSystemSessionCountDataPoint(t.time, logins.Sessions)
	s.mb.RecordSystemUserCountDataPoint(t.time, logins.Users)
	return nil
}

func (s *systemScraper) scrapeFileHandles(t *scrapeContext) error {
	if !s.metrics.SystemLinuxFileHandleCount.Enabled && !s.metrics.SystemLinuxFileHandleLimit.Enabled {
		return nil
	}
	handles, err := s.host.FileHandles()
	if isLost(err) {
		return err
	}
	recordKnown(handles.Allocated, func(v int64) { s.mb.RecordSystemLinuxFileHandleCountDataPoint(t.time, v) })
	recordKnown(handles.Limit, func(v int64) { s.mb.RecordSystemLinuxFileHandleLimitDataPoint(t.time, v) })
	return err
}

func (s *systemScraper) scrapeKernel(t *scrapeContext) error {
	m := &s.metrics
	if !m.SystemCPUContextSwitches.Enabled && !m.SystemCPUInterrupts.Enabled && !m.SystemCPUSoftInterrupts.Enabled {
		return nil
	}
	k, err := s.host.Kernel()
	if isLost(err) {
		return err
	}
	recordCounter(k.ContextSwitches, func(v int64) { s.mb.RecordSystemCPUContextSwitchesDataPoint(t.time, v) })
	recordCounter(k.Interrupts, func(v int64) { s.mb.RecordSystemCPUInterruptsDataPoint(t.time, v) })
	recordCounter(k.SoftInterrupts, func(v int64) { s.mb.RecordSystemCPUSoftInterruptsDataPoint(t.time, v) })
	return err
}

func (s *systemScraper) scrapeHungTasks(t *scrapeContext) error {
	if !s.metrics.SystemLinuxTaskHung.Enabled {
		return nil
	}
	hung, err := s.host.HungTasks()
	if errors.Is(err, host.ErrUnsupported) {
		return nil
	}
	if isLost(err) {
		return err
	}
	recordCounter(hung, func(v int64) { s.mb.RecordSystemLinuxTaskHungDataPoint(t.time, v) })
	return err
}

// scrapeMaintenance records which kernel runs, and whether the host is to be restarted.
func (s *systemScraper) scrapeMaintenance(t *scrapeContext) error {
	if s.metrics.SystemLinuxRebootRequired.Enabled {
		if required, err := s.host.RebootRequired(); err == nil {
			s.mb.RecordSystemLinuxRebootRequiredDataPoint(t.time, oneIf(required))
		}
	}
	if s.metrics.SystemLinuxKernelAge.Enabled {
		if !s.kernelAsked {
			s.kernelSince, _ = s.host.KernelSince(t.now)
			s.kernelAsked = true
		}
		if age := t.now.Sub(s.kernelSince); !s.kernelSince.IsZero() && age >= 0 {
			s.mb.RecordSystemLinuxKernelAgeDataPoint(t.time, age.Seconds())
		}
	}
	if !s.metrics.SystemLinuxKernelInfo.Enabled {
		return nil
	}
	kernel, err := s.host.KernelRelease()
	if err != nil {
		return err
	}
	s.mb.RecordSystemLinuxKernelInfoDataPoint(t.time, 1, kernel.Release, kernel.Version)
	return nil
}

package psutilreceiver

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// HardwareConfig configures the hardware scraper.
type HardwareConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// DIMMs shows the errors of each memory module in place of those of its controller.
	DIMMs bool `mapstructure:"dimms"`
	// PCIErrors shows the errors of each PCI Express device that has Advanced Error Reporting, beside those of memory.
	PCIErrors bool `mapstructure:"pci_errors"`
	// MachineChecks shows the machine check exceptions of the CPUs, beside the errors of memory.
	MachineChecks bool `mapstructure:"machine_checks"`
}

// hardwareScraper reports errors that the hardware has counted.
type hardwareScraper struct {
	scraperSettings
	errors *host.HardwareErrors
}

func newHardwareScraper(cfg HardwareConfig, settings scraperSettings) (scraper, error) {
	sources := host.ErrorSources{DIMMs: cfg.DIMMs, PCI: cfg.PCIErrors, MachineChecks: cfg.MachineChecks}
	return &hardwareScraper{scraperSettings: settings, errors: host.NewHardwareErrors(settings.host, sources)}, nil
}

func (s *hardwareScraper) close() error { return s.errors.Close() }

func (s *hardwareScraper) scrape(t *scrapeContext) error {
	if !s.metrics.HwErrors.Enabled {
		return nil
	}
	components, err := s.errors.Read()
	for i := range components {
		c := &components[i]
		s.mb.Reset(metadata.WithStartTime(s.starts.Start(c.ID, c.Identity)))
		for _, e := range c.Errors {
			recordCounter(e.Count, func(v int64) {
				s.mb.RecordHwErrorsDataPoint(t.time, v, c.ID, c.Name, componentTypes[c.Kind], metadata.WithErrorTypeMetricAttribute(e.Type))
			})
		}
	}
	s.mb.Reset(metadata.WithStartTime(t.boot))
	return err
}

// componentTypes are the values of hw.type.
var componentTypes = [...]metadata.AttributeHwType{
	host.ComponentMemory: metadata.AttributeHwTypeMemory,
	host.ComponentPCI:    metadata.AttributeHwTypePci,
	host.ComponentCPU:    metadata.AttributeHwTypeCPU,
}

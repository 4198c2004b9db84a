package psutilreceiver

import (
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/systemd"
)

// SystemdConfig configures the systemd scraper.
type SystemdConfig struct {
	ScraperConfig `mapstructure:",squash"`
	// Units has patterns of the names of units that are shown, as a shell has them: *.service.
	Units []string `mapstructure:"units"`
	// ExcludeUnits has patterns of the names of units that are not shown.
	ExcludeUnits []string `mapstructure:"exclude_units"`
	// MaxUnits is how many units are shown at most.
	MaxUnits int `mapstructure:"max_units"`
}

// defaultSystemdConfig shows the units that do something or that others wait for. Devices, scopes, slices and targets are left out.
func defaultSystemdConfig() SystemdConfig {
	return SystemdConfig{
		Units:    []string{"*.service", "*.socket", "*.timer", "*.mount", "*.automount", "*.swap", "*.path"},
		MaxUnits: 1000,
	}
}

// Validate checks the patterns and the limit.
func (c *SystemdConfig) Validate() error {
	var errs []error
	for key, patterns := range map[string][]string{"units": c.Units, "exclude_units": c.ExcludeUnits} {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil || p == "" {
				errs = append(errs, fmt.Errorf("%s has %q, which is no pattern: write names of units with *, ? or [...], as in *.service", key, p))
			}
		}
	}
	if c.MaxUnits <= 0 {
		errs = append(errs, fmt.Errorf("max_units is %d: it must be at least 1", c.MaxUnits))
	}
	return errors.Join(errs...)
}

// systemdPatience is how long a scrape waits for systemd. What comes later is the answer to the next scrape.
const systemdPatience = 250 * time.Millisecond

// systemdScraper reports the units of systemd.
type systemdScraper struct {
	scraperSettings
	reader  *systemd.Reader
	rb      *metadata.ResourceBuilder
	warned  bool // that there are too many units
	noticed bool // that there is no systemd
}

func newSystemdScraper(cfg SystemdConfig, settings scraperSettings) (scraper, error) {
	m := settings.metrics
	query := systemd.Query{
		Include: cfg.Units, Exclude: cfg.ExcludeUnits, Limit: cfg.MaxUnits,
		System:     m.SystemdSystemState.Enabled || m.SystemdUnitFailed.Enabled,
		Restarts:   m.SystemdServiceRestarts.Enabled,
		Timers:     m.SystemdTimerLastTriggerTime.Enabled || m.SystemdTimerLastTriggerAge.Enabled,
		Sockets:    m.SystemdSocketAccepted.Enabled || m.SystemdSocketRefused.Enabled,
		StartTime:  m.SystemdUnitStartTime.Enabled,
		ChangeTime: m.SystemdUnitChangeTime.Enabled,
	}
	query.Units = m.SystemdUnitState.Enabled || query.Restarts || query.Timers || query.Sockets || query.StartTime || query.ChangeTime
	settings.attributes.SystemdUnitName.Enabled = true // A unit has it in any case; the configuration says whether processes have it, too.
	return &systemdScraper{
		scraperSettings: settings,
		reader:          systemd.NewReader(systemd.NewClient(settings.host.Root()), query),
		rb:              metadata.NewResourceBuilder(settings.attributes),
	}, nil
}

func (s *systemdScraper) close() error { return s.reader.Close() }

func (s *systemdScraper) scrape(t *scrapeContext) error {
	found, err := s.reader.Read(systemdPatience)
	switch {
	case errors.Is(err, systemd.ErrTooMany):
		if !s.warned {
			s.warned = true
			s.logger.Warn("systemd has more units than scrapers::systemd::max_units; the rest is left out: name fewer in units, or raise the limit")
		}
	case errors.Is(err, host.ErrUnsupported):
		if !s.noticed {
			s.noticed = true
			s.logger.Info("There is no systemd on this host, or its socket can't be reached: the systemd scraper has nothing to report")
		}
		return err
	case err != nil:
		return err
	}
	for i := range found.Units {
		s.recordUnit(t, &found.Units[i])
	}
	s.recordSystem(t, found)
	return nil
}

// recordUnit records what is known of a unit under a resource of its own.
func (s *systemdScraper) recordUnit(t *scrapeContext, u *systemd.Unit) {
	s.mb.Reset(metadata.WithStartTime(s.starts.Start(u.Name, 0)))
	for value := metadata.AttributeSystemdUnitActiveStateActive; value <= metadata.AttributeSystemdUnitActiveStateRefreshing; value++ {
		s.mb.RecordSystemdUnitStateDataPoint(t.time, oneIf(value.String() == u.ActiveState), value)
	}
	recordKnown(u.Restarts, func(v int64) { s.mb.RecordSystemdServiceRestartsDataPoint(t.time, v) })
	recordKnown(u.Accepted, func(v int64) { s.mb.RecordSystemdSocketAcceptedDataPoint(t.time, v) })
	recordKnown(u.Refused, func(v int64) { s.mb.RecordSystemdSocketRefusedDataPoint(t.time, v) })
	if !u.LastTrigger.IsZero() {
		s.mb.RecordSystemdTimerLastTriggerTimeDataPoint(t.time, unixSeconds(u.LastTrigger))
		// A clock that was set back since makes no negative age.
		s.mb.RecordSystemdTimerLastTriggerAgeDataPoint(t.time, max(0, t.time.AsTime().Sub(u.LastTrigger).Seconds()))
	}
	if !u.Started.IsZero() {
		s.mb.RecordSystemdUnitStartTimeDataPoint(t.time, unixSeconds(u.Started))
	}
	if !u.Changed.IsZero() {
		s.mb.RecordSystemdUnitChangeTimeDataPoint(t.time, unixSeconds(u.Changed))
	}
	s.rb.SetSystemdUnitName(u.Name)
	resource := s.rb.Emit()
	copyAttributes(s.resource.Attributes(), resource.Attributes())
	s.mb.EmitForResource(metadata.WithMovedResource(resource))
	t.emit()
}

// recordSystem records what is known of the system as a whole, after the last part.
func (s *systemdScraper) recordSystem(t *scrapeContext, found *systemd.Snapshot) {
	s.mb.Reset(metadata.WithStartTime(t.boot))
	recordKnown(found.Failed, func(v int64) { s.mb.RecordSystemdUnitFailedDataPoint(t.time, v) })
	if found.State == "" {
		return
	}
	known := metadata.MapAttributeSystemdSystemState[found.State]
	if known == 0 {
		known = metadata.AttributeSystemdSystemStateUnknown
	}
	for value := metadata.AttributeSystemdSystemStateInitializing; value <= metadata.AttributeSystemdSystemStateUnknown; value++ {
		s.mb.RecordSystemdSystemStateDataPoint(t.time, oneIf(value == known), value)
	}
}

func unixSeconds(at time.Time) float64 { return float64(at.UnixMicro()) / 1e6 }

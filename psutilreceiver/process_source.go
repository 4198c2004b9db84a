package psutilreceiver

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

// newProcessSource returns what the process scraper reads processes by.
func newProcessSource(settings scraperSettings, cfg ProcessConfig) (read.Source, error) {
	reader := read.New(settings.host.Root())
	reader.KeepArguments(cfg.CommandLineArgs)
	return reader, nil
}

package psutilreceiver

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/textfile"
)

// TextfileConfig is the block of the textfile scraper.
type TextfileConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// Directories are where the files are, *.prom in the text format of Prometheus: absolute paths on the host, below root_path.
	Directories []string `mapstructure:"directories"`
	// MaxSeries is how many series all files may have together. A file with which there would be more is left out.
	MaxSeries int `mapstructure:"max_series"`
	// MaxFileSize is how many bytes a file may have. A larger one is left out.
	MaxFileSize int64 `mapstructure:"max_file_size"`
}

func defaultTextfileConfig() TextfileConfig {
	return TextfileConfig{MaxSeries: 10_000, MaxFileSize: 4 << 20}
}

// Validate reports what is wrong with the block.
func (c *TextfileConfig) Validate() error {
	var errs []error
	if len(c.Directories) == 0 {
		errs = append(errs, errors.New("directories is required: name the directories of the *.prom files"))
	}
	for _, dir := range c.Directories {
		if !filepath.IsAbs(dir) {
			errs = append(errs, fmt.Errorf("directories: %q is no absolute path", dir))
		}
	}
	if c.MaxSeries < 1 {
		errs = append(errs, errors.New("max_series must be at least 1"))
	}
	if c.MaxFileSize < 1 {
		errs = append(errs, errors.New("max_file_size must be at least 1 byte"))
	}
	return errors.Join(errs...)
}

// textfileScraper passes on the metrics that programs leave in files.
type textfileScraper struct {
	scraperSettings
	config TextfileConfig
	files  textfile.Set
	read   pmetric.MetricSlice // of this scrape, until it is emitted
}

func newTextfileScraper(config TextfileConfig, settings scraperSettings) (scraper, error) {
	return &textfileScraper{scraperSettings: settings, config: config, files: textfile.Set{MaxSeries: config.MaxSeries, Delta: settings.delta}}, nil
}

// maxTextFiles bounds the files of a directory, each of which has two metrics of its own.
const maxTextFiles = 1000

// reservedNames are the receiver's own: rules and graphs would take a file's metrics of these names for what the kernel says.
var reservedNames = sync.OnceValues(func() (*textfile.Reserved, error) {
	catalog, err := ReadCatalog()
	if err != nil {
		return nil, err
	}
	all := catalog.WithOldForm()
	return textfile.NewReserved(maps.Keys(all.Metrics), slices.Values(all.ResourceAttributes)), nil
})

func (s *textfileScraper) scrape(t *scrapeContext) error {
	if s.files.Reserved == nil {
		reserved, err := reservedNames()
		if err != nil {
			return err
		}
		s.files.Reserved = reserved
	}
	s.read = pmetric.NewMetricSlice()
	s.files.Begin()
	there := map[string]bool{}
	var errs []error
	for _, dir := range s.config.Directories {
		found, err := s.host.TextFiles(dir, ".prom", maxTextFiles)
		if err != nil {
			errs = append(errs, err)
		}
		for _, f := range found {
			if there[f.Path] {
				continue // The directory is listed twice.
			}
			there[f.Path] = true
			version := textfile.Version{Modified: f.Modified, Size: f.Size, Inode: f.Inode}
			switch {
			case f.Err != nil:
				s.files.Read(f.Path, version, nil, f.Err)
			case s.files.Known(f.Path, version):
			case f.Size > s.config.MaxFileSize:
				s.files.Read(f.Path, version, nil, textfile.ErrTooLarge)
			default:
				text, err := s.host.ReadTextFile(dir, f.Name, s.config.MaxFileSize)
				s.files.Read(f.Path, version, text, err)
			}
			name := filepath.Join(dir, f.Name)
			broken, tell := s.files.Emit(f.Path, s.read, t.time, t.boot, t.previous)
			if tell != nil {
				s.logger.Warn("A text file is left out until it is mended", zap.String("file", name), zap.Error(tell))
			}
			if f.Err == nil {
				s.mb.RecordSystemTextfileMtimeDataPoint(t.time, float64(f.Modified.UnixMilli())/1000, name)
			}
			failed := int64(0)
			if broken {
				failed = 1
			}
			s.mb.RecordSystemTextfileErrorDataPoint(t.time, failed, name)
		}
	}
	s.files.End(there)
	return errors.Join(errs...)
}

// extend adds what the files have to what the scraper has recorded: their metrics have names that no generated code knows.
func (s *textfileScraper) extend(md pmetric.Metrics) {
	if s.read.Len() == 0 {
		return
	}
	rm := md.ResourceMetrics().AppendEmpty()
	s.resource.CopyTo(rm.Resource())
	scope := rm.ScopeMetrics().AppendEmpty()
	scope.Scope().SetName(metadata.ScopeName + "/textfile")
	s.read.MoveAndAppendTo(scope.Metrics())
}

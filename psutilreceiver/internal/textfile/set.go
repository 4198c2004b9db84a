package textfile

import (
	"errors"
	"fmt"
	"time"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Version tells one content of a file from another.
type Version struct {
	Modified time.Time
	Size     int64
	Inode    uint64
}

// Set is the files of a scraper, by path. It is not safe for concurrent use.
type Set struct {
	// MaxSeries is how many series all files may have together.
	MaxSeries int
	// Delta tells that histograms are to have what was counted since their last point. Counters are turned by whoever emits them.
	Delta bool
	// Reserved are names that no file may have.
	Reserved *Reserved

	files  map[string]*file
	round  uint64
	series int
	types  map[string]dto.MetricType // Of this round.
	known  map[string]struct{}       // Series of this round, by metric and labels.
	counts map[string]counted
	totals map[string]totals // Of histograms, with Delta.
}

// file is what was last read of a file.
type file struct {
	version  Version
	families []Family
	series   int
	err      error
	told     string // The last problem that was told of.
}

// counted is a histogram or a summary: since when it counts, and how far it had come.
type counted struct {
	count uint64
	start pcommon.Timestamp
	round uint64
}

// Begin starts a scrape.
func (s *Set) Begin() {
	if s.files == nil {
		s.files, s.counts, s.totals = map[string]*file{}, map[string]counted{}, map[string]totals{}
	}
	s.round++
	s.series, s.types, s.known = 0, map[string]dto.MetricType{}, map[string]struct{}{}
}

// Known tells whether the content of a file has been read already.
func (s *Set) Known(path string, v Version) bool {
	f := s.files[path]
	return f != nil && f.version == v
}

// Read takes the content of a file, or why it could not be read.
func (s *Set) Read(path string, v Version, text []byte, err error) {
	before := s.files[path]
	f := &file{version: v, err: err}
	if before != nil {
		f.told = before.told
	}
	if err == nil {
		f.families, f.err = Parse(text, s.Reserved)
	} else {
		f.version = Version{} // It is tried again.
	}
	for i := range f.families {
		f.series += len(f.families[i].Keys)
		for _, m := range f.families[i].GetMetric() {
			if f.err == nil && m.GetHistogram() != nil && !orderly(m.GetHistogram()) {
				f.err = fmt.Errorf("%s: the buckets are no histogram: bounds have to rise, and counts must not fall", f.families[i].GetName())
			}
		}
	}
	s.files[path] = f
}

// Emit appends the metrics of a file, unless there is something wrong with it. The problem is told of once.
func (s *Set) Emit(path string, to pmetric.MetricSlice, at, boot, previous pcommon.Timestamp) (broken bool, tell error) {
	f := s.files[path]
	if f == nil {
		return false, nil
	}
	err := f.err
	if err == nil {
		err = s.admit(f)
	}
	if err != nil {
		if f.told == err.Error() {
			return true, nil
		}
		f.told = err.Error()
		return true, err
	}
	f.told = ""
	for i := range f.families {
		name := f.families[i].GetName()
		f.families[i].appendTo(to, at, boot, func(series string, count uint64) pcommon.Timestamp {
			return s.start(name+"{"+series, count, boot, previous)
		})
		if s.Delta && f.families[i].GetType() == dto.MetricType_HISTOGRAM && len(f.families[i].Keys) > 0 {
			s.differences(name, f.families[i].Keys, to.At(to.Len()-1).Histogram())
		}
	}
	to.RemoveIf(func(m pmetric.Metric) bool {
		return m.Type() == pmetric.MetricTypeHistogram && m.Histogram().DataPoints().Len() == 0
	})
	return false, nil
}

// admit takes the series of a file, if they go with those of the files before it.
func (s *Set) admit(f *file) error {
	if s.series+f.series > s.MaxSeries {
		return fmt.Errorf("with it there would be %d series, and max_series is %d", s.series+f.series, s.MaxSeries)
	}
	for i := range f.families {
		name := f.families[i].GetName()
		if t, there := s.types[name]; there && t != f.families[i].GetType() {
			return fmt.Errorf("%s is a %s here, and another file has it as a %s", name, typeName(f.families[i].GetType()), typeName(t))
		}
		for _, key := range f.families[i].Keys {
			if _, there := s.known[name+"{"+key]; there {
				return fmt.Errorf("another file has %s{%s}, too", name, cut(key))
			}
		}
	}
	s.series += f.series
	for i := range f.families {
		name := f.families[i].GetName()
		s.types[name] = f.families[i].GetType()
		for _, key := range f.families[i].Keys {
			s.known[name+"{"+key] = struct{}{}
		}
	}
	return nil
}

func typeName(t dto.MetricType) string {
	return map[dto.MetricType]string{
		dto.MetricType_COUNTER: "counter", dto.MetricType_GAUGE: "gauge", dto.MetricType_HISTOGRAM: "histogram",
		dto.MetricType_SUMMARY: "summary", dto.MetricType_UNTYPED: "untyped metric",
	}[t]
}

// start is since when a histogram or a summary counts: since the boot, or since the scrape before the one in which its count had fallen.
func (s *Set) start(series string, count uint64, boot, previous pcommon.Timestamp) pcommon.Timestamp {
	c, there := s.counts[series]
	switch {
	case !there:
		c.start = boot
	case count < c.count && previous != 0:
		c.start = previous
	}
	c.count, c.round = count, s.round
	s.counts[series] = c
	return c.start
}

// End forgets files that are not there any more.
func (s *Set) End(there map[string]bool) {
	for path := range s.files {
		if !there[path] {
			delete(s.files, path)
		}
	}
	for series, c := range s.counts {
		if c.round != s.round {
			delete(s.counts, series)
		}
	}
	for series, total := range s.totals {
		if total.round != s.round {
			delete(s.totals, series)
		}
	}
}

// ErrTooLarge is returned for a file that is larger than max_file_size.
var ErrTooLarge = errors.New("it is larger than max_file_size")

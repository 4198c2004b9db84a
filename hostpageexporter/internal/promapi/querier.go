package promapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

// maxSamples bounds what a query reads, and so the memory that it takes.
const maxSamples = 1_000_000

var errTooMuch = fmt.Errorf("the query reads more than %d samples: ask for a shorter time or fewer series", maxSamples)

// staleMarker is the value by which the query engine knows that a series has ended.
var staleMarker = math.Float64frombits(value.StaleNaN)

// sample is one sample; its time is in milliseconds.
type sample struct {
	t int64
	v float64
}

func (s sample) T() int64                      { return s.t }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.v }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

// sampleList is samples in the order of their times, each time once.
type sampleList []sample

// add takes the time in microseconds. A later sample of one millisecond takes the place of the earlier.
func (l *sampleList) add(us int64, v float64) {
	t := us / 1000
	if n := len(*l); n > 0 && (*l)[n-1].t >= t {
		(*l)[n-1].v = v
		return
	}
	*l = append(*l, sample{t, v})
}

// Get and Len make it what the query engine reads.
func (l sampleList) Get(i int) chunks.Sample { return l[i] }

// Len is how many samples there are.
func (l sampleList) Len() int { return len(l) }

func (l sampleList) series(of labels.Labels) storage.Series {
	return &storage.SeriesEntry{Lset: of, SampleIteratorFn: func(chunkenc.Iterator) chunkenc.Iterator { return storage.NewListSeriesIterator(l) }}
}

// querier reads a store. It implements storage.Querier.
type querier struct {
	store    *history.Store
	index    *index
	from, to int64 // Milliseconds.
}

// Querier makes it a storage.Queryable, too.
func (q *querier) Querier(from, to int64) (storage.Querier, error) {
	return &querier{q.store, q.index, from, to}, nil
}

// Close has nothing to give back.
func (q *querier) Close() error { return nil }

// Select reads the series that all matchers match.
func (q *querier) Select(_ context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if hints == nil {
		hints = &storage.SelectHints{Start: q.from, End: q.to}
	}
	out, err := q.tableSamples(hints, matchers)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	byID := map[uint32]labels.Labels{}
	query := history.SamplesQuery{From: hints.Start * 1000, To: hints.End * 1000, Every: every(hints), Of: extreme(hints.Func)}
	for _, x := range q.index.matching(matchers) {
		query.IDs = append(query.IDs, x.id)
		byID[x.id] = x.labels
	}
	count := 0
	if len(query.IDs) > 0 {
		q.store.Samples(query, func(s history.Samples) {
			if count += len(s.Times); count > maxSamples {
				err = errTooMuch
				return
			}
			list := make(sampleList, 0, len(s.Times))
			for i, t := range s.Times {
				v := s.Values[i]
				if math.IsNaN(v) {
					v = staleMarker
				}
				list.add(t, v)
			}
			out = append(out, list.series(byID[s.ID]))
		})
	}
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	if sorted {
		slices.SortFunc(out, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	}
	return &seriesSet{list: out}
}

// tableSamples reads the series that are made of tables.
func (q *querier) tableSamples(hints *storage.SelectHints, matchers []*labels.Matcher) ([]storage.Series, error) {
	processes, err := q.processSamples(hints, matchers)
	if err != nil {
		return nil, err
	}
	groups, err := q.groupSamples(hints, matchers)
	return append(processes, groups...), err
}

// every is how far apart samples may be for a selection, in microseconds: a range must have some of them.
func every(hints *storage.SelectHints) int64 {
	step := hints.Step
	if hints.Range > 0 {
		step = min(max(step, 1), hints.Range/4)
	}
	return step * 1000
}

// extreme is which value of an interval a function asks for.
func extreme(function string) history.Extreme {
	switch function {
	case "max_over_time":
		return history.Largest
	case "min_over_time":
		return history.Smallest
	default:
		return history.Mean
	}
}

// labelSets are the labels of all series that the matchers match, those of processes and control groups among them.
func (q *querier) labelSets(matchers []*labels.Matcher) ([]labels.Labels, error) {
	var out []labels.Labels
	for _, x := range q.index.matching(matchers) {
		out = append(out, x.labels)
	}
	tables, err := q.tableSamples(&storage.SelectHints{Start: max(q.from, q.to-lookback.Milliseconds()), End: q.to}, matchers)
	if err != nil {
		return nil, err
	}
	for _, s := range tables {
		out = append(out, s.Labels())
	}
	return out, nil
}

// LabelValues are the values of a label, in order.
func (q *querier) LabelValues(_ context.Context, name string, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return q.distinct(matchers, func(l labels.Labels, take func(string)) {
		if v := l.Get(name); v != "" {
			take(v)
		}
	})
}

// LabelNames are the names of labels, in order.
func (q *querier) LabelNames(_ context.Context, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return q.distinct(matchers, func(l labels.Labels, take func(string)) { l.Range(func(x labels.Label) { take(x.Name) }) })
}

func (q *querier) distinct(matchers []*labels.Matcher, each func(labels.Labels, func(string))) ([]string, annotations.Annotations, error) {
	sets, err := q.labelSets(matchers)
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]struct{}{}
	for _, l := range sets {
		each(l, func(text string) { seen[text] = struct{}{} })
	}
	out := make([]string, 0, len(seen))
	for text := range seen {
		out = append(out, text)
	}
	slices.Sort(out)
	return out, nil, nil
}

// seriesSet is a list of series. It implements storage.SeriesSet.
type seriesSet struct {
	list []storage.Series
	next int
}

// Next goes to the next series.
func (s *seriesSet) Next() bool { s.next++; return s.next <= len(s.list) }

// At is the present one.
func (s *seriesSet) At() storage.Series { return s.list[s.next-1] }

// Err has nothing to say: what fails does before.
func (s *seriesSet) Err() error { return nil }

// Warnings has none.
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

var errNoSelector = errors.New("match[] is required: a series selector such as up{job=\"x\"}")

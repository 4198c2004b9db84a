package textfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/otelcol-psutil/otelcol-psutil/internal/exposition"
)

// Family is one metric of a file.
type Family struct {
	*dto.MetricFamily
	// Keys has for each series the text of its labels, in their order by name.
	Keys []string
}

// ErrTimestamps is returned for a file with timestamps: a metric would then have the time at which it was written, and be old at every scrape but the first.
var ErrTimestamps = errors.New("it has timestamps, which are not supported: leave them out")

// Parse reads a text, of which no name may be a reserved one. Metrics are in the order of their names.
func Parse(text []byte, reserved *Reserved) ([]Family, error) {
	families, err := exposition.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, errors.New(cut(err.Error()))
	}
	out := make([]Family, 0, len(families))
	for name, mf := range families {
		if err := reserved.check(mf); err != nil {
			return nil, err
		}
		f := Family{MetricFamily: mf}
		mf.Help = helpOf(mf.Help)
		seen := make(map[string]struct{}, len(mf.GetMetric()))
		for _, m := range mf.GetMetric() {
			if m.TimestampMs != nil {
				return nil, ErrTimestamps
			}
			key := labelKey(m)
			if _, twice := seen[key]; twice {
				return nil, fmt.Errorf("it has %s{%s} twice", name, cut(key))
			}
			seen[key] = struct{}{}
			f.Keys = append(f.Keys, key)
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Family) int { return strings.Compare(a.GetName(), b.GetName()) })
	return out, nil
}

// maxHelp bounds the description of a metric, in bytes: it goes with each batch.
const maxHelp = 1024

// helpOf is a description of which nothing is not UTF-8.
func helpOf(text *string) *string {
	if text == nil {
		return nil
	}
	return new(strings.ToValidUTF8((*text)[:min(len(*text), maxHelp)], "�"))
}

// labelKey names a series of a metric.
func labelKey(m *dto.Metric) string {
	labels := slices.Clone(m.GetLabel())
	slices.SortFunc(labels, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	var b strings.Builder
	for i, l := range labels {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s=%q", l.GetName(), l.GetValue())
	}
	return b.String()
}

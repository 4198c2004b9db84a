// Package exposition reads metrics as Prometheus exposes them: its text format.
package exposition

import (
	"errors"
	"io"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Accept returns the value of the HTTP header Accept that asks a server for the text format.
func Accept() string { return string(expfmt.NewFormat(expfmt.TypeTextPlain)) }

// ErrUnreadable is returned for text on which the parser of the format fails: samples in braces without the name of a metric are such.
var ErrUnreadable = errors.New("text format parsing error: it can't be read; does each line have the name of a metric?")

// Parse returns the metrics of a text by their names. Where the text breaks off, or is none of the format, the error says so, with the line if that
// is known.
func Parse(text io.Reader) (families map[string]*dto.MetricFamily, err error) {
	// The text comes from other programs. Some of it makes the parser panic (github.com/prometheus/common/pull/922 and
	// github.com/prometheus/common/pull/811), which must not end the Collector.
	defer func() {
		if recover() != nil {
			families, err = nil, ErrUnreadable
		}
	}()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(text)
}

package alertpipe

import (
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// Feed shows the points of md to an engine outside of any pipeline, between Begin and Flush, as the components do.
func Feed(engine *alert.Engine, md pmetric.Metrics) { new(feeder).feed(engine, md) }

// Compile reads the rule files and compiles all rules, those of the preset, the inline ones and those of the files.
func (c *Config) Compile() (*rules.Set, error) { return c.compile() }

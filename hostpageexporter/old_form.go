package hostpageexporter

import (
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics/translate"
)

// ours gives metrics with the names of the semantic conventions. Those that came in the form of hostmetricsreceiver are copied before, for other
// exporters have them, too.
func ours(md pmetric.Metrics) pmetric.Metrics {
	if !hasOldForm(md) {
		return md
	}
	out := pmetric.NewMetrics()
	md.CopyTo(out)
	t := translate.ToOurs()
	for _, rm := range out.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			if hostmetrics.IsScope(sm.Scope().Name()) {
				t.Metrics(sm.Metrics())
				t.Resource(rm.Resource().Attributes())
			}
		}
	}
	return out
}

func hasOldForm(md pmetric.Metrics) bool {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			if hostmetrics.IsScope(sm.Scope().Name()) {
				return true
			}
		}
	}
	return false
}

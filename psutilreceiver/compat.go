package psutilreceiver

import (
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics/translate"
)

// compatOutput gives what one scraper emits the form of hostmetricsreceiver.
type compatOutput struct {
	translator *translate.Translator
	scope      string
}

// newCompatOutput returns nil if the output keeps its form.
func (c *Config) newCompatOutput(scraper string) *compatOutput {
	if c.Compat != compatHostmetrics {
		return nil
	}
	return &compatOutput{translator: translate.ToOld(), scope: hostmetrics.ScopeOf(scraper)}
}

// edit changes metrics in place, after the stage.
func (o *compatOutput) edit(md pmetric.Metrics) {
	if o == nil {
		return
	}
	for _, rm := range md.ResourceMetrics().All() {
		o.translator.Resource(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			sm.Scope().SetName(o.scope)
			o.translator.Metrics(sm.Metrics())
		}
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool { return sm.Metrics().Len() == 0 })
	}
	md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool { return rm.ScopeMetrics().Len() == 0 })
}

// appendScopes moves the scopes of a resource to those of another. Scopes of one name become one.
func appendScopes(from, to pmetric.ScopeMetricsSlice) {
	for _, sm := range from.All() {
		target, found := scopeNamed(to, sm.Scope().Name())
		if !found {
			target = to.AppendEmpty()
			sm.Scope().CopyTo(target.Scope())
		}
		sm.Metrics().MoveAndAppendTo(target.Metrics())
	}
}

func scopeNamed(scopes pmetric.ScopeMetricsSlice, name string) (pmetric.ScopeMetrics, bool) {
	for _, sm := range scopes.All() {
		if sm.Scope().Name() == name {
			return sm, true
		}
	}
	return pmetric.ScopeMetrics{}, false
}

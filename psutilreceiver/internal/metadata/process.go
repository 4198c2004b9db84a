package metadata

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	conventions "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// EmitForProcess is EmitForResource for what is recorded of a process or a group of processes, the metrics named process: a host may have thousands, and to
// ask each of the other metrics for points costs more than what it records. The resource is what rb has built, which begins the next one.
func (mb *MetricsBuilder) EmitForProcess(rb *ResourceBuilder) {
	if !mb.keepsResource(rb.res.Attributes()) {
		mb.emitProcessMetrics(pmetric.NewMetricSlice())
		rb.res.Attributes().Clear()
		return
	}
	resources := mb.metricsBuffer.ResourceMetrics()
	rm := resources.AppendEmpty()
	rm.SetSchemaUrl(conventions.SchemaURL)
	scope := rm.ScopeMetrics().AppendEmpty()
	scope.Scope().SetName(ScopeName)
	scope.Scope().SetVersion(mb.buildInfo.Version)
	scope.Metrics().EnsureCapacity(mb.metricsCapacity)
	mb.emitProcessMetrics(scope.Metrics())
	rb.res.MoveTo(rm.Resource())
	if scope.Metrics().Len() > 0 {
		mb.updateCapacity(rm)
		return
	}
	last := resources.Len() - 1
	at := -1
	resources.RemoveIf(func(pmetric.ResourceMetrics) bool { at++; return at == last })
}

// StartAt is Reset with a start time alone. Reset asks the clock as well, which counts where it is called for each of thousands of processes.
func (mb *MetricsBuilder) StartAt(start pcommon.Timestamp) { mb.startTime = start }

// keepsResource tells whether the filters of resource attributes let a resource pass.
func (mb *MetricsBuilder) keepsResource(attributes pcommon.Map) bool {
	if len(mb.resourceAttributeIncludeFilter)+len(mb.resourceAttributeExcludeFilter) == 0 {
		return true
	}
	for attribute, filter := range mb.resourceAttributeIncludeFilter {
		if v, ok := attributes.Get(attribute); ok && !filter.Matches(v.AsString()) {
			return false
		}
	}
	for attribute, filter := range mb.resourceAttributeExcludeFilter {
		if v, ok := attributes.Get(attribute); ok && filter.Matches(v.AsString()) {
			return false
		}
	}
	return true
}

func (mb *MetricsBuilder) emitProcessMetrics(metrics pmetric.MetricSlice) {
	mb.metricProcessChildrenCPUTime.emit(metrics)
	mb.metricProcessContextSwitches.emit(metrics)
	mb.metricProcessCPUTime.emit(metrics)
	mb.metricProcessCPUUtilization.emit(metrics)
	mb.metricProcessCPUUtilizationWindow.emit(metrics)
	mb.metricProcessDiskIo.emit(metrics)
	mb.metricProcessGroupProcessCount.emit(metrics)
	mb.metricProcessGroupStatus.emit(metrics)
	mb.metricProcessGroupUptime.emit(metrics)
	mb.metricProcessIoLogical.emit(metrics)
	mb.metricProcessMemoryPss.emit(metrics)
	mb.metricProcessMemoryShared.emit(metrics)
	mb.metricProcessMemorySwap.emit(metrics)
	mb.metricProcessMemoryUsage.emit(metrics)
	mb.metricProcessMemoryUss.emit(metrics)
	mb.metricProcessMemoryUtilization.emit(metrics)
	mb.metricProcessMemoryVirtual.emit(metrics)
	mb.metricProcessNice.emit(metrics)
	mb.metricProcessPagingFaults.emit(metrics)
	mb.metricProcessRlimit.emit(metrics)
	mb.metricProcessSignalsPending.emit(metrics)
	mb.metricProcessStatus.emit(metrics)
	mb.metricProcessThreadCount.emit(metrics)
	mb.metricProcessUnixFileDescriptorCount.emit(metrics)
	mb.metricProcessUnixFileDescriptorLimit.emit(metrics)
	mb.metricProcessUptime.emit(metrics)
	mb.metricProcessWindowsHandleCount.emit(metrics)
}

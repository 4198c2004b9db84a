// Package metadata is generated from metadata.yaml, but for this file and process.go.
package metadata

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// WithMovedResource is WithResource without the copy: res is empty afterwards. It is for resources that are built for one emission.
func WithMovedResource(res pcommon.Resource) ResourceMetricsOption {
	return resourceMetricsOptionFunc(func(rm pmetric.ResourceMetrics) { res.MoveTo(rm.Resource()) })
}

// Grow makes room for n attributes of the resource that is built next, which otherwise gets up to twice the room that it needs.
func (rb *ResourceBuilder) Grow(n int) { rb.res.Attributes().EnsureCapacity(n) }

// Attributes returns those of the resource that is being built.
func (rb *ResourceBuilder) Attributes() pcommon.Map { return rb.res.Attributes() }

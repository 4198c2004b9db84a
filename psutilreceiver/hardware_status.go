package psutilreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// recordHardwareStatus records a point of hw.status for each state that a component may have: 1 for the one that it is in, 0 for the others.
func recordHardwareStatus(
	mb *builder, ts pcommon.Timestamp, id, name string, kind metadata.AttributeHwType, states []metadata.AttributeHwState, current metadata.AttributeHwState,
) {
	for _, state := range states {
		mb.RecordHwStatusDataPoint(ts, oneIf(state == current), id, name, state, kind)
	}
}

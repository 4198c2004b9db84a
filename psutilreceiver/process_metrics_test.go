package psutilreceiver

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// TestEveryProcessMetricIsOneRow enables one metric of metadata.yaml after the other, and expects the row with its name alone to be enabled.
func TestEveryProcessMetricIsOneRow(t *testing.T) {
	rows := map[string]bool{}
	for _, m := range processMetrics {
		assert.False(t, rows[m.name], "%s is a row twice", m.name)
		rows[m.name] = true
		assert.NotEqual(t, m.counters == nil, m.value == nil, "%s is recorded in one way", m.name)
	}
	kind := reflect.TypeFor[metadata.MetricsConfig]()
	for i := range kind.NumField() {
		name := kind.Field(i).Tag.Get("mapstructure")
		if !strings.HasPrefix(name, "process.") {
			continue
		}
		var enabled metadata.MetricsConfig
		reflect.ValueOf(&enabled).Elem().Field(i).FieldByName("Enabled").SetBool(true)
		var found []string
		for _, m := range processMetrics {
			if m.enabled(&enabled) {
				found = append(found, m.name)
			}
		}
		assert.True(t, rows[name], "%s has no row", name)
		if name != "process.windows.handle.count" && name != "process.unix.file_descriptor.count" {
			assert.Equal(t, []string{name}, found)
		}
		delete(rows, name)
	}
	assert.Empty(t, rows, "rows of metrics that metadata.yaml does not have")
}

func TestFieldsThatMetricsNeed(t *testing.T) {
	assert.Zero(t, fieldsOf(&metadata.MetricsConfig{}))
	var m metadata.MetricsConfig
	m.ProcessChildrenCPUTime.Enabled = true
	assert.Equal(t, read.FieldCPU|read.FieldReaped, fieldsOf(&m))
	m = metadata.MetricsConfig{}
	m.SystemProcessCPUUnattributed.Enabled = true
	assert.Equal(t, read.FieldCPU|read.FieldChildren, fieldsOf(&m))
	m = metadata.MetricsConfig{}
	m.ProcessMemorySwap.Enabled, m.ProcessCPUUtilization.Enabled = true, true
	assert.Equal(t, read.FieldSwap|read.FieldCPU, fieldsOf(&m))
}

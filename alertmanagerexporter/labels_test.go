package alertmanagerexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestLabels(t *testing.T) {
	base := map[string]any{"alert.rule.name": "disk", "alert.id": "9e7d", "alert.metric.name": "system.filesystem.utilization"}
	for _, tt := range []struct {
		name            string
		labeler         labeler
		resource, attrs map[string]any
		want            map[string]string // Besides alertname and alert_id.
	}{
		{
			name:     "the group, the rule and the host",
			resource: map[string]any{"host.name": "db1", "os.type": "linux"},
			attrs:    map[string]any{"system.filesystem.mountpoint": "/", "alert.label.team": "storage", "alert.value": 0.9},
			want: map[string]string{
				"system_filesystem_mountpoint": "/", "team": "storage", "host_name": "db1", "instance": "db1", "os_type": "linux",
			},
		},
		{
			name: "what changes while the host stays is no label",
			resource: map[string]any{
				"host.name": "db1", "service.instance.id": "7", "host.ip": []any{"10.0.0.1"}, "telemetry.sdk.name": "x", "process.pid": 7,
				"os.description": "Debian",
			},
			want: map[string]string{"host_name": "db1", "instance": "db1"},
		},
		{
			name:     "a process is identified by its attributes",
			resource: map[string]any{"process.pid": 7, "process.command_args": []any{"a"}},
			attrs:    map[string]any{"alert.metric.name": "process.cpu.time"},
			want:     map[string]string{"process_pid": "7"},
		},
		{
			name:     "only the resource attributes that were asked for",
			labeler:  labeler{resourceKeys: []string{"service.instance.id", "absent"}},
			resource: map[string]any{"host.name": "db1", "service.instance.id": "7"},
			want:     map[string]string{"service_instance_id": "7", "instance": "db1"},
		},
		{
			name:    "added labels overwrite nothing",
			labeler: labeler{added: map[string]string{"cluster": "eu1", "team": "ops"}},
			attrs:   map[string]any{"alert.label.team": "storage"},
			want:    map[string]string{"cluster": "eu1", "team": "storage"},
		},
		{
			name:     "of two with one name the first in order keeps it",
			resource: map[string]any{"a.b": "resource", "same.x": "1"},
			attrs:    map[string]any{"a.b": "group", "a_b": "group too", "alert.label.a_b": "rule", "same_x": "1"},
			want: map[string]string{
				"a_b": "rule", "exported_a_b": "group", "exported_exported_a_b": "group too",
				"exported_exported_exported_a_b": "resource", "same_x": "1",
			},
		},
		{
			name:  "nobody takes the exporter's own labels",
			attrs: map[string]any{"alert.label.severity": "page", "alertname": "mine", "alert.label.alert_id": "9e7d", "alert.label.instance": "db7"},
			want:  map[string]string{"exported_severity": "page", "exported_alertname": "mine", "exported_alert_id": "9e7d", "instance": "db7"},
		},
		{
			name:  "names and values are made valid, an empty value is no label",
			attrs: map[string]any{"9lives": "x", "größe": "12", "alert.label.": "empty name", "bad": "a\xffb", "none": "", "list": []any{"a", 1}},
			want:  map[string]string{"_9lives": "x", "gr__e": "12", "_": "empty name", "bad": "a\uFFFDb", "list": `["a",1]`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resource, attrs := pcommon.NewMap(), pcommon.NewMap()
			require.NoError(t, resource.FromRaw(tt.resource))
			require.NoError(t, attrs.FromRaw(base))
			for key, value := range tt.attrs {
				v := attrs.PutEmpty(key)
				require.NoError(t, v.FromRaw(value))
			}
			tt.want["alertname"], tt.want["alert_id"] = "disk", "9e7d"
			assert.Equal(t, tt.want, tt.labeler.labels(resource, attrs))
		})
	}
}

func FuzzLabelName(f *testing.F) {
	for _, seed := range []string{"", "host.name", "9", "größe", "__x", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		name := labelName(key)
		assert.Regexp(t, validName, name)
		assert.Equal(t, name, labelName(name), "a valid name stays as it is")
	})
}

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the Collector looks for only when it starts.
func TestStorages(t *testing.T) {
	const (
		components = `
receivers: {psutil: {}, otlp: {}, filelog: {storage: gone}}
processors: {batch: {}, alert: {}, alert/kept: {storage: file_storage}}
connectors: {alert: {}, alert/kept: {storage: file_storage}, alert/quiet: {output: {send_resolved: false}}, forward/a: {}, forward/b: {}}
exporters: {otlp: {}, alertmanager: {}, alertmanager/kept: {storage: file_storage}, notify: {}, notify/kept: {storage: file_storage}}
`
		service = `
extensions: {health_check: {}, file_storage: {}, file_storage/b: {directory: b}}
service: {extensions: [health_check, file_storage], pipelines: %}`
		remedy = ": give it to both or to neither"
	)
	one := func(settings string) string {
		return "exporters: {otlp: " + settings + "}" + strings.Replace(service, "%", "{metrics: {receivers: [psutil], exporters: [otlp]}}", 1)
	}
	flow := func(pipelines string) string { return components + strings.Replace(service, "%", "{"+pipelines+"}", 1) }
	for _, c := range []struct {
		name, config string
		want         []string
	}{
		{"there", one("{storage: file_storage, sending_queue: {storage: file_storage}}"), nil},
		{"mistyped", one("{storage: file_storge}"), []string{
			`exporters::otlp::storage: "file_storge" is not under extensions (did you mean "file_storage"?)`,
		}},
		{"like none", one("{storage: redis}"), []string{
			`exporters::otlp::storage: "redis" is not under extensions (known: file_storage, file_storage/b, health_check)`,
		}},
		{"no ID", one("{storage: file_storage/}"), []string{
			`exporters::otlp::storage: "file_storage/" is not under extensions (did you mean "file_storage"?)`,
		}},
		{
			"notify without one", flow("metrics: {receivers: [psutil], exporters: [alert/kept]}, logs: {receivers: [alert/kept], exporters: [notify, notify/kept]}"),
			[]string{"exporters::notify has no storage but connectors::alert/kept has, so that a restart forgets who was told of what" + remedy},
		},
		{
			"ends that nobody hears of", flow("metrics: {receivers: [psutil], exporters: [alert/quiet]}, logs: {receivers: [alert/quiet], exporters: [otlp, alertmanager, notify]}"),
			[]string{
				"connectors::alert/quiet::output::send_resolved: false keeps the end of alerts from exporters::alertmanager, so that whoever it tells never hears that they are over: leave it out",
				"connectors::alert/quiet::output::send_resolved: false keeps the end of alerts from exporters::notify, so that whoever it tells never hears that they are over: leave it out",
			},
		},
		{"in the environment", one("{storage: \"${env:ALERTCHECK_STORAGE:-file_storge}\"}"), []string{
			`exporters::otlp::storage: "file_storge" is not under extensions (did you mean "file_storage"?)`,
		}},
		{"does not run", one("{sending_queue: {storage: file_storage/b}}"), []string{
			`exporters::otlp::sending_queue::storage: "file_storage/b" is under extensions but not listed in service::extensions: add it there`,
		}},
		{"of a queue that is off", one("{sending_queue: {enabled: false, storage: gone}}"), nil},
		{"something else of that name", one("{storage: {type: disk}}"), nil},
		{"no extensions", `
connectors: {alert: {storage: file_storage}}
service: {pipelines: {metrics: {receivers: [psutil], exporters: [alert]}, logs: {receivers: [alert], exporters: [otlp]}}}`, []string{
			`connectors::alert::storage: "file_storage" is not under extensions: add it there, and to service::extensions`,
		}},
		{"of receivers and processors", `
receivers: {filelog: {storage: file_storage}}
processors: {alert/x: {storage: file_storage}}
extensions: {file_storage: }
service: {pipelines: {logs: {receivers: [filelog], processors: [alert/x], exporters: [otlp]}}}`, []string{
			`receivers::filelog::storage: "file_storage" is under extensions but not listed in service::extensions: add it there`,
			`processors::alert/x::storage: "file_storage" is under extensions but not listed in service::extensions: add it there`,
		}},
		{"of what no pipeline uses", flow("metrics: {receivers: [psutil], exporters: [otlp]}"), nil},

		{"neither side", flow("metrics: {receivers: [psutil], exporters: [alert]}, logs: {receivers: [alert], exporters: [alertmanager]}"), nil},
		{"both sides", flow("metrics: {receivers: [psutil], exporters: [alert/kept]}, logs: {receivers: [alert/kept], exporters: [alertmanager/kept]}"), nil},
		{
			"the connector alone",
			flow("metrics: {receivers: [psutil], exporters: [alert/kept]}, logs/a: {receivers: [alert/kept], exporters: [alertmanager]}"),
			[]string{"exporters::alertmanager has no storage but connectors::alert/kept has, so that a restart resolves what fires" + remedy},
		},
		{"the exporter alone", flow("metrics: {receivers: [psutil], exporters: [alert]}, logs: {receivers: [alert], exporters: [alertmanager/kept]}"), []string{
			"connectors::alert has no storage but exporters::alertmanager/kept has, so that a restart lets fire what is over" + remedy,
		}},
		{
			"the processor alone",
			flow("metrics: {receivers: [psutil], processors: [alert/kept], exporters: [otlp]}, " +
				"logs: {receivers: [otlp], processors: [alert/kept], exporters: [alertmanager]}"),
			[]string{"exporters::alertmanager has no storage but processors::alert/kept has, so that a restart resolves what fires" + remedy},
		},
		{
			"each with its like",
			flow("metrics: {receivers: [psutil], processors: [alert], exporters: [alert/kept]}, logs/a: {receivers: [alert/kept], exporters: [alertmanager/kept]}, " +
				"logs/b: {receivers: [otlp], processors: [alert], exporters: [otlp, alertmanager]}"),
			nil,
		},
		{
			"behind connectors that make a circle",
			flow("metrics: {receivers: [psutil], exporters: [alert]}, logs/a: {receivers: [alert, forward/b], exporters: [forward/a]}, " +
				"logs/b: {receivers: [forward/a], exporters: [forward/b, alertmanager/kept]}"),
			[]string{"connectors::alert has no storage but exporters::alertmanager/kept has, so that a restart lets fire what is over" + remedy},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.config)
			status, _, stderr := alertcheck(t, "", "rules", path)
			var want []string
			for _, line := range c.want {
				want = append(want, path+": "+line+"\n")
			}
			assert.Equal(t, strings.Join(want, ""), stderr)
			assert.Equal(t, len(c.want) > 0, status == failed)
		})
	}
	t.Run("pipelines that are none", func(t *testing.T) {
		status, _, stderr := alertcheck(t, "", "rules", write(t, flow("metrics: 7")))
		assert.Equal(t, failed, status)
		assert.Contains(t, stderr, "decoding: 'service.pipelines[metrics]'")
	})
}

// The reload of the packages' service runs the check on whatever the operator took from the examples.
func TestExamplesPass(t *testing.T) {
	examples, err := filepath.Glob("../../examples/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, example := range examples {
		t.Run(filepath.Base(example), func(t *testing.T) {
			path, err := filepath.Abs(example)
			require.NoError(t, err)
			status, _, stderr := alertcheck(t, "", "rules", path)
			assert.Equal(t, ok, status)
			assert.Empty(t, stderr)
		})
	}
}

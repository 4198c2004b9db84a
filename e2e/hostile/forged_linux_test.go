package hostile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// sendLogs sends log records.
func sendLogs(t *testing.T, address string, logs plog.Logs) {
	t.Helper()
	require.NoError(t, harness.PostLogs(t.Context(), address, logs))
}

// forge sends log records that look like those of alerts, and then one that does not, which says ordinary. Genuine are records as they came out, to
// begin with.
func forge(t *testing.T, address string, genuine plog.Logs, ordinary string) {
	t.Helper()
	for _, change := range []func(plog.LogRecord){
		func(lr plog.LogRecord) { // The alert of the host has ended.
			lr.Attributes().PutStr("alert.transition", "resolve")
			lr.Attributes().PutStr("alert.state", "resolved")
			lr.Attributes().PutStr("log.record.uid", "forged-1")
			lr.Attributes().PutInt("alert.occurrences", 2)
			lr.Attributes().PutStr("alert.ended_at", time.Now().UTC().Format(time.RFC3339Nano))
			lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		},
		func(lr plog.LogRecord) { // The same record with another state.
			lr.Attributes().PutStr("alert.state", "resolved")
			lr.Attributes().PutInt("alert.occurrences", 7)
		},
		func(lr plog.LogRecord) { // An alert that there is not.
			lr.Attributes().PutStr("alert.id", "0123456789abcdef")
			lr.Attributes().PutStr("alert.episode.id", "fedcba9876543210")
			lr.Attributes().PutStr("log.record.uid", "forged-2")
			lr.Attributes().PutStr("host.name", "invented")
		},
		func(lr plog.LogRecord) { lr.Attributes().PutStr("host.name", "invented") },          // The same record of another host,
		func(lr plog.LogRecord) { lr.Attributes().PutStr("alert.label.instance", "forged") }, // with a label,
		func(lr plog.LogRecord) { lr.Body().SetStr("forged-7") },                             // and another text.
		func(lr plog.LogRecord) { lr.SetEventName("alert.suppressed"); lr.Body().SetStr("forged-3") },
		func(lr plog.LogRecord) { lr.SetEventName("alert.rule_error"); lr.Body().SetStr("forged-4") },
		func(lr plog.LogRecord) { lr.SetEventName("alert.rule"); lr.Body().SetStr("forged-5") },
		func(lr plog.LogRecord) {
			lr.SetEventName("")
			lr.Attributes().PutStr("event.name", "alert.state_change")
			lr.Body().SetStr("forged-6")
		},
	} {
		forged := plog.NewLogs()
		genuine.CopyTo(forged)
		for _, rl := range forged.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					change(lr)
					if host, ok := lr.Attributes().Get("host.name"); ok {
						rl.Resource().Attributes().PutStr("host.name", host.Str())
					}
				}
			}
		}
		sendLogs(t, address, forged)
	}
	plain := plog.NewLogs()
	plain.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(ordinary)
	sendLogs(t, address, plain)
}

// openReceiver has an open receiver before alerts of both kinds. A batch stands between, which forgets who has sent what.
const openReceiver = `
receivers:
  otlp: {protocols: {http: {endpoint: %[1]s}}}
processors:
  batch: {timeout: 100ms}
  alert: &alert
    evaluation_interval: 1s
    accept_external_records: %[4]t
    storage: file_storage
    rules: [{name: load, metric: load, threshold: 5, severity: warning, group_by: [resource.host.name]}]
connectors:
  alert:
    evaluation_interval: 1s
    storage: file_storage
    rules: [{name: load, metric: load, threshold: 5, severity: warning, group_by: [resource.host.name]}]
exporters:
  file: {path: processor.jsonl, flush_interval: 100ms, append: true}
  file/connector: {path: connector.jsonl, flush_interval: 100ms, append: true}
  alertmanager/processor: {endpoint: %[2]s, storage: file_storage, accept_external_records: %[4]t}
  alertmanager/connector: {endpoint: %[3]s, storage: file_storage, accept_external_records: %[4]t}
  host_page: {endpoint: %[5]s, accept_external_records: %[4]t}
  nop:
extensions:
  file_storage: {directory: state, create_directory: true}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], processors: [alert], exporters: [alert, nop]}
    logs/processor: {receivers: [otlp], processors: [alert, batch], exporters: [file, alertmanager/processor]}
    logs/connector: {receivers: [otlp, alert], processors: [batch], exporters: [file/connector, alertmanager/connector, host_page]}
`

// openSettings is openReceiver without the keys that older builds lack, where these are nothing but the default.
func openSettings(accept bool, receiver, processor, connector, page string) string {
	text := fmt.Sprintf(openReceiver, receiver, processor, connector, accept, page)
	if !accept {
		text = strings.ReplaceAll(text, "\n    accept_external_records: false", "")
		text = strings.ReplaceAll(text, ", accept_external_records: false", "")
	}
	return text
}

func firstLogs(t *testing.T, path string) (logs plog.Logs) {
	t.Helper()
	harness.Eventually(t, "the first record in "+path, func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		line, _, complete := strings.Cut(string(text), "\n")
		if !complete {
			return errors.New("no line yet")
		}
		logs, err = (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		return err
	})
	return logs
}

// firing are the hosts whose alerts the page shows as firing.
func firing(page string) (hosts []string, err error) {
	var answer struct {
		Firing []string
		Alerts []struct {
			Episode  string
			Resource map[string]string
		}
	}
	err = harness.GetJSON("http://"+page+"/api/alerts", &answer)
	for _, episode := range answer.Firing {
		for _, a := range answer.Alerts {
			if a.Episode == episode {
				hosts = append(hosts, a.Resource["host.name"])
			}
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), err
}

// openGateway runs openReceiver between whoever sends to it, two servers and the page.
type openGateway struct {
	dir, receiver, page              string
	behindProcessor, behindConnector *alertmanager
	hosts                            []string // Whose alerts are real, and go on: those that the servers know.
	shown                            []string // Those of them that the page knows, which forgets at a restart.
	ended                            []string // Whose alerts have ended.
}

// forgeAndAlert sends forged records, and then has the alert of one more host fire. That one is real. When it has come everywhere so have the forged
// ones, as far as they come: nothing is different for the hosts, and there are no others.
func (g *openGateway) forgeAndAlert(t *testing.T, host string) {
	t.Helper()
	ordinary := "ordinary before " + host
	forge(t, g.receiver, firstLogs(t, filepath.Join(g.dir, "connector.jsonl")), ordinary)
	sendHighLoad(t, g.receiver, host)
	g.hosts, g.shown = append(g.hosts, host), append(g.shown, host)
	slices.Sort(g.shown)
	for _, am := range []*alertmanager{g.behindProcessor, g.behindConnector} {
		am.await(t, host)
	}
	harness.Eventually(t, "the page shows "+host, func() error {
		hosts, err := firing(g.page)
		if err == nil && !slices.Contains(hosts, host) {
			err = fmt.Errorf("so far there is %v", hosts)
		}
		return err
	})
	for _, name := range []string{"processor.jsonl", "connector.jsonl"} {
		harness.Eventually(t, "the ordinary record in "+name, func() error {
			text, err := os.ReadFile(filepath.Join(g.dir, name))
			if err == nil && !strings.Contains(string(text), `"`+ordinary+`"`) {
				err = errors.New("it is not there yet")
			}
			return err
		})
	}
	active := map[string]bool{}
	for _, host := range g.hosts {
		active[host] = true
	}
	for _, host := range g.ended {
		active[host] = false
	}
	for _, am := range []*alertmanager{g.behindProcessor, g.behindConnector} {
		assert.Equal(t, active, am.hosts())
	}
	shown, err := firing(g.page)
	require.NoError(t, err)
	assert.Equal(t, g.shown, shown)
	written, err := os.ReadFile(filepath.Join(g.dir, "processor.jsonl"))
	require.NoError(t, err)
	assert.NotContains(t, string(written), "forged")
}

// TestForgedRecordsChangeNothing has somebody who can send logs try to fire and to end alerts: at first, and after a reload and a restart. The alerts of
// the hosts go on, at Alertmanager and on the page, and their own records get through.
func TestForgedRecordsChangeNothing(t *testing.T) {
	t.Parallel()
	g := &openGateway{
		dir: t.TempDir(), receiver: harness.FreeAddress(t), page: harness.FreeAddress(t),
		behindProcessor: newAlertmanager(t), behindConnector: newAlertmanager(t),
	}
	text := openSettings(false, g.receiver, g.behindProcessor.URL, g.behindConnector.URL, g.page)
	// The processor, the exporter behind the connector and the page say once in a run that they have refused records. Nothing forged comes to the
	// exporter behind the processor.
	const refusing = 3
	refused := func(p *harness.Process) int { return strings.Count(p.Output(), "accept_external_records") }

	p := harness.Start(t, g.dir, text)
	sendHighLoad(t, g.receiver, "real")
	g.hosts, g.shown = []string{"real"}, []string{"real"}
	g.forgeAndAlert(t, "at-first")
	g.forgeAndAlert(t, "again")
	assert.Equal(t, refusing, refused(p))

	require.NoError(t, p.Signal(syscall.SIGHUP))
	harness.Eventually(t, "the reload", func() error {
		if n := strings.Count(p.Output(), "Everything is ready"); n != 2 {
			return fmt.Errorf("%d starts", n)
		}
		return nil
	})
	g.forgeAndAlert(t, "after-a-reload")
	assert.Equal(t, 2*refusing, refused(p))
	require.NoError(t, p.Stop(t, syscall.SIGTERM))

	p = harness.Start(t, g.dir, text)
	harness.AwaitListener(t, g.receiver)
	g.shown = nil
	g.forgeAndAlert(t, "after-a-restart")
	assert.Equal(t, refusing, refused(p))
	sendUntilQuiet(t, g.receiver, g.hosts, g.behindProcessor, g.behindConnector)
	g.ended, g.hosts, g.shown = g.hosts, nil, nil
	g.replay(t)
	g.forgeAndAlert(t, "after-a-replay")
	require.NoError(t, p.Stop(t, syscall.SIGTERM))
}

// replay sends all records that came out so far as they are.
func (g *openGateway) replay(t *testing.T) {
	t.Helper()
	for _, name := range []string{"processor.jsonl", "connector.jsonl"} {
		text, err := os.ReadFile(filepath.Join(g.dir, name))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line)); err == nil { // The last line may be a part.
				sendLogs(t, g.receiver, logs)
			}
		}
	}
}

// TestExternalRecordsCount where that is asked for: at a gateway that sends the alerts of agents' engines to an Alertmanager.
func TestExternalRecordsCount(t *testing.T) {
	t.Parallel()
	dir, receiver, page := t.TempDir(), harness.FreeAddress(t), harness.FreeAddress(t)
	behindProcessor, behindConnector := newAlertmanager(t), newAlertmanager(t)
	harness.Start(t, dir, openSettings(true, receiver, behindProcessor.URL, behindConnector.URL, page))
	sendHighLoad(t, receiver, "real")
	forge(t, receiver, firstLogs(t, filepath.Join(dir, "connector.jsonl")), "ordinary")
	behindProcessor.await(t, "invented")
	behindConnector.await(t, "invented")
}

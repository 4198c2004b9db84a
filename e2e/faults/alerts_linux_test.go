package faults

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// toFileToo has the alerts go to a file, too, which shows what was emitted while the backend is away.
const toFileToo = `{connectors: {alert: {preset: {host: {override: {memory: {for: 0s}}}}, evaluation_interval: 1s, defaults: {flapping: {enabled: false}}}},
  exporters: {file/alerts: {path: alerts.jsonl, rotation: {max_megabytes: 100}}},
  service: {pipelines: {logs/alerts: {exporters: [%s, file/alerts]}}}}`

// alertsArrived are the transitions of the rule memory that the backend has, each once, and how often one came again.
func (s *sender) alertsArrived() (transitions []string, again int) {
	s.t.Helper()
	s.backend.mu.Lock()
	defer s.backend.mu.Unlock()
	uids := make(map[string]bool)
	for _, ld := range s.backend.logs {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					switch texts := harness.AttributeTexts(lr.Attributes()); {
					case texts["alert.rule.name"] != "memory":
					case uids[texts["log.record.uid"]]:
						again++
					default:
						uids[texts["log.record.uid"]] = true
						transitions = append(transitions, texts["alert.transition"])
					}
				}
			}
		}
	}
	return transitions, again
}

// TestFaultAlertsDuringAnOutage has an alert fire, end and fire again while the backend is down, and the collector be killed between.
func TestFaultAlertsDuringAnOutage(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s := newSender(t, protocol, fmt.Sprintf(toFileToo, protocol))
			s.begin()
			s.scrapes(5)
			s.backend.down()
			alerts := harness.AlertFile(filepath.Join(s.dir, "alerts.jsonl"))
			s.host.TakeMemory()
			alerts.Await(t, "memory", "fire", 1)
			s.scrapes(3) // so that the alert is not being sent when the collector is killed
			s.gone()
			s.begin()
			s.host.FreeMemory()
			alerts.Await(t, "memory", "resolve", 1)
			s.host.TakeMemory()
			alerts.Await(t, "memory", "fire", 2)
			transitions, _ := s.alertsArrived()
			require.Empty(t, transitions, "the backend is down")
			s.backend.up()
			harness.Eventually(t, "the alerts", func() error {
				if transitions, _ := s.alertsArrived(); len(transitions) < 3 {
					return fmt.Errorf("so far there is %q", transitions)
				}
				return nil
			})
			s.scrapes(5)
			transitions, again := s.alertsArrived()
			assert.Equal(t, []string{"fire", "resolve", "fire"}, transitions)
			t.Logf("%d records came again", again)
			s.ends()
		})
	}
}

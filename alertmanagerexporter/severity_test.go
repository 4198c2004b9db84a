package alertmanagerexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// However an alert comes to another severity, the alert of the old one ends, and the labels that route it stay: also for an exporter that has
// forgotten what it sent.
func TestNoSeverityLingers(t *testing.T) {
	for _, transition := range []string{"escalate", "deescalate", "repeat", "no_data", "data_back", "flapping_start", "flapping_end", "silence_start", "silence_end", "acknowledge", "a_later_one"} {
		for _, forgets := range []bool{false, true} {
			b := newBench(t, nil)
			b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
			if forgets {
				b.restart()
			}
			b.at(20, say{id: "a", transition: transition, severity: "critical", previous: "warning", started: 10, seq: 2})
			assert.Equal(t, map[string]string{"a": "critical"}, b.server.active(), "%s, forgets %t", transition, forgets)
			critical, warning := b.server.find(t, "critical"), b.server.find(t, "warning")
			for name, value := range warning.Labels {
				if name != labelSeverity {
					assert.Equal(t, value, critical.Labels[name], "%s after %s", name, transition)
				}
			}
			if forgets {
				b.restart()
			}
			b.at(30, say{id: "a", transition: "resolve", severity: "warning", previous: "critical", started: 10, seq: 3})
			assert.Empty(t, b.server.active(), "resolved after %s, forgets %t", transition, forgets)
			b.server.requireRight(t)
		}
	}
}

package rules

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

var updateMessages = flag.Bool("update-messages", false, "write testdata/preset_messages.json, which the tests of exporters read, too")

// presetMessage is what a record of a rule of the preset says.
type presetMessage struct {
	Rule, Severity, State, Transition, Metric, Unit, Text string
	Group, Annotations                                    map[string]string
}

// receiverUnits are the units of the receiver's metrics.
func receiverUnits(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../../psutilreceiver/metadata.yaml")
	require.NoError(t, err)
	var all struct {
		Metrics map[string]struct {
			Unit string `yaml:"unit"`
		} `yaml:"metrics"`
	}
	require.NoError(t, yaml.Unmarshal(text, &all))
	out := map[string]string{}
	for name, m := range all.Metrics {
		out[name] = m.Unit
	}
	return out
}

// breaching is a value that breaches a level.
func breaching(l *ladder.Level) float64 {
	for _, v := range []float64{l.Low + math.Abs(l.Low)/50, l.Low - math.Abs(l.Low)/50, l.Low + 1, l.Low - 1, l.High + 1, (l.Low + l.High) / 2, l.Low} {
		if l.Raised(v) {
			return v
		}
	}
	return l.Low
}

// messagesOfPreset are the messages of each level of each rule, as it fires, ends, and fires without a value.
func messagesOfPreset(t *testing.T) []presetMessage {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Preset = "host"
	set, err := Compile(cfg)
	require.NoError(t, err)
	units := receiverUnits(t)
	resource := []attr.Attr{attr.String("host.name", "db1"), attr.String("systemd.unit.name", "nginx.service"), attr.String("process.executable.name", "java")}
	values := map[string]string{"system.filesystem.mountpoint": "/srv/a <b>&\"c\"", "system.device": "sda1", "network.interface.name": "eth0", "hw.name": "coretemp", "hw.id": "temp1", "hw.type": "temperature", "error.type": "checksum"}
	var out []presetMessage
	for _, r := range set.Rules {
		var group []attr.Attr
		of := map[string]string{}
		for _, f := range r.GroupBy {
			if values[f.Key] != "" {
				of[f.Key] = values[f.Key]
			}
		}
		if !r.GroupGiven { // Then the group is all that the points have.
			of = values
		}
		for key, v := range of {
			group = append(group, attr.String(key, v))
		}
		unit, known := units[r.Metric]
		if !known && r.Metric != "" {
			unit = "1"
		}
		for i := range r.Levels {
			l := &r.Levels[i]
			bounds, err := l.Resolve(unit)
			if err != nil { // It is a ratio of that metric.
				unit = "1"
				bounds, err = l.Resolve(unit)
			}
			require.NoError(t, err, r.Name)
			if l.Raise[0].Moving != nil { // The bound is read from another metric.
				bounds.Low, bounds.ClearLow = 1000, 800
			}
			for _, state := range []alertschema.State{alertschema.StateFiring, alertschema.StateResolved} {
				for _, valid := range []bool{true, false} {
					found := Finding{Rule: r, Value: attr.Number{Float64: breaching(&bounds), Valid: valid}, Unit: unit, Level: l, Bounds: bounds, Transition: alertschema.TransitionFire}
					if state == alertschema.StateResolved {
						found.Transition, found.Over = alertschema.TransitionResolve, true
						found.Value.Float64 = bounds.ClearLow
					}
					m := presetMessage{
						Rule: r.Name, Severity: l.Name, State: state.String(), Transition: found.Transition.String(), Metric: r.Metric, Unit: unit, Group: of, Annotations: map[string]string{},
					}
					data := TemplateData{
						ValueText: found.ValueText(), Condition: found.Condition(), Value: found.Value.Float64, Threshold: bounds.Low, Duration: 90, Rule: r.Name, Metric: r.Metric,
						Unit: unit, Severity: l.Name, Transition: m.Transition, State: m.State, StartedAt: time.Unix(0, 0).UTC(),
					}.With(group, resource).InPercent(found.InPercent())
					for _, a := range r.Annotations {
						m.Annotations[a.Name], err = a.Template.Render(data)
						require.NoError(t, err, r.Name)
					}
					m.Text = r.Name + r.Kind.Text(found)
					if l.Message != nil {
						m.Text, err = l.Message.Render(data)
						require.NoError(t, err, r.Name)
					}
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// TestMessagesOfThePreset: what each rule says is as the file has it, is whole, and names the host once.
func TestMessagesOfThePreset(t *testing.T) {
	t.Parallel()
	messages := messagesOfPreset(t)
	names := map[string]bool{}
	for _, m := range messages {
		names[m.Rule] = true
		what := fmt.Sprintf("%s %s %s: %s", m.Rule, m.Severity, m.State, m.Text)
		for _, leftover := range []string{"<no value>", "%!", "{{", "}}", "<nil>", "NaN", "Inf", "  ", "()", " ,", " .", "map["} {
			assert.NotContains(t, m.Text, leftover, what)
		}
		assert.Equal(t, strings.TrimSpace(m.Text), m.Text, what)
		assert.LessOrEqual(t, strings.Count(m.Text, "db1"), 1, what)
		if subject, plural := pluralSubject(m.Text); plural {
			assert.NotContains(t, m.Text, subject+" on db1 has ", what)
		}
		words := strings.Fields(m.Text)
		for i := range words[1:] {
			assert.NotEqual(t, words[i], words[i+1], what)
		}
	}
	assert.Len(t, names, len(PresetHostRules()))
	got, err := json.MarshalIndent(messages, "", " ")
	require.NoError(t, err)
	const path = "testdata/preset_messages.json"
	if *updateMessages {
		require.NoError(t, os.WriteFile(path, append(got, '\n'), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(bytes.TrimSpace(want)), string(got), "run it with -update-messages and look at what changed")
}

// pluralSubject tells whether what a message is about are several.
func pluralSubject(text string) (string, bool) {
	subject, _, _ := strings.Cut(text, " on db1")
	for _, word := range []string{"inodes", "processes", "CPUs", "queues", "packets", "connections"} {
		if strings.HasPrefix(subject, word) || strings.HasSuffix(subject, word) {
			return subject, true
		}
	}
	return subject, false
}

package alert

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/window"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// described is a resource with something that only describes it.
func described(key, value string) []attr.Attr {
	return []attr.Attr{
		attr.String("host.name", "db1"), attr.String("service.name", "shop"), attr.String("service.instance.id", "1"), attr.String(key, value),
		attr.Int("process.pid", 7), attr.String("container.id", "c1"),
	}
}

// What only describes the thing changes while its alert fires: it is the same alert, and its series go on.
func TestADescriptionChangesWhileAnAlertFires(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"os.version", "os.description", "os.build_id", "service.version", "host.type", "host.image.version", "container.image.tags", "telemetry.sdk.version",
		"k8s.pod.label.version", "k8s.container.restart_count", "process.command_line", "process.executable.name", "container.name", "webengine.version", "acme.version", "host.ip",
	} {
		for _, form := range []string{"value", "window", "for", "sum", "absent", "ratio"} {
			t.Run(key+"/"+form, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
					switch form {
					case "window":
						rc.Window, rc.Aggregate, rc.FullWindow = 2*time.Minute, "min", new(true)
					case "for":
						rc.For = new(2 * time.Minute)
					case "sum":
						rc.GroupAggregate = "sum"
					case "absent":
						rc.Thresholds, rc.Severity, rc.GroupBy = nil, "critical", []string{"resource"}
						rc.Absent = &rules.AbsentConfig{For: 4 * time.Minute}
					case "ratio":
						rc.Metric, rc.Ratio = "", &rules.RatioConfig{Numerator: rules.SelectorConfig{Metric: "m"}, Denominator: rules.SelectorConfig{Metric: "m"}}
						rc.Thresholds = map[string]rules.LevelConfig{"warning": {Above: 0.5}}
					}
				}), nil)
				r.metric = "m"
				fired := 0
				for s := 0.0; s < 1800; s += 15 {
					r.origin.Reset()
					r.origin.Resource = append(r.origin.Resource, described(key, fmt.Sprint(int(s)/400))...)
					r.origin.ScopeVersion = fmt.Sprint(int(s) / 700)
					v := 85.0
					if s > 1700 {
						v = 10
					}
					r.observe(s, point{s: s, v: v})
					r.engine.Evaluate(at(s))
					for _, ev := range r.drain() {
						fired++
						switch ev.Transition {
						case alertschema.TransitionFire:
							assert.Equal(t, 1, fired, "%v: %s", s, ev.Body)
							assert.LessOrEqual(t, s, 135.0, "what came before the change counts")
						case alertschema.TransitionResolve:
							assert.Equal(t, 2, fired, "%v: %s", s, ev.Body)
							assert.Greater(t, s, 1700.0, "%s: %s", ev.Reason, ev.Body)
							v, _ := attr.Lookup(ev.Resource, key)
							assert.Equal(t, fmt.Sprint(int(s)/400), v.AsString(), "the record has the description of now")
						default:
							t.Errorf("%v: %s %s", s, ev.Transition, ev.Body)
						}
					}
				}
				want := map[string]int{"value": 2, "window": 2, "for": 2, "sum": 2, "absent": 0, "ratio": 1}
				assert.Equal(t, want[form], fired)
				assert.Equal(t, 1, r.engine.Stats(at(1800)).Groups)
				assert.Equal(t, 1, r.engine.Stats(at(1800)).Series)
				assert.Len(t, r.engine.resources, 1)
			})
		}
	}
}

// A change within the time of a pending alert does not begin it again.
func TestADescriptionChangesWhileAnAlertIsPending(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Window, rc.Aggregate, rc.FullWindow = 2*time.Minute, "avg", new(true) }), nil)
	for s := 0.0; s <= 120; s += 15 {
		r.origin.Reset()
		r.origin.Resource = append(r.origin.Resource, described("service.version", fmt.Sprint(s >= 60))...)
		r.step(s, 90)
	}
	assert.Equal(t, []string{"fire:warning"}, r.transitions(), "the window is full at 120 s, whoever the samples are from")
}

// What identifies the thing is another: these are two alerts.
func TestAnotherThingIsAnotherAlert(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"host.name", "host.id", "service.name", "service.namespace", "service.instance.id", "container.id", "k8s.pod.uid", "device.id", "rack"} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, ladderRule(nil), nil)
			for s := 0.0; s < 100; s += 15 {
				for _, value := range []string{"a", "b"} {
					r.origin.Reset()
					r.origin.Resource = append(r.origin.Resource, attr.String(key, value), attr.String("os.version", "1"), attr.String("service.name", "shop"))
					if key == "service.name" {
						r.origin.Resource = r.origin.Resource[:2]
					}
					r.observe(s, point{s: s, v: 90})
				}
			}
			assert.Equal(t, []string{"fire:warning", "fire:warning"}, r.transitions())
		})
	}
}

// Two that send under one identity are two series of one alert, whatever the order in which they come.
func TestTwoOfOneIdentityAtATime(t *testing.T) {
	t.Parallel()
	for _, counter := range []bool{true, false} {
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
			if counter {
				rc.Window, rc.Aggregate = 5*time.Minute, "increase"
			}
		}), nil)
		if counter {
			r.kind = window.CumulativeCounter
		}
		for s := 0.0; s < 1200; s += 15 {
			for i, version := range []string{"1", "2"} {
				if i == 1 && s < 300 {
					continue // It joins later.
				}
				r.origin.Reset()
				r.origin.Resource = append(r.origin.Resource, described("service.version", version)...)
				when := s + float64(i)*8
				v := float64(10 + i)
				start := 0.0
				if counter {
					v, start = 70*float64(i)+when/100, float64(i)*305+0.001
				}
				r.observe(when, point{s: when, v: v, start: start})
			}
			r.engine.Evaluate(at(s + 10))
			assert.Empty(t, r.transitions(), "counter %v at %v", counter, s)
		}
		assert.Equal(t, 2, r.engine.Stats(at(1200)).Series)
		assert.Equal(t, 1, r.engine.Stats(at(1200)).Groups)
	}
}

// A rule that names what describes sees what it names.
func TestARuleThatNamesADescriptionGoesByIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.GroupBy = []string{"resource.os.version"} }), nil)
	for s := 0.0; s < 100; s += 15 {
		r.origin.Reset()
		r.origin.Resource = append(r.origin.Resource, described("os.version", fmt.Sprint(s >= 50))...)
		r.step(s, 90)
	}
	assert.Equal(t, []string{"fire:warning", "fire:warning"}, r.transitions())

	r = newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Match = map[string]any{"resource": map[string]any{"os.version": "1"}} }), nil)
	for s := 0.0; s < 100; s += 15 {
		r.origin.Reset()
		r.origin.Resource = append(r.origin.Resource, described("os.version", "1")...)
		if s >= 50 {
			r.origin.Resource[3] = attr.String("os.version", "2")
		}
		v := 90.0
		if s >= 50 {
			v = 10 // Nobody asks for it.
		}
		r.step(s, v)
	}
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

// An older build took nearly all attributes of the resource for identifying. What it announced goes on after an upgrade, under its ID.
func TestUpgradeOfTheIdentity(t *testing.T) {
	t.Parallel()
	for _, byResource := range []bool{false, true} {
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
			if byResource {
				rc.GroupBy = []string{"mountpoint", "resource"}
			}
		}), nil)
		resource := append(described("os.version", "12"), attr.String("host.arch", "amd64"))
		r.origin.Resource = resource
		r.observe(0, point{s: 0, v: 90, attrs: disk("/")})
		fire := r.drain()
		require.Len(t, fire, 1)
		s := store{}
		s.write(r.engine.Snapshot(at(1)))

		// The state as the older build has stored it: all but the instance was part of the key.
		var old storedAlert
		for key, value := range s {
			if key != metaKey {
				var err error
				old, err = decodeAlert(value)
				require.NoError(t, err)
				delete(s, key)
			}
		}
		keyed := []attr.Located{{Location: attr.InPoint, Attr: disk("/")[0]}}
		for _, a := range resource {
			if alertschema.IdentifiedResource(a.Key, "m") {
				keyed = append(keyed, attr.Located{Location: attr.InResource, Attr: a})
			}
		}
		old.group, old.byConventions = attr.EncodeGroup(keyed), false
		oldID := alertschema.AlertID("load", old.group)
		s[alertKey(oldID)] = old.encode()

		r.restart(10)
		require.NoError(t, r.engine.Restore(s, at(10)))
		s.write(r.engine.Snapshot(at(11)))
		assert.NotContains(t, s, alertKey(oldID), "it is stored under its key of today")
		assert.Len(t, s, 2)
		r.restartFrom(s, 12, 13)
		r.origin.Reset()
		r.origin.Resource = slices.Clone(resource)
		r.origin.Resource[3] = attr.String("os.version", "13")
		r.observe(15, point{s: 15, v: 99, attrs: disk("/")})
		r.observe(30, point{s: 30, v: 10, attrs: disk("/")})
		r.observe(45, point{s: 45, v: 10, attrs: disk("/")})
		events := r.drain()
		require.Len(t, events, 2)
		for _, ev := range events {
			assert.Equal(t, alertschema.IDText(oldID), ev.AlertID)
			assert.Equal(t, alertschema.EpisodeID(oldID, at(0).UnixNano()), ev.EpisodeID)
		}
		assert.Equal(t, alertschema.TransitionResolve, events[1].Transition)
		assert.Equal(t, alertschema.ReasonThreshold, events[1].Reason)
	}
}

// One that joins in the round in which the other comes back after a gap is another series, too.
func TestTwoOfOneIdentityAfterAGap(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	origin := func(version string) {
		r.origin.Reset()
		r.origin.Resource = append(r.origin.Resource, described("service.version", version)...)
	}
	origin("1")
	for s := 0.0; s <= 150; s += 15 {
		r.observe(s, point{s: s, v: 10})
	}
	m := r.engine.Matcher(r.metric)
	r.engine.Begin(at(300))
	for _, version := range []string{"1", "2"} {
		origin(version)
		assert.True(t, m.Select(&r.origin, Stream{Unit: r.unit}))
		m.Observe(&Point{Time: at(300).UnixNano(), Value: 10})
	}
	r.engine.Flush(at(300))
	assert.Equal(t, 2, r.engine.Stats(at(300)).Series)
	for s := 315.0; s < 400; s += 15 {
		for _, version := range []string{"2", "1"} {
			origin(version)
			r.observe(s, point{s: s, v: 10})
		}
	}
	assert.Equal(t, 2, r.engine.Stats(at(400)).Series)
}

package alert

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// hostResource is what the psutil receiver says of a host.
func hostResource(name string) []attr.Attr {
	return []attr.Attr{
		attr.String("host.name", name), attr.String("host.id", "cloned"), attr.String("os.type", "linux"), attr.String("host.arch", "amd64"),
		attr.String("acme.build", "7"), attr.String("telemetry.sdk.name", "otel"), attr.String("service.instance.id", "i1"), attr.String("service.name", "shop"),
	}
}

// entityReferences are the identifying keys of references that senders may begin to send, or stop sending.
var entityReferences = map[string][]string{
	"none": nil, "host": {"host.id"}, "twice": {"host.id", "host.id"}, "of the SDK": {"telemetry.sdk.name"}, "of a service": {"service.instance.id"},
	"of what the resource lacks": {"k8s.pod.uid"}, "of a description": {"host.arch"},
}

// Alerts stay, with their windows, when a sender begins to send entity references or sends others, over a restart or without.
func TestReferencesChangeNoIdentity(t *testing.T) {
	t.Parallel()
	for before, keysBefore := range entityReferences {
		for after, keysAfter := range entityReferences {
			for _, form := range []string{"running", "restart", "described again", "by resource"} {
				t.Run(before+"/"+after+"/"+form, func(t *testing.T) {
					t.Parallel()
					r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
						if rc.Metric = "system.load"; form == "by resource" {
							rc.GroupBy = []string{"resource"}
						}
					}), nil)
					origin := func(keys []string, arch string) {
						r.origin.Reset()
						r.origin.Resource = append(r.origin.Resource, hostResource("db1")...)
						r.origin.Resource[3] = attr.String("host.arch", arch)
						r.origin.IdentifyingKeys = append(r.origin.IdentifyingKeys, keys...)
					}
					origin(keysBefore, "amd64")
					for s := 0.0; s <= 60; s += 15 {
						r.step(s, 90)
					}
					require.Equal(t, []string{"fire:warning"}, r.transitions())
					arch := "amd64"
					switch form {
					case "restart", "by resource":
						r.restartFrom(store{}, 61, 70)
					case "described again":
						arch = "arm64"
					}
					origin(keysAfter, arch)
					for s := 75.0; s < 1500; s += 15 {
						r.step(s, 90)
					}
					assert.Empty(t, r.transitions())
					assert.Equal(t, 1, r.engine.Stats(at(1500)).Groups)
					assert.Equal(t, 1, r.engine.Stats(at(1500)).Series)
					for s := 1500.0; s < 1600; s += 15 {
						r.step(s, 1)
					}
					assert.Equal(t, []string{"resolve"}, r.transitions())
				})
			}
		}
	}
}

// Hosts of one image may have one host.id. They are two, whatever references say.
func TestClonedHostsAreTwo(t *testing.T) {
	t.Parallel()
	for name, keys := range entityReferences {
		r := newRig(t, ladderRule(nil), nil)
		for _, host := range []string{"a", "b"} {
			r.origin.Reset()
			r.origin.Resource = append(r.origin.Resource, hostResource(host)...)
			r.origin.IdentifyingKeys = append(r.origin.IdentifyingKeys, keys...)
			r.step(0, 90)
		}
		assert.Equal(t, []string{"fire:warning", "fire:warning"}, r.transitions(), name)
	}
}

// Builds for which references replaced what identifies stored keys of what these named alone. Their alerts go on, under their IDs.
func TestUpgradeOfAnIdentityByReferences(t *testing.T) {
	t.Parallel()
	for _, refers := range [][]string{{"host.id"}, {"acme.build"}, {"host.name", "host.id"}, {"host.arch"}, {"service.instance.id"}} {
		r := newRig(t, ladderRule(nil), nil)
		origin := func() {
			r.origin.Reset()
			r.origin.Resource = append(r.origin.Resource, hostResource("db1")...)
			r.origin.IdentifyingKeys = append(r.origin.IdentifyingKeys, refers...)
		}
		origin()
		r.step(0, 90)
		require.Equal(t, []string{"fire:warning"}, r.transitions())
		s := store{}
		s.write(r.engine.Snapshot(at(1)))
		var oldID uint64
		for key, value := range s {
			if _, ok := alertOf(key); !ok {
				continue
			}
			old, err := decodeAlert(value)
			require.NoError(t, err)
			delete(s, key)
			var keyed []attr.Located
			for _, a := range hostResource("db1") {
				if slices.Contains(refers, a.Key) {
					keyed = append(keyed, attr.Located{Location: attr.InResource, Attr: a})
				}
			}
			old.group, old.byConventions = attr.EncodeGroup(keyed), false
			oldID = alertschema.AlertID("load", old.group)
			s[alertKey(oldID)] = old.encode()
		}
		r.restart(10)
		require.NoError(t, r.engine.Restore(s, at(10)))
		origin()
		for at := 15.0; at < 1500; at += 15 {
			r.step(at, 90)
		}
		assert.Empty(t, r.transitions(), refers)
		r.restartFrom(s, 1501, 1502)
		r.step(1515, 10)
		r.step(1530, 10)
		events := r.drain()
		require.Len(t, events, 1, refers)
		assert.Equal(t, alertschema.IDText(oldID), events[0].AlertID)
		assert.Equal(t, alertschema.ReasonThreshold, events[0].Reason)
	}
}

// An attribute that identifies because a reference names it is part of the key after each restart, though the resource has nothing that does not identify.
func TestReferredAttributesStayOverRestarts(t *testing.T) {
	t.Parallel()
	r := newRig(t, ladderRule(nil), nil)
	s := store{}
	for n := range 3 {
		from := float64(n) * 1000
		r.origin.Reset()
		r.origin.Resource = append(r.origin.Resource, attr.String("host.name", "db1"), attr.String("acme.build", "7"))
		r.origin.IdentifyingKeys = append(r.origin.IdentifyingKeys, "acme.build")
		for at := from; at < from+990; at += 15 {
			r.step(at, 90)
		}
		r.restartFrom(s, from+990, from+995)
	}
	assert.Equal(t, []string{"fire:warning"}, r.transitions())
}

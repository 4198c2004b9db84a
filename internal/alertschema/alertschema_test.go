package alertschema

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is stored keeps its number and its name: a difference here makes stored alerts mean something else.
func TestNumbersAndNamesStay(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"alert.state_change", "alert.suppressed", "alert.rule_error"}, eventNames[:])
	var transitionNames, stateNames []string
	for n := range transitions {
		transitionNames = append(transitionNames, Transition(n).String())
	}
	for n := range states {
		stateNames = append(stateNames, State(n).String())
	}
	assert.Equal(t, []string{
		"fire", "escalate", "deescalate", "resolve", "repeat", "no_data", "data_back", "flapping_start", "flapping_end",
		"silence_start", "silence_end", "acknowledge",
	}, transitionNames)
	assert.Equal(t, []string{"inactive", "firing", "resolved", "no_data", "flapping"}, stateNames)
	assert.Equal(t, []string{
		"threshold", "forecast", "absent", "no_data", "stale", "rule_removed", "rule_changed", "repeat", "storm_released", "only_if", "person",
	}, reasonNames[:])
}

func TestNumbersWithoutName(t *testing.T) {
	t.Parallel()
	assert.True(t, KindRuleError.Valid())
	assert.True(t, TransitionFlappingEnd.Valid())
	assert.True(t, StateFlapping.Valid())
	assert.True(t, ReasonOnlyIf.Valid())
	assert.False(t, Kind(200).Valid())
	assert.False(t, Transition(200).Valid())
	assert.False(t, State(200).Valid())
	assert.False(t, Reason(200).Valid())
	assert.Equal(t, "200", Transition(200).String())
	assert.Equal(t, "200", State(200).String())
	assert.Equal(t, "200", Reason(200).String())
	assert.Equal(t, "200", Kind(200).EventName())
}

func TestTransitionsThatChangeTheLevel(t *testing.T) {
	t.Parallel()
	var changing, moving []string
	for n := range transitions {
		tr := Transition(n)
		if tr.ChangesLevel() {
			changing = append(changing, tr.String())
		}
		if tr.MovesLevel() {
			moving = append(moving, tr.String())
		}
	}
	assert.Equal(t, []string{"fire", "escalate", "deescalate", "resolve"}, changing)
	assert.Equal(t, []string{"escalate", "deescalate"}, moving)
}

func TestEveryTransitionSaysAll(t *testing.T) {
	t.Parallel()
	for n, row := range transitions {
		assert.NotEmpty(t, row.name, n)
		assert.NotZero(t, row.record, "%s: may its record give way?", row.name)
		assert.Equal(t, row.varies, row.announces == StateInactive, "%s: which state does its record announce?", row.name)
		parsed, ok := ParseTransition(row.name)
		assert.True(t, ok, row.name)
		assert.Equal(t, Transition(n), parsed)
	}
	_, ok := ParseTransition("unheard_of")
	assert.False(t, ok)
}

func TestRecordsThatGiveWay(t *testing.T) {
	t.Parallel()
	var always, never []string
	for n := range transitions {
		tr := Transition(n)
		if tr.GivesWay() {
			always = append(always, tr.String())
			assert.True(t, tr.GivesWayToLater(), tr)
		}
		if !tr.GivesWayToLater() {
			never = append(never, tr.String())
		}
	}
	assert.Equal(t, []string{"repeat"}, always)
	assert.Equal(t, []string{"fire", "resolve"}, never)
}

func TestActiveStates(t *testing.T) {
	t.Parallel()
	for name, active := range map[string]bool{"inactive": false, "firing": true, "resolved": false, "no_data": true, "flapping": true} {
		state, ok := ParseState(name)
		assert.True(t, ok, name)
		assert.Equal(t, active, state.Active(), name)
	}
	_, ok := ParseState("unheard_of")
	assert.False(t, ok)
	assert.True(t, State(200).Active())
}

// Identities are hashes that replicas and stored alerts agree on, so they stay as they are.
func TestIdentitiesStay(t *testing.T) {
	t.Parallel()
	id := AlertID("disk", "\x00\x06device\x01\x04sda1")
	assert.Equal(t, "20a0d4547710ae7b", IDText(id))
	assert.Equal(t, "0000000000000007", IDText(7))
	assert.NotEqual(t, AlertID("ab", "c"), AlertID("a", "bc"))
	episode := EpisodeID(id, 1_700_000_000_000_000_000)
	assert.Equal(t, "7e66071b16418efe", episode)
	assert.Equal(t, episode+"-3", RecordUID(episode, 3))
	assert.Equal(t, episode+"-3-r2", RepeatUID(episode, 3, 2))
	assert.Equal(t, episode+"-3-b", BelatedUID(episode, 3))
}

func TestTimes(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "2023-11-14T22:13:20.000000001Z", TimeText(1_700_000_000_000_000_001))
	assert.Equal(t, int64(1_700_000_000_000_000_001), ParseTime("2023-11-14T22:13:20.000000001Z"))
	assert.Zero(t, ParseTime("yesterday"))
	assert.Zero(t, ParseTime(""))
}

func TestAttributesOfTheSchema(t *testing.T) {
	t.Parallel()
	assert.True(t, Defines(KeyAlertID))
	assert.True(t, Defines(KeyRecordUID))
	assert.True(t, Defines(PrefixLabel+"team"))
	assert.False(t, Defines("host.name"))
	assert.False(t, Defines("alerts"))
}

func TestIdentifiesResource(t *testing.T) {
	t.Parallel()
	all := func(string) bool { return true }
	assert.False(t, IdentifiesResource("service.instance.id", "http.x", func(string) bool { return false }), "an instance of nothing")
	assert.True(t, IdentifiesResource("host.name", "system.x", all))
	assert.False(t, IdentifiesResource("host.ip", "system.x", all))
	assert.False(t, IdentifiesResource("telemetry.sdk.name", "system.x", all))
	assert.False(t, IdentifiesResource("process.pid", "system.x", all))
	assert.True(t, IdentifiesResource("process.pid", "process.x", all))
	assert.True(t, IdentifiesResource("service.instance.id", "http.x", all))
	assert.False(t, IdentifiesResource("service.instance.id", "system.x", all), "the Collector that measures")
	for _, key := range []string{
		"service.name", "service.namespace", "host.id", "host.name", "os.type", "container.id", "k8s.pod.uid", "k8s.pod.name", "k8s.node.name",
		"k8s.cluster.uid", "k8s.container.name", "cloud.resource_id", "device.id", "deployment.environment.name", "faas.instance", "server.address", "rack", "customer",
		"acme.site", "k8s.namespace.name",
	} {
		assert.True(t, IdentifiesResource(key, "system.x", all), key)
	}
	for _, key := range []string{
		"service.version", "service.criticality", "os.version", "os.name", "os.build_id", "os.description", "host.type", "host.arch", "host.image.version", "host.image.id",
		"host.cpu.model.name", "host.cpu.vendor.id", "host.cpu.cache.l2.size", "device.manufacturer", "host.ip", "host.mac",
		"container.image.tags", "container.image.name", "container.image.id", "container.runtime.version", "container.command_line",
		"container.label.x", "k8s.pod.label.name", "k8s.pod.label.app.kubernetes.io/version", "k8s.pod.annotation.name", "k8s.pod.ip", "k8s.pod.start_time",
		"k8s.container.restart_count", "process.runtime.version", "telemetry.sdk.version", "telemetry.distro.name", "webengine.version", "device.model.name", "faas.version",
		"vcs.ref.head.revision", "deployment.id", "cloud.platform", "app.version", "acme.version", "acme_version", "version", "build.commit", "otel.scope.version",
	} {
		assert.False(t, IdentifiesResource(key, "system.x", all), key)
	}
	for _, key := range []string{"process.command_line", "process.owner", "process.parent_pid", "process.executable.path", "process.title", "process.working_directory"} {
		assert.False(t, IdentifiesResource(key, "process.x", all), key)
	}
	for name, id := range map[string]string{"process.executable.name": "process.pid", "container.name": "container.id"} {
		assert.False(t, IdentifiesResource(name, "process.x", all), name)
		assert.True(t, IdentifiesResource(name, "process.x", func(key string) bool { return key != id }), name)
		assert.True(t, LabelsResource(name, "process.x", all), name)
	}
	for _, key := range []string{"process.pid", "process.creation.time", "process.group.name"} {
		assert.True(t, IdentifiesResource(key, "process.x", all), key)
	}
}

// Every name of the schema has a sentence that says what it means.
func TestEveryConstantIsExplained(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	explained := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range parsed.Decls {
			block, ok := decl.(*ast.GenDecl)
			if !ok || block.Tok != token.CONST {
				continue
			}
			for _, spec := range block.Specs {
				value := spec.(*ast.ValueSpec)
				name := value.Names[0].Name
				if !ast.IsExported(name) {
					continue
				}
				assert.True(t, strings.HasPrefix(value.Doc.Text(), name+" "), "%s: %s has no sentence of meaning", file, name)
				explained++
			}
		}
	}
	assert.Greater(t, explained, 50)
}

package packaging

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

const (
	unitFile = "systemd/otelcol-psutil.service"
	// bpfFile is the drop-in with which processes are read by BPF.
	bpfFile = "systemd/bpf.conf"
)

// maxExposure is what `systemd-analyze security` may count, in tenths: below 5 it says OK. What is left is what an agent needs that
// shows the host as it is.
const maxExposure = 25

// unit reads the directives of the service, and of drop-ins that are enabled.
func unit(t *testing.T, dropIns ...string) map[string][]string {
	t.Helper()
	directives := make(map[string][]string)
	for _, file := range append([]string{unitFile}, dropIns...) {
		for _, line := range lines(t, file, "") {
			if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
				directives[key] = append(directives[key], value)
			}
		}
	}
	return directives
}

// unitFor is the unit with the binary under test in place of the installed one, and a stub that checks rules.
func unitFor(t *testing.T, program string) string {
	t.Helper()
	text, err := os.ReadFile(unitFile)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), filepath.Base(unitFile))
	paths := strings.NewReplacer("/usr/bin/otelcol-psutil", program, "/usr/bin/alertcheck", stub(t))
	require.NoError(t, os.WriteFile(path, []byte(paths.Replace(string(text))), 0o600))
	return path
}

func TestUnitIsUnderstoodBySystemd(t *testing.T) {
	needs(t, false, "systemd-analyze")
	path := unitFor(t, harness.Binary(t))
	assert.Empty(t, output(t, exec.Command("systemd-analyze", "verify", "--man=no", path)))
	output(t, exec.Command("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold="+strconv.Itoa(maxExposure), path))

	dropIn := filepath.Join(path+".d", filepath.Base(bpfFile))
	require.NoError(t, os.Mkdir(filepath.Dir(dropIn), 0o700))
	require.NoError(t, os.WriteFile(dropIn, contents(t, bpfFile), 0o600))
	assert.Empty(t, output(t, exec.Command("systemd-analyze", "verify", "--man=no", path)))
	exposed := output(t, exec.Command("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold="+strconv.Itoa(maxExposure), path))
	assert.Contains(t, exposed, "Service may load BPF programs", "the drop-in was read")
}

// TestDropInGivesBPFAndNothingElse: the unit alone gives none of it, and the drop-in takes nothing of the unit away.
func TestDropInGivesBPFAndNothingElse(t *testing.T) {
	alone, both := unit(t), unit(t, bpfFile)
	for directive, added := range map[string][]string{
		"AmbientCapabilities": {"CAP_BPF CAP_PERFMON"}, "CapabilityBoundingSet": {"CAP_BPF CAP_PERFMON"},
		"SystemCallFilter": {"bpf"}, "LimitMEMLOCK": {"infinity"},
	} {
		assert.Equal(t, append(slices.Clone(alone[directive]), added...), both[directive], directive)
		delete(alone, directive)
		delete(both, directive)
	}
	assert.Equal(t, alone, both)
	text := string(contents(t, bpfFile))
	assert.Contains(t, text, "ln -s /usr/share/otelcol-psutil/bpf.conf ")
	assert.Contains(t, modes, "/usr/share/otelcol-psutil/bpf.conf", "the package installs it")
}

// TestUnitReloadsWhatWasChecked holds that nothing is loaded before both programs of the package have found the configuration good.
func TestUnitReloadsWhatWasChecked(t *testing.T) {
	directives := unit(t)
	const config = "/etc/otelcol-psutil/config.yaml"
	assert.Equal(t, []string{"/usr/bin/otelcol-psutil --config " + config}, directives["ExecStart"])
	assert.Equal(t, []string{"/usr/bin/otelcol-psutil validate --config " + config, "/usr/bin/alertcheck rules " + config}, directives["ExecStartPre"])
	reload := directives["ExecReload"]
	assert.Equal(t, []string{
		"/usr/bin/otelcol-psutil validate --config " + config, "/usr/bin/alertcheck rules " + config, "/bin/kill -HUP $MAINPID",
	}, reload)
	for _, command := range reload[:2] {
		assert.Contains(t, modes, strings.Fields(command)[0], "the package installs it")
	}
}

// TestUnitGivesUpWhatCannotStart: what fails again and again reaches the limit, however long it takes to fail up to some seconds.
func TestUnitGivesUpWhatCannotStart(t *testing.T) {
	directives := unit(t)
	duration := func(directive string) time.Duration {
		require.Len(t, directives[directive], 1, directive)
		d, err := time.ParseDuration(strings.Replace(directives[directive][0], "min", "m", 1))
		require.NoError(t, err)
		return d
	}
	burst, err := strconv.Atoi(directives["StartLimitBurst"][0])
	require.NoError(t, err)
	const slowStart = 20 * time.Second
	assert.Less(t, time.Duration(burst)*(duration("RestartSec")+slowStart), duration("StartLimitIntervalSec"))
}

// TestUnitFailsToStartWithAMistake runs what the unit runs before the Collector.
func TestUnitFailsToStartWithAMistake(t *testing.T) {
	program := harness.Binary(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	for text, good := range map[string]bool{everyProcess: true, strings.Replace(everyProcess, "collection_interval", "collection_intervall", 1): false} {
		require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
		words := strings.Fields(unit(t)["ExecStartPre"][0])
		words[0], words[len(words)-1] = program, config
		out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput()
		assert.Equal(t, good, err == nil, "%s", out)
	}
}

// TestUnitHidesNothing holds the directives that would show the agent another host than there is.
func TestUnitHidesNothing(t *testing.T) {
	directives := unit(t)
	for directive, value := range map[string]string{
		"ProtectProc": "default", "ProcSubset": "all", "PrivateNetwork": "no", "PrivateUsers": "no",
		"ProtectHome": "read-only", "ProtectHostname": "no",
	} {
		assert.Equal(t, []string{value}, directives[directive], directive)
	}
	for _, hiding := range []string{"RootDirectory", "RootImage", "InaccessiblePaths", "TemporaryFileSystem", "PrivatePIDs", "DynamicUser", "ReadOnlyPaths"} {
		assert.NotContains(t, directives, hiding)
	}
}

const everyProcess = `
receivers:
  psutil:
    collection_interval: 1s
    initial_delay: 0s
    scrapers:
      {cpu: {}, load: {}, memory: {}, paging: {}, disk: {}, filesystem: {}, network: {virtual: true}, connections: {}, pressure: {}, sensors: {},
       processes: {}, system: {}, process: {collection_interval: 1s, top: {n: 0}, reader: auto}}
    resource_attributes: {process.executable.path: {enabled: true}}
exporters: {file: {path: metrics.jsonl, flush_interval: 100ms}}
service:
  telemetry: {metrics: {level: none}, logs: {level: info}}
  pipelines: {metrics: {receivers: [psutil], exporters: [file]}}
`

// TestCapabilitiesOfTheUnitAreThoseThatAreNeeded runs the collector as another user with what the unit gives, and with each of it
// taken away.
func TestCapabilitiesOfTheUnitAreThoseThatAreNeeded(t *testing.T) {
	needs(t, true, "setpriv")
	directives := unit(t)
	require.Len(t, directives["AmbientCapabilities"], 1)
	assert.Equal(t, directives["AmbientCapabilities"], directives["CapabilityBoundingSet"], "nothing more can be had")
	capabilities := strings.Fields(directives["AmbientCapabilities"][0])
	require.NotEmpty(t, capabilities)

	path, io, log := seenWith(t, capabilities)
	assert.Contains(t, path, "packaging.test", "the executable of another user's process")
	assert.True(t, io, "the disk I/O of another user's process")
	assert.NotContains(t, log, "left out")
	for i, taken := range capabilities {
		_, io, log := seenWith(t, slices.Delete(slices.Clone(capabilities), i, i+1))
		assert.False(t, io, "without %s", taken)
		assert.Contains(t, log, "without "+taken)
	}
}

// TestCapabilitiesOfTheDropInAreThoseThatAreNeeded: with those of the unit and the drop-in none is said to be missing, and without one of them that one is.
func TestCapabilitiesOfTheDropInAreThoseThatAreNeeded(t *testing.T) {
	needs(t, true, "setpriv")
	directives := unit(t, bpfFile)
	require.Len(t, directives["AmbientCapabilities"], 2)
	assert.Equal(t, directives["AmbientCapabilities"], directives["CapabilityBoundingSet"], "nothing more can be had")
	of := strings.Fields(directives["AmbientCapabilities"][0])
	more := strings.Fields(directives["AmbientCapabilities"][1])

	path, io, log := seenWith(t, slices.Concat(of, more))
	assert.Contains(t, path, "packaging.test", "the executable of another user's process")
	assert.True(t, io, "the disk I/O of another user's process")
	assert.NotContains(t, log, "lacks CAP_")
	assert.NotContains(t, log, "left out")
	for i, taken := range more {
		_, io, log := seenWith(t, slices.Concat(of, slices.Delete(slices.Clone(more), i, i+1)))
		assert.True(t, io, "by /proc")
		assert.Contains(t, log, "lacks "+taken)
	}
}

// seenWith tells what of this process a collector of another user sees.
func seenWith(t *testing.T, capabilities []string) (path string, io bool, log string) {
	t.Helper()
	dir, program := openDir(t), harness.Binary(t)
	require.NoError(t, os.Chmod(dir, 0o777))
	config := filepath.Join(dir, "collector.yaml")
	require.NoError(t, os.WriteFile(config, []byte(everyProcess), 0o644))
	set := "-all"
	for _, c := range capabilities {
		set += ",+" + strings.ToLower(strings.TrimPrefix(c, "CAP_"))
	}
	cmd := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
		"--inh-caps="+set, "--ambient-caps="+set, "--bounding-set="+set, installed(t, dir, program), "--config", config)
	cmd.Dir = dir
	p := harness.Run(t, dir, cmd)
	// With many processes a scrape is several batches.
	for seen, batches := false, 3; !seen; batches++ {
		for _, s := range samples(t, filepath.Join(dir, "metrics.jsonl"), batches) {
			if s.resource["process.pid"] == strconv.Itoa(os.Getpid()) {
				seen, path = true, s.resource["process.executable.path"]
				io = io || s.name == "process.disk.io"
			}
		}
	}
	return path, io, stop(t, p)
}

// installed puts the binary where another user can run it.
func installed(t *testing.T, dir, program string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(program))
	require.NoError(t, err)
	path := filepath.Join(dir, "otelcol-psutil")
	require.NoError(t, os.WriteFile(path, text, 0o755))
	return path
}

// TestUnitAllowsWhatTheCollectorDoes traces a collector with every scraper and holds its system calls against the unit's filters, without and with the
// drop-in for BPF.
func TestUnitAllowsWhatTheCollectorDoes(t *testing.T) {
	needs(t, false, "systemd-analyze")
	testenv.Strace(t)
	t.Run("alone", func(t *testing.T) { allowsWhatTheCollectorDoes(t, "proc", unit(t)) })
	t.Run("with BPF", func(t *testing.T) { allowsWhatTheCollectorDoes(t, "auto", unit(t, bpfFile)) })
}

// allowsWhatTheCollectorDoes traces a collector that reads processes by a reader, where the directives hold.
func allowsWhatTheCollectorDoes(t *testing.T, reader string, directives map[string][]string) {
	t.Helper()
	dir, program := t.TempDir(), harness.Binary(t)
	config, trace := filepath.Join(dir, "collector.yaml"), filepath.Join(dir, "trace")
	require.NoError(t, os.WriteFile(config, []byte(strings.Replace(everyProcess, "reader: auto", "reader: "+reader, 1)), 0o600))
	// As a daemon strace is a grandchild, so that the signal reaches the collector itself.
	cmd := exec.Command("strace", "-D", "-f", "-e", "signal=none", "-o", trace,
		program, "--config", absolute(t, "../examples/agent.yaml"), "--config", config,
		"--set", "service.pipelines.metrics.exporters=[file,alert,otlp_grpc]")
	cmd.Dir = dir
	p := harness.Run(t, dir, cmd)
	samples(t, filepath.Join(dir, "metrics.jsonl"), 3)
	log := stop(t, p)

	text := harness.AwaitTrace(t, trace, p.PID())
	used := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllStringSubmatch(text, -1) {
		used[m[1]] = true
	}
	require.Greater(t, len(used), 20)
	allowed := filtered(t, directives["SystemCallFilter"])
	for call := range used {
		assert.True(t, allowed[call], "%s is not allowed", call)
	}
	assert.Equal(t, strings.Contains(log, "Processes are read by BPF"), used["bpf"])
	for _, dangerous := range []string{"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "open_by_handle_at", "perf_event_open"} {
		assert.False(t, allowed[dangerous], dangerous)
	}

	families := strings.Fields(directives["RestrictAddressFamilies"][0])
	for _, m := range regexp.MustCompile(`\bsocket\((AF_\w+)`).FindAllStringSubmatch(text, -1) {
		assert.Contains(t, families, m[1])
	}
	assert.NotRegexp(t, `PROT_WRITE\|PROT_EXEC`, text, "MemoryDenyWriteExecute")
	assert.NotRegexp(t, `mprotect\([^\n]*PROT_EXEC`, text, "MemoryDenyWriteExecute")
	assert.NotRegexp(t, `CLONE_NEW`, text, "RestrictNamespaces")
	assert.NotRegexp(t, `SCHED_(FIFO|RR)`, text, "RestrictRealtime")
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

// filtered gives the system calls that are left of the first filter after the others, by systemd's own sets.
func filtered(t *testing.T, filters []string) map[string]bool {
	t.Helper()
	require.NotEmpty(t, filters)
	left := make(map[string]bool)
	for _, filter := range filters {
		names, deny := strings.CutPrefix(filter, "~")
		for name := range strings.FieldsSeq(names) {
			calls := systemCalls(t, name)
			if deny {
				maps.DeleteFunc(left, func(call string, _ bool) bool { return calls[call] })
			} else {
				maps.Copy(left, calls)
			}
		}
	}
	return left
}

// systemCalls resolves a set of system calls, those within it included.
func systemCalls(t *testing.T, name string) map[string]bool {
	t.Helper()
	if !strings.HasPrefix(name, "@") {
		return map[string]bool{name: true}
	}
	calls := make(map[string]bool)
	for line := range strings.Lines(output(t, exec.Command("systemd-analyze", "--no-pager", "syscall-filter", name))) {
		if member := strings.TrimSpace(line); member != "" && member != name && !strings.HasPrefix(member, "#") {
			maps.Copy(calls, systemCalls(t, member))
		}
	}
	return calls
}

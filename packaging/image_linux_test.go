package packaging

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// image is what the last stage of the Dockerfile says.
type image struct {
	stages           []instructions.Stage
	copies           []*instructions.CopyCommand
	env              []string
	user             string
	entrypoint, cmd  []string
	unknown, volumes []string
	exec             bool
}

func parseImage(t *testing.T) *image {
	t.Helper()
	file, err := os.Open("Dockerfile")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	parsed, err := parser.Parse(file)
	require.NoError(t, err)
	assert.Empty(t, parsed.Warnings)
	lint := linter.New(&linter.Config{Warn: func(rule, description, _, short string, _ []parser.Range) {
		assert.Fail(t, rule, "%s: %s", description, short)
	}})
	img := &image{exec: true}
	img.stages, _, err = instructions.Parse(parsed.AST, lint)
	require.NoError(t, err)
	for _, command := range img.stages[len(img.stages)-1].Commands {
		switch c := command.(type) {
		case *instructions.CopyCommand:
			img.copies = append(img.copies, c)
		case *instructions.EnvCommand:
			for _, pair := range c.Env {
				img.env = append(img.env, pair.String())
			}
		case *instructions.UserCommand:
			img.user = c.User
		case *instructions.EntrypointCommand:
			img.entrypoint, img.exec = c.CmdLine, img.exec && !c.PrependShell
		case *instructions.CmdCommand:
			img.cmd, img.exec = c.CmdLine, img.exec && !c.PrependShell
		case *instructions.VolumeCommand:
			img.volumes = append(img.volumes, c.Volumes...)
		case *instructions.ExposeCommand, *instructions.StopSignalCommand:
		default:
			img.unknown = append(img.unknown, command.Name())
		}
	}
	return img
}

func TestDockerfileFitsTheRepository(t *testing.T) {
	img := parseImage(t)
	require.Len(t, img.stages, 2)
	assert.Equal(t, "scratch", img.stages[1].BaseName)
	assert.Empty(t, img.unknown)
	assert.True(t, img.exec, "there is no shell")
	uid, _, _ := strings.Cut(img.user, ":")
	number, err := strconv.Atoi(uid)
	require.NoError(t, err, "a number, which an orchestrator can check")
	assert.Positive(t, number)

	goVersion := strings.Fields(lines(t, "../go.mod", "go ")[0])[1]
	assert.Equal(t, "golang:"+goVersion[:strings.LastIndexByte(goVersion, '.')], img.stages[0].BaseName)
	otel := strings.Fields(lines(t, "../Makefile", "OTEL_VERSION")[0])[2]
	assert.Equal(t, []string{"ARG OTEL_VERSION=" + otel}, lines(t, "Dockerfile", "ARG OTEL_VERSION"))
	for _, c := range img.copies {
		assert.Equal(t, "build", c.From)
	}
	for _, path := range []string{"../hack/build.sh", "../builder-config.yaml"} {
		assert.FileExists(t, path)
	}
	for _, pattern := range lines(t, "Dockerfile.dockerignore", "") {
		for _, path := range []string{"go.mod", "hack", "examples", "psutilreceiver", "internal", "metadata.yaml", "builder-config.yaml"} {
			assert.NotEqual(t, path, pattern, "the build needs it")
		}
	}
}

func TestBinaryIsStatic(t *testing.T) {
	file, err := elf.Open(harness.Binary(t))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	for _, segment := range file.Progs {
		assert.NotEqual(t, elf.PT_INTERP, segment.Type, "it needs a dynamic loader")
	}
	libraries, err := file.ImportedLibraries()
	require.NoError(t, err)
	assert.Empty(t, libraries)
}

// build puts together what the last stage copies.
func (img *image) build(t *testing.T, root string) {
	t.Helper()
	for _, c := range img.copies {
		require.Len(t, c.SourcePaths, 1)
		source, target := c.SourcePaths[0], filepath.Join(root, c.DestPath)
		if source == "/out/root" {
			state := filepath.Join(root, "var/lib/otelcol-psutil")
			require.NoError(t, os.MkdirAll(state, 0o755))
			require.NoError(t, os.Chmod(state, 0o770))
			owner, group, _ := strings.Cut(c.Chown, ":")
			output(t, exec.Command("chown", owner+":"+group, state))
			continue
		}
		switch {
		case source == "/out/otelcol-psutil":
			source = harness.Binary(t)
		case strings.HasPrefix(source, "/src/"):
			source = filepath.Join("..", strings.TrimPrefix(source, "/src/"))
		}
		text := contents(t, source)
		require.NoError(t, os.MkdirAll(filepath.Dir(target), 0o755))
		require.NoError(t, os.WriteFile(target, text, 0o755))
	}
	// What an engine adds: the mount point, and the names that every container knows.
	require.NoError(t, os.MkdirAll(filepath.Join(root, "hostfs"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/hosts"), []byte("127.0.0.1 localhost\n"), 0o644))
}

// contain is what an engine does with `-v /:/hostfs:ro,rslave`, as far as it concerns an agent.
const contain = `
root=$1
shift
ip link set lo up
hostname agent-container
mount --make-rslave /
mount --rbind / "$root/hostfs"
mount -o remount,bind,ro "$root/hostfs"
cd "$root"
exec "$@"
`

// inContainer adds a file to what the image's configuration does, so that the test can see the metrics.
const inContainer = `
receivers:
  psutil:
    collection_interval: 1s
    scrapers: {memory: {}, network: {virtual: true}, filesystem: {}, process: {collection_interval: 1s, top: {n: 0}}}
    resource_attributes: {process.executable.path: {enabled: true}}
exporters: {file: {path: /var/lib/otelcol-psutil/metrics.jsonl, flush_interval: 100ms}}
service: {pipelines: {metrics: {exporters: [file, alert]}, logs/alerts: {exporters: [file]}}}
`

// contained runs the image in namespaces of its own, those of processes and of the network included, and gives what it sees of the host.
func contained(t *testing.T, asUser func(root string) []string) []sample {
	t.Helper()
	img, root := parseImage(t), openDir(t)
	img.build(t, root)
	config := filepath.Join(root, "etc/otelcol-psutil/test.yaml")
	require.NoError(t, os.WriteFile(config, []byte(inContainer), 0o644))
	args := append([]string{"-ec", contain, "contain", root}, asUser(root)...)
	args = append(append(args, img.entrypoint...), img.cmd...)
	cmd := exec.Command("sh", append(args, "--config", "/etc/otelcol-psutil/test.yaml")...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, img.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	p := harness.Run(t, t.TempDir(), cmd)
	all := samples(t, filepath.Join(root, "var/lib/otelcol-psutil/metrics.jsonl"), 4)
	stop(t, p)
	return all
}

// assertHost holds what was seen against this machine.
func assertHost(t *testing.T, all []sample) {
	t.Helper()
	interfaces := make(map[string]bool)
	for _, line := range lines(t, "/proc/1/net/dev", "") {
		if name, _, ok := strings.Cut(line, ":"); ok {
			interfaces[strings.TrimSpace(name)] = true
		}
	}
	assert.Equal(t, interfaces, values(all, "system.network.io", "network.interface.name"), "the host's, not the container's")

	memory := strings.Fields(lines(t, "/proc/meminfo", "MemTotal:")[0])[1]
	kib, err := strconv.Atoi(memory)
	require.NoError(t, err)
	hostname := strings.TrimSpace(string(contents(t, "/etc/hostname")))
	pids, limits := make(map[string]bool), 0
	for _, s := range all {
		assert.Equal(t, hostname, s.resource["host.name"])
		pids[s.resource["process.pid"]] = true
		if s.name == "system.memory.limit" {
			limits++
			assert.Equal(t, strconv.Itoa(kib*1024), s.value)
		}
	}
	assert.Positive(t, limits)
	assert.True(t, pids[strconv.Itoa(os.Getpid())], "the pids are the host's")

	readOnly := func(fields []string) bool { return strings.HasPrefix(fields[5], "ro") }
	for _, line := range lines(t, "/proc/1/mountinfo", "") {
		if fields := strings.Fields(line); fields[4] == "/" {
			assert.Equal(t, map[string]bool{map[bool]string{false: "rw", true: "ro"}[readOnly(fields)]: true},
				modesOf(all, "/"), "of the host, though the container sees it read-only")
		}
	}
	for mountpoint := range values(all, "system.filesystem.usage", "system.filesystem.mountpoint") {
		assert.NotContains(t, mountpoint, "hostfs")
	}
}

func modesOf(all []sample, mountpoint string) map[string]bool {
	found := make(map[string]bool)
	for _, s := range all {
		if s.name == "system.filesystem.usage" && s.attributes["system.filesystem.mountpoint"] == mountpoint {
			found[s.attributes["system.filesystem.mode"]] = true
		}
	}
	return found
}

// ofThisProcess tells whether a metric of the test itself, a process of root outside the container, was seen.
func ofThisProcess(all []sample, metric string) bool {
	for _, s := range all {
		if s.name == metric && s.resource["process.pid"] == strconv.Itoa(os.Getpid()) {
			return true
		}
	}
	return false
}

func TestContainerSeesTheHost(t *testing.T) {
	needs(t, true, "ip", "hostname", "chroot")
	user := parseImage(t).user
	all := contained(t, func(root string) []string { return []string{"chroot", "--userspec=" + user, root} })
	assertHost(t, all)
	assert.True(t, ofThisProcess(all, "process.cpu.time"))
	assert.False(t, ofThisProcess(all, "process.disk.io"), "for that it would need privileges")
}

// TestContainerWithCapabilities runs as the DaemonSet does: root, with the capabilities that it names alone.
func TestContainerWithCapabilities(t *testing.T) {
	needs(t, true, "ip", "hostname", "chroot", "setpriv")
	set := "-all,+sys_chroot" // To get in.
	for _, c := range daemonSet(t).container.SecurityContext.Capabilities.Add {
		set += ",+" + strings.ToLower(string(c))
	}
	all := contained(t, func(root string) []string {
		return []string{"setpriv", "--no-new-privs", "--bounding-set=" + set, "--inh-caps=-all", "chroot", root}
	})
	assertHost(t, all)
	assert.True(t, ofThisProcess(all, "process.disk.io"))
	for _, s := range all {
		if s.resource["process.pid"] == strconv.Itoa(os.Getpid()) {
			assert.NotEmpty(t, s.resource["process.executable.path"])
		}
	}
}

//go:build amd64 || arm64

package bpf

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// machine is one on which BPF can be used, until a test changes it.
type machine struct {
	t    *testing.T
	root string // its own / and the host's
	s    surroundings
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, root: t.TempDir()}
	m.s = surroundings{own: rootfs.At(m.root), release: "5.8.0", pid: 4711, hasProcfs: func(rootfs.Root) bool { return true }}
	m.hold(1<<unix.CAP_BPF | 1<<unix.CAP_PERFMON)
	m.write("sys/kernel/btf/vmlinux", "\x9f\xeb")
	m.write("sys/devices/system/cpu/nohz_full", "(null)\n")
	m.write("sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
	m.link("proc/self", "4711")
	m.link("proc/4711/ns/pid", "pid:[4026531836]")
	m.link("proc/4711/ns/user", "user:[4026531837]")
	return m
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	path := filepath.Join(m.root, name)
	require.NoError(m.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(m.t, os.WriteFile(path, []byte(text), 0o600))
}

func (m *machine) link(name, target string) {
	m.t.Helper()
	path := filepath.Join(m.root, name)
	require.NoError(m.t, os.MkdirAll(filepath.Dir(path), 0o700))
	_ = os.Remove(path)
	require.NoError(m.t, os.Symlink(target, path))
}

func (m *machine) remove(name string) {
	m.t.Helper()
	require.NoError(m.t, os.Remove(filepath.Join(m.root, name)))
}

// hold gives the process capabilities.
func (m *machine) hold(capabilities uint64) {
	m.s.capabilities = func() (uint64, error) { return capabilities, nil }
}

// TestWhatIsMissingIsSaid has a row for each thing that BPF takes, and for each that it can do without.
func TestWhatIsMissingIsSaid(t *testing.T) {
	const neither = "this process lacks CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN would do, too)"
	for name, c := range map[string]struct {
		change func(*machine)
		want   string // "" where nothing is missing
	}{
		"nothing":                   {func(*machine) {}, ""},
		"release of a distribution": {func(m *machine) { m.s.release = "6.1.0-18-amd64" }, ""},
		"release of one day":        {func(m *machine) { m.s.release = "7.0-rc1+" }, ""},
		"old kernel":                {func(m *machine) { m.s.release = "5.7.19" }, "it takes Linux 5.8 or newer, and this is 5.7.19"},
		"older kernel":              {func(m *machine) { m.s.release = "4.19.0-25" }, "it takes Linux 5.8 or newer, and this is 4.19.0-25"},
		"release that is none":      {func(m *machine) { m.s.release = "linux" }, "it takes Linux 5.8 or newer, and this is linux"},
		"release without a minor":   {func(m *machine) { m.s.release = "6.x" }, "it takes Linux 5.8 or newer, and this is 6.x"},
		"no types": {
			func(m *machine) { m.remove("sys/kernel/btf/vmlinux") },
			"the kernel does not describe its types (BTF): there is no /sys/kernel/btf/vmlinux",
		},
		"types that are no file": {
			func(m *machine) {
				m.remove("sys/kernel/btf/vmlinux")
				require.NoError(m.t, os.Mkdir(filepath.Join(m.root, "sys/kernel/btf/vmlinux"), 0o700))
			}, "the kernel's types (BTF) can't be read",
		},
		"CAP_SYS_ADMIN alone": {func(m *machine) { m.hold(1 << unix.CAP_SYS_ADMIN) }, ""},
		"all capabilities":    {func(m *machine) { m.hold(1<<(unix.CAP_LAST_CAP+1) - 1) }, ""},
		"no capability":       {func(m *machine) { m.hold(0) }, neither},
		"the packages' unit":  {func(m *machine) { m.hold(1<<unix.CAP_SYS_PTRACE | 1<<unix.CAP_DAC_READ_SEARCH) }, neither},
		"no CAP_BPF": {
			func(m *machine) { m.hold(1 << unix.CAP_PERFMON) }, "this process lacks CAP_BPF (CAP_SYS_ADMIN would do, too)",
		},
		"no CAP_PERFMON": {
			func(m *machine) { m.hold(1 << unix.CAP_BPF) }, "this process lacks CAP_PERFMON (CAP_SYS_ADMIN would do, too)",
		},
		"capabilities that can't be read": {
			func(m *machine) {
				m.s.capabilities = func() (uint64, error) { return 0, errors.New("reading own capabilities: no") }
			},
			"reading own capabilities: no",
		},
		"copied tree": {
			func(m *machine) { m.s.hasProcfs = func(rootfs.Root) bool { return false } }, "/proc is not the kernel's procfs",
		},
		"/proc of a container": {func(m *machine) { m.s.pid = 4712 }, "/proc is that of another pid namespace"},
		"no /proc/self":        {func(m *machine) { m.remove("proc/self") }, "this process is in a pid namespace of its own"},
		"container": {
			func(m *machine) { m.s.pid = 1; m.link("proc/4711/ns/pid", "pid:[4026532301]") },
			"this process is in a pid namespace of its own, where it has to share the host's (--pid host, hostPID: true)",
		},
		"users of its own": {
			func(m *machine) { m.link("proc/4711/ns/user", "user:[4026532300]") }, "this process is in a user namespace of its own",
		},
		"pids and users of its own": {
			func(m *machine) {
				m.link("proc/4711/ns/user", "user:[4026532300]")
				m.link("proc/4711/ns/pid", "pid:[4026532301]")
			}, "(--pid host, hostPID: true) and in a user namespace of its own",
		},
		"the host's time": {func(m *machine) { m.link("proc/4711/ns/time", "time:[4026531834]") }, ""},
		"a time of its own": {
			func(m *machine) { m.link("proc/4711/ns/time", "time:[4026532302]") }, "this process is in a time namespace of its own",
		},
		"namespaces that can't be seen": {
			func(m *machine) { m.remove("proc/4711/ns/pid") }, "this process is in a pid namespace of its own",
		},
		"CPUs without a tick": {
			func(m *machine) { m.write("sys/devices/system/cpu/nohz_full", "2-3,6\n") }, "CPUs 2-3,6 run without a clock tick (nohz_full)",
		},
		"an empty list of them":   {func(m *machine) { m.write("sys/devices/system/cpu/nohz_full", "\n") }, ""},
		"a list with a space":     {func(m *machine) { m.write("sys/devices/system/cpu/nohz_full", " (null)\n") }, ""},
		"a kernel without a list": {func(m *machine) { m.remove("sys/devices/system/cpu/nohz_full") }, ""},
		"locked down": {
			func(m *machine) { m.write("sys/kernel/security/lockdown", "none integrity [confidentiality]\n") }, "the kernel is locked down (lockdown=confidentiality)",
		},
		"not locked down": {func(m *machine) { m.write("sys/kernel/security/lockdown", "[none] integrity confidentiality\n") }, ""},
		"no securityfs":   {func(m *machine) { m.remove("sys/kernel/security/lockdown") }, ""},
		"several at once": {
			func(m *machine) { m.s.release = "5.4.0"; m.hold(0) }, "it takes Linux 5.8 or newer, and this is 5.4.0; " + neither,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			c.change(m)
			err := m.s.supports(rootfs.At(m.root))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.Contains(t, err.Error(), c.want)
		})
	}
}

// TestAnotherRootIsNotThisHost: the host is looked at below its root, and the kernel and this process in this process's own /proc and /sys.
func TestAnotherRootIsNotThisHost(t *testing.T) {
	m, other := newMachine(t), newMachine(t)
	other.remove("sys/kernel/btf/vmlinux")
	require.NoError(t, m.s.supports(rootfs.At(other.root)))
	other.link("proc/self", "1")
	require.ErrorContains(t, m.s.supports(rootfs.At(other.root)), other.root+"/proc is that of another pid namespace")
}

// TestThisHost holds what is said of this very machine, whatever it has: a tree of files is never supported, and a process in a pid namespace of its own is not.
func TestThisHost(t *testing.T) {
	err := Supported(t.TempDir())
	require.ErrorContains(t, err, "is not the kernel's procfs")

	if os.Getenv("IN_A_NAMESPACE") != "" {
		require.ErrorContains(t, Supported(""), "this process is in a pid namespace of its own")
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestThisHost$", "-test.v")
	cmd.Env = append(os.Environ(), "IN_A_NAMESPACE=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	testenv.Root(t, "makes a pid namespace")
	out, err := cmd.CombinedOutput()
	testenv.InNamespace(t, out, err)
	require.NoError(t, err, "%s", out)
}

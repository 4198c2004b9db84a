package host

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// inNamespaces runs the test that calls it once more, in a process with namespaces of its own, where it may do as root what would
// disturb the host. There it returns true; here, when that process is done, false.
func inNamespaces(t *testing.T, flags uintptr) bool {
	t.Helper()
	const marker = "PSUTIL_TEST_IN_NAMESPACES"
	if os.Getenv(marker) == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), marker+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	testenv.InNamespace(t, out, err)
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PASS: "+t.Name(), "%s", out)
	return false
}

// loopbackUp starts the loopback interface of a new network namespace.
func loopbackUp(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Close(fd)) }()
	lo, err := unix.NewIfreq("lo")
	require.NoError(t, err)
	lo.SetUint16(unix.IFF_UP)
	require.NoError(t, unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo))
}

// mount makes a directory and mounts something on it.
func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(target, 0o755))
	require.NoError(t, unix.Mount(source, target, kind, flags, data), "mounting %s at %s", kind, target)
	t.Cleanup(func() { _ = unix.Unmount(target, unix.MNT_DETACH) })
}

// hostWithProcfs is a host below whose root this kernel's procfs is mounted. It needs a mount namespace of its own.
func hostWithProcfs(t *testing.T) *Host {
	t.Helper()
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	root := t.TempDir()
	mount(t, "/proc", root+"/proc", "", unix.MS_BIND|unix.MS_REC, "")
	h, err := New(root)
	require.NoError(t, err)
	return h
}

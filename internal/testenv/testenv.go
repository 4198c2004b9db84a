// Package testenv says what a test needs of the machine that it runs on, and what happens where that is missing: the test is skipped, or it
// fails when REQUIRE_ROOT=1 is set, as it is in CI. A test that skips for any other reason says why beside it.
package testenv

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// RequireRoot is the environment variable with which no test may be skipped for lack of a privilege, a program or a feature of the kernel.
const RequireRoot = "REQUIRE_ROOT"

// Missing ends a test for lack of something that the machine could have: it skips the test, or fails it when REQUIRE_ROOT=1 is set.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv(RequireRoot) == "1" {
		t.Fatalf(RequireRoot+"=1 lets no test be skipped: "+format, args...)
	}
	t.Skipf(format, args...) //nolint:forbidigo // The one place.
}

// Root needs the privileges of root, for which it gives the reason, such as "mounts a filesystem".
func Root(t testing.TB, reason string) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "needs root: %s", reason)
	}
}

// Program needs a program, and gives its path.
func Program(t testing.TB, name string) (path string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "needs %s: %v", name, err)
	}
	return path
}

// Strace needs strace(1) and the right to trace. It gives the path of the program.
func Strace(t testing.TB) (path string) {
	t.Helper()
	path = Program(t, "strace")
	if out, err := exec.CommandContext(t.Context(), path, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		Missing(t, "strace may not trace: %v: %s", err, out)
	}
	return path
}

// InNamespace ends a test, as Missing does, if the part of it that ran in namespaces of its own did not get them, or was itself skipped:
// err and output are what CombinedOutput gave.
func InNamespace(t testing.TB, output []byte, err error) {
	t.Helper()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		Missing(t, "no namespaces: %v", err)
	}
	if strings.Contains(string(output), "SKIP: "+t.Name()) {
		Missing(t, "%s", output)
	}
}

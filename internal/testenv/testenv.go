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
func Missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv(RequireRoot) == "1" {
		tb.Fatalf(RequireRoot+"=1 lets no test be skipped: "+format, args...)
	}
	tb.Skipf(format, args...) //nolint:forbidigo // The one place.
}

// RequireKernel is the environment variable with which no test may be skipped for what the kernel of this machine is built without, or forbids.
const RequireKernel = "REQUIRE_KERNEL"

// Kernel ends a test for lack of something that nobody can install on this machine: kernels are built without it, and sandboxes forbid it. It skips the
// test, or fails it when REQUIRE_KERNEL=1 is set. What is skipped so runs in virtual machines, too.
func Kernel(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv(RequireKernel) == "1" {
		tb.Fatalf(RequireKernel+"=1 lets no test be skipped: "+format, args...)
	}
	tb.Skipf(format, args...) //nolint:forbidigo // The other place.
}

// Root needs the privileges of root, for which it gives the reason, such as "mounts a filesystem".
func Root(tb testing.TB, reason string) {
	tb.Helper()
	if os.Geteuid() != 0 {
		Missing(tb, "needs root: %s", reason)
	}
}

// Program needs a program, and gives its path.
func Program(tb testing.TB, name string) (path string) {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(tb, "needs %s: %v", name, err)
	}
	return path
}

// Strace needs strace(1) and the right to trace. It gives the path of the program.
func Strace(tb testing.TB) (path string) {
	tb.Helper()
	path = Program(tb, "strace")
	if out, err := exec.CommandContext(tb.Context(), path, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		Missing(tb, "strace may not trace: %v: %s", err, out)
	}
	return path
}

// InNamespace ends a test, as Missing does, if the part of it that ran in namespaces of its own did not get them, or was itself skipped:
// err and output are what CombinedOutput gave.
func InNamespace(tb testing.TB, output []byte, err error) {
	tb.Helper()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		Missing(tb, "no namespaces: %v", err)
	}
	if strings.Contains(string(output), "SKIP: "+tb.Name()) {
		Missing(tb, "%s", output)
	}
}

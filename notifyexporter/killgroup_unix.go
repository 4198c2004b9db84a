//go:build unix

package notifyexporter

import (
	"os/exec"
	"syscall"
)

// killGroup lets a program that takes too long be ended with all that it has started.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

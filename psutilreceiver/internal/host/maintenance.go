package host

import "bytes"

const (
	hungTasksFile     = "proc/sys/kernel/hung_task_detect_count"
	kernelReleaseFile = "proc/sys/kernel/osrelease"
	kernelVersionFile = "proc/sys/kernel/version"
)

// HungTasks is how often the kernel has found a task that did not leave uninterruptible sleep for as long as kernel.hung_task_timeout_secs says, since
// boot. ErrUnsupported before Linux 6.13, where the kernel was built without the check, and on other systems.
func (h *Host) HungTasks() (int64, error) {
	v, err := h.readInt(hungTasksFile)
	return v, optional(err)
}

// KernelRelease is which kernel runs. A field is empty where it is not known.
type KernelRelease struct {
	Release string // as of uname -r: 6.1.0-28-amd64
	Version string // as of uname -v: which build it is
}

// KernelRelease gives the kernel that runs, from osrelease and version in /proc/sys/kernel. ErrUnsupported on other systems than Linux.
func (h *Host) KernelRelease() (KernelRelease, error) {
	release, err := h.readName(kernelReleaseFile)
	if err != nil {
		return KernelRelease{}, optional(err)
	}
	version, err := h.readName(kernelVersionFile)
	return KernelRelease{Release: release, Version: version}, optional(err)
}

// readName reads a file that holds one line of text, such as the kernel ends with a newline.
func (h *Host) readName(name string) (string, error) {
	text, err := h.read(name)
	if err != nil {
		return "", err
	}
	line, ended := bytes.CutSuffix(text, []byte{'\n'})
	if !ended || len(line) == 0 || len(line) > maxKernelName || bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", oddText(name, text)
	}
	return h.names.of(line), nil
}

// maxKernelName is more than the kernel's own name has: __NEW_UTS_LEN of include/uapi/linux/utsname.h is 64.
const maxKernelName = 256

// rebootRequest is a file that is there when the host is to be restarted for what packages have installed, and what is there where something is installed
// that would write it.
type rebootRequest struct {
	file    string
	writers []string
}

var rebootRequests = [...]rebootRequest{
	{"run/reboot-required", []string{ // The Debian family.
		"usr/share/update-notifier/notify-reboot-required", "etc/kernel/postinst.d/unattended-upgrades", "etc/kernel/postinst.d/reboot-notifier",
	}},
	{"run/reboot-needed", []string{"usr/bin/zypper"}}, // The SUSE family.
}

// RebootRequired tells whether installed updates wait for a restart of the host. ErrUnsupported where nothing is installed that keeps a record of it, which
// is looked at seldom.
func (h *Host) RebootRequired() (bool, error) {
	r := &h.reboots
	if r.checks%rediscoverAfter == 0 {
		r.file = h.rebootFile()
	}
	r.checks++
	if r.file == "" {
		return false, ErrUnsupported
	}
	return h.exists(r.file), nil
}

// rebootRecords is the file in which a host keeps a record of whether it is to be restarted; empty if it keeps none.
type rebootRecords struct {
	checks int
	file   string
}

func (h *Host) rebootFile() string {
	kept := ""
	for _, r := range rebootRequests {
		if h.exists(r.file) {
			return r.file
		}
		for _, writer := range r.writers {
			if kept == "" && h.exists(writer) {
				kept = r.file
			}
		}
	}
	return kept
}

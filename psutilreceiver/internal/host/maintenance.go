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

// Files of packages that say whether the host is to be restarted for what they have installed.
var (
	// rebootRequests are there when it is: the first by update-notifier, unattended-upgrades and others of the Debian family, the second by zypper.
	rebootRequests = [...]string{"run/reboot-required", "run/reboot-needed"}
	// rebootKeepers are there where something is installed that would write one.
	rebootKeepers = [...]string{
		"usr/share/update-notifier/notify-reboot-required", "etc/kernel/postinst.d/unattended-upgrades", "etc/kernel/postinst.d/reboot-notifier",
		"usr/bin/zypper",
	}
)

// RebootRequired tells whether installed updates wait for a restart of the host. ErrUnsupported where nothing is installed that keeps a record of it.
func (h *Host) RebootRequired() (bool, error) {
	for _, name := range rebootRequests {
		if h.exists(name) {
			return true, nil
		}
	}
	if h.reboots.checks%rediscoverAfter == 0 {
		h.reboots.kept = false
		for _, name := range rebootKeepers {
			h.reboots.kept = h.reboots.kept || h.exists(name)
		}
	}
	h.reboots.checks++
	if !h.reboots.kept {
		return false, ErrUnsupported
	}
	return false, nil
}

// rebootRecords is whether a host keeps a record of whether it is to be restarted. That is looked at seldom.
type rebootRecords struct {
	checks int
	kept   bool
}

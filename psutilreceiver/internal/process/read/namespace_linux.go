package read

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"

// firstPIDNamespace is that of the PID namespace that the kernel begins with: PROC_PID_INIT_INO of its source.
const firstPIDNamespace = "pid:[4026531836]"

// HasFirstPIDs tells whether the numbers of processes are here those that the kernel itself gives: whether this process is in the PID namespace that
// the kernel begins with. own is the root directory with this process's own /proc. known is false where that does not say.
func HasFirstPIDs(own rootfs.Root) (first, known bool) {
	namespace := own.Readlink(own.Join("proc/self/ns/pid"))
	return namespace == firstPIDNamespace, namespace != ""
}

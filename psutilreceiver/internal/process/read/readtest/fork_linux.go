package readtest

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file forks without executing a program, so that 50,000 processes take seconds. After a fork only the calling thread is there, and Go's runtime
// must not be entered: what runs in a child makes system calls only, has no stack check (nosplit) and no race detector, and uses memory that the parent mapped.

// leafWork is what each child of a batch does. It is in shared memory, with the pages and buffers that it names.
type leafWork struct {
	name      [16]byte // ends with a zero
	nestName  [16]byte
	spin      uintptr // rounds of a loop
	calls     uintptr // of getppid
	pages     uintptr // that are written to, private to each process
	pageSize  uintptr
	transfers uintptr // reads of /dev/zero and as many writes to /dev/null
	size      uintptr // bytes of each
	disk      uintptr // bytes written to a file of a disk
	nested    uintptr // leaves of a nest
	children  unix.Rusage
	null      uintptr
	zero      uintptr
	file      uintptr
	memory    unsafe.Pointer // of the parent, private
	buffer    uintptr
}

// forkLeaf starts a child that does the work and exits.
//
//go:nosplit
//go:norace
func forkLeaf(w *leafWork) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno == 0 && pid == 0 {
		leaf(w, &w.name)
	}
	return pid, errno
}

// forkNest starts a child that starts leaves, waits for each, adds what they used to the shared account, and exits.
//
//go:nosplit
//go:norace
func forkNest(w *leafWork) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	for range w.nested {
		child, _, failed := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if failed != 0 {
			exit(1)
		}
		if child == 0 {
			leaf(w, &w.name)
		}
		_, _, _ = syscall.RawSyscall6(unix.SYS_WAIT4, child, 0, 0, 0, 0, 0)
	}
	_, _, _ = syscall.RawSyscall(unix.SYS_GETRUSAGE, ^uintptr(0), uintptr(unsafe.Pointer(&w.children)), 0)
	leaf(w, &w.nestName)
	return 0, 0
}

//go:nosplit
//go:norace
func leaf(w *leafWork, name *[16]byte) {
	_, _, _ = syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0)
	var sum uintptr
	for i := uintptr(0); i < w.spin; i++ {
		sum = sum*31 + i
	}
	for i := uintptr(0); i < w.calls; i++ {
		_, _, _ = syscall.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	}
	for i := uintptr(0); i < w.pages; i++ {
		*(*uintptr)(unsafe.Add(w.memory, i*w.pageSize)) = sum
	}
	for i := uintptr(0); i < w.transfers; i++ {
		_, _, _ = syscall.RawSyscall(unix.SYS_READ, w.zero, w.buffer, w.size)
		_, _, _ = syscall.RawSyscall(unix.SYS_WRITE, w.null, w.buffer, w.size)
	}
	if w.disk > 0 {
		_, _, _ = syscall.RawSyscall6(unix.SYS_PWRITE64, w.file, w.buffer, w.disk, 0, 0, 0)
	}
	exit(0)
}

//go:nosplit
//go:norace
func exit(code uintptr) {
	for {
		_, _, _ = syscall.RawSyscall(unix.SYS_EXIT_GROUP, code, 0, 0)
	}
}

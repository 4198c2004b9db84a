// Package bpf reads the processes of a host by programs in the kernel (BPF): an iterator that hands over all of them at once, and tracepoints that tell
// of each one's end.
//
// The programs are in processes.bpf.c; what is committed of them compiled is made by go generate (clang 14). A [Reader] loads them, and wraps the reader of /proc
// for what is read once of a process, such as its command line, and for what the programs do not count.
package bpf

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang-14 -strip llvm-strip-14 -target amd64,arm64 -type process -type ended -type times programs processes.bpf.c -- -O2 -g -Wall -Werror -I/usr/include/x86_64-linux-gnu -I/usr/include/aarch64-linux-gnu

// Package bpf reads the processes of a host by BPF, programs that the kernel verifies and runs: an iterator that hands over all processes in one pass, and
// tracepoints that tell of each one's end. It is for Linux on amd64 and arm64; [Supported] says whether it can be used, and what it takes. A [Reader] loads
// the programs, and wraps the reader of /proc for what is read once of a process, such as its command line, and for what the programs do not count.
//
// The programs, in processes.bpf.c, are compiled by clang, and the objects are committed, so that nobody else needs a compiler: `make bpf` compiles them, `make check-bpf`
// compares them with their source. Another version of clang makes other objects.
package bpf

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang-14 -strip llvm-strip-14 -tags linux -target amd64,arm64 -type process -type ended -type times -type ending -type name -type path programs processes.bpf.c -- -O2 -g -Wall -Werror -I/usr/include/x86_64-linux-gnu -I/usr/include/aarch64-linux-gnu

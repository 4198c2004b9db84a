// Package bpf reads the processes of a host by BPF: programs that the kernel verifies and runs hand over all processes in one pass, and tell of every one
// that ends. It is for Linux on amd64 and arm64; [Supported] says whether it can be used, and what it takes.
//
// The programs are compiled by clang, and the objects are committed, so that nobody else needs a compiler: `make bpf` compiles them, `make check-bpf`
// compares them with their source. Another version of clang makes other objects.
package bpf

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go@v0.22.0 -cc clang-14 -strip llvm-strip-14 -tags linux -target amd64,arm64 processes processes.bpf.c -- -O2 -g -Wall -Werror

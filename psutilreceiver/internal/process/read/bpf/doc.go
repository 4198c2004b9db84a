// Package bpf reads the processes of a host by BPF: programs that the kernel verifies and runs hand over all processes in one pass, and tell of every one
// that ends. It is for Linux on amd64 and arm64; [Supported] says whether it can be used, and what it takes.
package bpf

// The objects are compiled by clang and committed: `make bpf` compiles them, `make check-bpf` compares them with their source.

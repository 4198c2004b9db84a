package otelcolpsutil_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// opens are the functions that open a file by its path, or follow the path in another way.
var opens = map[string][]string{
	"os":       {"Open", "OpenFile", "OpenInRoot", "OpenRoot", "ReadFile", "ReadDir", "DirFS", "Readlink", "Stat", "CopyFS"},
	"ioutil":   {"ReadFile", "ReadDir"},
	"filepath": {"Glob", "Walk", "WalkDir", "EvalSymlinks"},
	"syscall":  {"Open", "Openat", "Stat", "Statfs", "Readlink"},
	"unix": {
		"Open", "Openat", "Openat2", "Stat", "Statfs", "Statx", "Fstatat", "Readlink", "Readlinkat",
		"SYS_OPENAT", "SYS_OPENAT2", "SYS_READLINKAT", "SYS_STATX",
	},
}

// mayOpen has what the receiver opens without package rootfs, and why that is safe.
var mayOpen = map[string]string{
	"host/host.go: os.Stat":                              "the root directory itself, which the configuration names",
	"process/read/procdir_linux.go: unix.SYS_OPENAT":     "in the kernel's own procfs only",
	"process/read/procdir_linux.go: unix.SYS_STATX":      "in the kernel's own procfs only",
	"process/read/procdir_linux.go: unix.SYS_READLINKAT": "in the kernel's own procfs only",
	"startup_memory_linux.go: os.ReadFile":               "the mappings of this process itself",
	"startup_memory_linux.go: os.Readlink":               "the program of this process itself",
	"process/read/procdir_linux.go: unix.Fstatat":        "in the kernel's own procfs, or of a link itself",
	"events/kmsg_linux.go: unix.Openat":                  "the device of the kernel's log, of which it holds the number, in a directory that rootfs has opened",
	"process/read/bpf/path_linux.go: os.Readlink":        "the namespace of this process itself",
	"systemd/connect_linux.go: unix.Fstatat":             "of a socket itself, in a directory that rootfs has opened",
}

// TestTheReceiverOpensFilesByRootfsAlone holds that no reader follows a link out of a host's root, waits for a FIFO or reads what is no regular file:
// none opens a file by itself, nor does a library for it, on Linux.
func TestTheReceiverOpensFilesByRootfsAlone(t *testing.T) {
	const receiver = "psutilreceiver/"
	unused := maps.Clone(mayOpen)
	for _, path := range sources(t, ".go") {
		path = filepath.ToSlash(path)
		if !strings.HasPrefix(path, receiver) || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/crosscheck/") ||
			strings.HasPrefix(path, receiver+"internal/rootfs/") || strings.Contains(path, "/proctest/") || strings.Contains(path, "/readtest/") || strings.Contains(path, "/systemdtest/") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		require.NoError(t, err)
		short := strings.TrimPrefix(strings.TrimPrefix(path, receiver), "internal/")
		if isOfLinux(path, file) {
			for _, i := range file.Imports {
				assert.NotContains(t, i.Path.Value, "gopsutil", "%s: it opens files by itself", path)
				assert.NotContains(t, i.Path.Value, "prometheus/procfs", "%s: it opens files by itself", path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && slices.Contains(opens[x.Name], s.Sel.Name) {
				what := short + ": " + x.Name + "." + s.Sel.Name
				assert.Contains(t, mayOpen, what, "open it with rootfs.Root")
				delete(unused, what)
			}
			return true
		})
	}
	assert.Empty(t, unused, "there is no such call any more")
}

// isOfLinux tells whether a file is built for Linux.
func isOfLinux(path string, file *ast.File) bool {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "//go:build ") {
				return !strings.Contains(c.Text, "!linux") && (strings.Contains(c.Text, "linux") || strings.Contains(c.Text, "!"))
			}
		}
	}
	name := strings.TrimSuffix(filepath.Base(path), ".go")
	return !strings.HasSuffix(name, "_windows") && !strings.HasSuffix(name, "_darwin") && !strings.HasSuffix(name, "_bsd")
}

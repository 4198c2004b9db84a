//go:build linux && (amd64 || arm64)

package bpf

import (
	"errors"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/stretchr/testify/require"
)

// TestVerifierAcceptsEachProgram loads those that this kernel can run, both forms of the iterator where it can run both, and tells how many instructions the
// verifier looked at. If it refuses one, all that it said is shown.
func TestVerifierAcceptsEachProgram(t *testing.T) {
	newReader(t) // It may lock as much memory as programs take on old kernels.
	spec, err := loadPrograms()
	require.NoError(t, err)
	version, err := features.LinuxVersionCode()
	require.NoError(t, err)
	if version < linuxWithLoop {
		delete(spec.Programs, programsProgDumpProcesses)
	}
	collection, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{LogLevel: ebpf.LogLevelStats}})
	if refused, ok := errors.AsType[*ebpf.VerifierError](err); ok {
		t.Fatalf("%+v", refused)
	}
	require.NoError(t, err)
	defer collection.Close()
	for name, program := range collection.Programs {
		log := strings.TrimSpace(program.VerifierLog)
		t.Logf("%s: %s", name, log[strings.LastIndexByte(log, '\n')+1:])
	}
}

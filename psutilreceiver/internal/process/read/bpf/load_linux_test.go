//go:build amd64 || arm64

package bpf

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestRefusalNamesWhatMayBeTheCause: a limit that the kernel does not have is none.
func TestRefusalNamesWhatMayBeTheCause(t *testing.T) {
	refused := fmt.Errorf("map scratch: map create: %w (MEMLOCK may be too low, consider rlimit.RemoveMemlock)", unix.EPERM)
	const filter = "map scratch: map create: operation not permitted: a seccomp filter or a security module may forbid bpf(2)"
	require.EqualError(t, refusal(refused, false), filter)
	require.EqualError(t, refusal(refused, true), filter+", or RLIMIT_MEMLOCK be too low")
	assert.Equal(t, unix.ENOSYS, refusal(unix.ENOSYS, true))
}

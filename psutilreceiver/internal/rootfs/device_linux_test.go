package rootfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOnlyTheDeviceThatIsMeantIsOpened(t *testing.T) {
	fd, err := At("").OpenDevice("/dev/null", "1:3")
	require.NoError(t, err)
	require.NoError(t, unix.Close(fd))
	_, err = At("").OpenDevice("/dev/null", "1:5")
	require.ErrorIs(t, err, unix.ENODEV)

	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o600))
	for name, want := range map[string]error{"file": unix.ENODEV, "missing": unix.ENOENT} {
		_, err = At(root).OpenDevice(filepath.Join(root, name), "1:3")
		assert.ErrorIs(t, err, want, name)
	}
}

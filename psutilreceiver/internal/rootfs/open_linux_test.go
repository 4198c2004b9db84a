package rootfs

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func textOf(t *testing.T, f *os.File, err error) string {
	t.Helper()
	require.NoError(t, err)
	defer func() { assert.NoError(t, f.Close()) }()
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	return string(text)
}

func TestLinksStayBelowTheRoot(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	put(t, filepath.Join(root, "real/secret"), "inside\n")
	put(t, filepath.Join(outside, "secret"), "outside\n")
	for name, target := range map[string]string{"absolute": "/real", "relative": "real", "escape": outside, "above": "../../../../../../../../real"} {
		require.NoError(t, os.Symlink(target, filepath.Join(root, name)))
	}
	for _, name := range []string{"absolute/secret", "relative/secret", "above/secret", "real/secret"} {
		f, err := Open(root, name)
		assert.Equal(t, "inside\n", textOf(t, f, err), name)
	}
	_, err := Open(root, "escape/secret")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open(filepath.Join(root, "none"), "real/secret")
	require.ErrorIs(t, err, os.ErrNotExist)

	f, err := openBelow(root, "relative/secret")
	assert.Equal(t, "inside\n", textOf(t, f, err))
	for _, name := range []string{"absolute/secret", "escape/secret", "above/secret"} {
		_, err = openBelow(root, name)
		require.Error(t, err, name)
	}
}

func TestLinksOfTheOwnRootLeadAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, "own\n")
	for _, root := range []string{"", "/"} {
		f, err := Open(root, path)
		assert.Equal(t, "own\n", textOf(t, f, err), root)
	}
}

package packaging

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// scratchRoot is a copy of this machine's root of which only the changes exist, so that packages can be installed for real.
type scratchRoot struct {
	dir string
}

// enter mounts the copy in a mount namespace of its own, and runs a command in it.
const enter = `
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
cd "$1/root"
dir=$1
shift
exec chroot "$dir/root" "$@"
`

func newScratchRoot(t *testing.T) *scratchRoot {
	t.Helper()
	needs(t, true, "unshare", "chroot")
	r := &scratchRoot{dir: openDir(t)}
	for _, name := range []string{"changes", "work", "root"} {
		require.NoError(t, os.Mkdir(filepath.Join(r.dir, name), 0o755))
	}
	if out, err := r.command("true").CombinedOutput(); err != nil {
		testenv.Missing(t, "no overlay filesystem: %v: %s", err, out)
	}
	return r
}

func (r *scratchRoot) command(args ...string) *exec.Cmd {
	return exec.Command("unshare", append([]string{"--mount", "--fork", "sh", "-ec", enter, "enter", r.dir}, args...)...)
}

// run runs a command in the copy.
func (r *scratchRoot) run(t *testing.T, args ...string) string {
	t.Helper()
	return output(t, r.command(args...))
}

// changed is the path of something in the copy that is not on this machine, or not like that.
func (r *scratchRoot) changed(path string) string { return filepath.Join(r.dir, "changes", path) }

// write puts a file into the copy.
func (r *scratchRoot) write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(r.changed(path)), 0o755))
	require.NoError(t, os.WriteFile(r.changed(path), []byte(text), mode))
	require.NoError(t, os.Chmod(r.changed(path), mode))
}

// left lists what of the product is in the copy.
func (r *scratchRoot) left(t *testing.T) (paths []string) {
	t.Helper()
	changes := r.changed("")
	require.NoError(t, filepath.WalkDir(changes, func(path string, _ fs.DirEntry, err error) error {
		if rest := strings.TrimPrefix(path, changes); strings.Contains(rest, "otelcol-psutil") {
			paths = append(paths, rest)
		}
		return err
	}))
	return paths
}

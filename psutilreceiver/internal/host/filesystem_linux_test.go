package host

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listed gives the mounts of a host that are read, by place.
func listed(t *testing.T, h *Host, want func(*Mount) bool) map[string]Mount {
	t.Helper()
	fs := NewFilesystems(h, time.Minute, want)
	fs.statfs = func(string) (Space, error) { return Space{Total: 1}, nil }
	found, err := fs.Read(time.Now())
	require.NoError(t, err)
	places := make(map[string]Mount)
	for _, f := range found {
		places[f.Mountpoint] = f.Mount
	}
	return places
}

func realMounts(m *Mount) bool { return !m.Virtual }

func TestMountsOfHosts(t *testing.T) {
	for name, want := range map[string]map[string]Mount{
		"server-6.x": {
			"/":           {Device: "/dev/mapper/vg0-root", Mountpoint: "/", Type: "xfs"},
			"/boot/efi":   {Device: "/dev/nvme0n1p1", Mountpoint: "/boot/efi", Type: "vfat"},
			"/srv/data":   {Device: "/dev/mapper/vg0-data", Mountpoint: "/srv/data", Type: "ext4"}, // And not its bind mount too.
			"/mnt/backup": {Device: "nas.example.net:/backup", Mountpoint: "/mnt/backup", Type: "nfs4"},
		},
		"kernel-4.4": {"/": {Device: "/dev/sda1", Mountpoint: "/", Type: "ext4"}},
		"container":  {"/": {Device: "/dev/vda1", Mountpoint: "/", Type: "ext4"}}, // The host's, not the container's overlay.
	} {
		assert.Equal(t, want, listed(t, fixtureHost(t, name), realMounts), name)
	}
	all := listed(t, fixtureHost(t, "server-6.x"), everyMount)
	assert.Contains(t, all, "/run")
	assert.Contains(t, all, "/dev/shm")
	assert.True(t, all["/run"].Virtual)
	assert.NotContains(t, all, "/proc/sys/fs/binfmt_misc", "an automount is never read")
}

func TestTheFilterComesBeforeTheChoiceAmongBindMounts(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/1/mountinfo": "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n" +
		"21 20 8:2 / /var/lib/data rw - ext4 /dev/sda2 rw\n22 20 8:2 /x /data ro - ext4 /dev/sda2 rw\n23 20 8:2 /y /dat2 rw - ext4 /dev/sda2 rw\n"})
	assert.Contains(t, listed(t, h, everyMount), "/var/lib/data", "all of it before a part")
	places := listed(t, h, func(m *Mount) bool { return m.Mountpoint != "/var/lib/data" })
	assert.Contains(t, places, "/dat2", "the shortest, and of those the first by name")
	places = listed(t, h, func(m *Mount) bool { return m.Mountpoint == "/data" })
	require.Contains(t, places, "/data")
	assert.False(t, places["/data"].ReadOnly, "the filesystem can be written elsewhere")
}

func TestParseMountLine(t *testing.T) {
	for text, want := range map[string]mountLine{
		`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`: {
			id: "36", parent: "35", device: "98:0", mountpoint: "/mnt2", fsType: "ext3", source: "/dev/root", part: true,
		},
		`36 35 98:0 / /a\040b\134c\011 rw - ext4 /dev/disk/by-label/x\040y rw`: {
			id: "36", parent: "35", device: "98:0", mountpoint: "/a b\\c\t", fsType: "ext4", source: "/dev/disk/by-label/x y",
		},
		`36 35 98:0 / /m ro shared:1 master:2 propagate_from:3 unbindable - fuse.sshfs u@h:/ rw`: {
			id: "36", parent: "35", device: "98:0", mountpoint: "/m", fsType: "fuse.sshfs", source: "u@h:/", readOnly: true,
		},
		`36 35 98:0 / /m rw - tmpfs  ro,size=4k`: {
			id: "36", parent: "35", device: "98:0", mountpoint: "/m", fsType: "tmpfs", superReadOnly: true,
		}, // No source.
	} {
		got, ok := parseMountLine([]byte(text))
		assert.True(t, ok, text)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{
		"", "36", "36 35 98:0 / /m rw", "36 35 98:0 / /m rw shared:1 ext4 /dev/root rw", "36 35 98:0 / /m rw -", "36 35 98 / /m rw - ext4 x rw",
		"36 35 98:0 / m rw - ext4 x rw",
	} {
		_, ok := parseMountLine([]byte(text))
		assert.False(t, ok, text)
	}
}

func TestAnOddMountLineCostsItsOwnMount(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/1/mountinfo": "malformed\n20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:2 / /cut rw"})
	assert.Len(t, listed(t, h, everyMount), 1)
}

// TestVisibleMounts pins that a mount is read only where its path still leads to it.
func TestVisibleMounts(t *testing.T) {
	for name, c := range map[string]struct {
		table string
		want  []string
	}{
		"the initial root under the real one": {
			"1 1 0:2 / / rw - rootfs rootfs rw\n20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:2 / /home rw - ext4 /dev/sda2 rw", []string{"20", "21"},
		},
		"one over the other": {
			"20 1 8:1 / / rw - ext4 a rw\n21 20 8:2 / /mnt rw - ext4 b rw\n22 21 8:3 / /mnt rw - ext4 c rw", []string{"20", "22"},
		},
		"one over a directory on the way": {
			"20 1 8:1 / / rw - ext4 a rw\n21 20 8:2 / /mnt/deep/er rw - ext4 b rw\n22 20 8:3 / /mnt rw - ext4 c rw", []string{"20", "22"},
		},
		"with those below it": {
			"20 1 8:1 / / rw - ext4 a rw\n21 20 8:2 / /mnt rw - ext4 b rw\n23 21 8:4 / /mnt/sub rw - ext4 d rw\n22 21 8:3 / /mnt rw - ext4 c rw",
			[]string{"20", "22"},
		},
		"not one beside it with a like name": {
			"20 1 8:1 / / rw - ext4 a rw\n21 20 8:2 / /mnt2 rw - ext4 b rw\n22 20 8:3 / /mnt rw - ext4 c rw", []string{"20", "21", "22"},
		},
		"a circle, which there is not": {"20 21 8:1 / /a rw - ext4 a rw\n21 20 8:2 / /a/b rw - ext4 b rw", nil},
	} {
		var ids []string
		for _, m := range visibleMounts(parseMountinfo([]byte(c.table))) {
			ids = append(ids, m.id)
		}
		assert.Equal(t, c.want, ids, name)
	}
}

// TestMountsBelowARoot pins what of the host's mounts is read in a container: what was mounted there too.
func TestMountsBelowARoot(t *testing.T) {
	const hosts = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:2 / /data rw - ext4 /dev/sdb1 rw\n22 20 8:3 / /late rw - ext4 /dev/sdc1 rw\n"
	const overlay = "50 40 0:70 / / rw - overlay overlay rw\n"
	for name, c := range map[string]struct {
		hosts, own string
		want       map[string]string
	}{
		"a mount that came after the container is not reachable": {
			hosts, overlay + "51 50 8:1 / ROOT ro - ext4 /dev/sda1 rw\n52 51 8:2 / ROOT/data ro - ext4 /dev/sdb1 rw\n",
			map[string]string{"/": "/dev/sda1", "/data": "/dev/sdb1"},
		},
		"the host's first process can't be seen": {
			"", overlay + "51 50 8:1 / ROOT ro - ext4 /dev/sda1 rw\n52 51 8:2 / ROOT/data ro - ext4 /dev/sdb1 rw\n53 50 8:9 / ROOTED ro - ext4 x rw\n",
			map[string]string{"/": "/dev/sda1", "/data": "/dev/sdb1"},
		},
		"the root is no mount of its own": {hosts, overlay, map[string]string{"/": "/dev/sda1", "/data": "/dev/sdb1", "/late": "/dev/sdc1"}},
	} {
		h := hostWith(t, nil)
		put(t, h.Root(), "proc/self/mountinfo", strings.ReplaceAll(c.own, "ROOT", h.Root()))
		if c.hosts != "" {
			put(t, h.Root(), "proc/1/mountinfo", c.hosts)
		}
		got := make(map[string]string)
		var paths []string
		fs := NewFilesystems(h, time.Minute, realMounts)
		fs.statfs = func(path string) (Space, error) {
			paths = append(paths, path)
			return Space{Total: 1}, nil
		}
		found, err := fs.Read(time.Now())
		require.NoError(t, err)
		for _, f := range found {
			got[f.Mountpoint] = f.Device
			assert.Contains(t, paths, filepath.Join(h.Root(), f.Mountpoint), "%s: read below the root", name)
		}
		assert.Equal(t, c.want, got, name)
	}
}

func TestTheMountTableIsFollowed(t *testing.T) {
	h := hostWith(t, map[string]string{"proc/1/mountinfo": mountTableOf("/", "/data")})
	fs := NewFilesystems(h, time.Minute, everyMount)
	fs.statfs = func(string) (Space, error) { return Space{Total: 1}, nil }
	read := func() map[string]bool {
		t.Helper()
		h.Begin()
		found, err := fs.Read(time.Now())
		require.NoError(t, err)
		readOnly := make(map[string]bool)
		for _, f := range found {
			readOnly[f.Mountpoint] = f.ReadOnly
		}
		return readOnly
	}
	assert.Equal(t, map[string]bool{"/": false, "/data": false}, read())
	put(t, h.Root(), "proc/1/mountinfo", strings.Replace(mountTableOf("/", "/data", "/home"), "/data rw", "/data ro", 1))
	assert.Equal(t, map[string]bool{"/": false, "/data": true, "/home": false}, read())
	put(t, h.Root(), "proc/1/mountinfo", mountTableOf("/"))
	assert.Equal(t, map[string]bool{"/": false}, read())
	assert.Len(t, fs.states, 1)
}

func FuzzParseMountinfo(f *testing.F) {
	for _, seed := range []string{
		"", "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n", `36 35 98:0 / /a\040b rw shared:1 - fuse.x  ro`, "36 35 98:0 / /m rw -", `1 1 1:1 / /\`,
		"20 21 8:1 / /a rw - ext4 a rw\n21 20 8:2 / /a/b rw - ext4 b rw", "1 1 0:1 / //.. rw - a b c", "1 1 : / /\xff/./ rw - a b c\n2 1 : / / rw - a b c",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		mounts := parseMountinfo(text)
		for _, m := range mounts {
			assert.NotEmpty(t, m.mountpoint)
			assert.Equal(t, byte('/'), m.mountpoint[0])
			assert.NotEmpty(t, m.fsType)
		}
		visible := visibleMounts(mounts)
		assert.LessOrEqual(t, len(visible), len(mounts))
		for _, m := range visible {
			assert.Contains(t, mounts, m)
		}
	})
}

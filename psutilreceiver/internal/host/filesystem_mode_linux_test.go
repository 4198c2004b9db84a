package host

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const rootMount = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"

// TestWhichMountStandsForAFilesystem: one of all of it, wherever bind mounts of parts are.
func TestWhichMountStandsForAFilesystem(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"a bind mount with a shorter path":          {"21 20 8:2 / /var/lib/data rw - ext4 b rw\n22 20 8:2 /x /d rw - ext4 b rw", "/var/lib/data"},
		"a bind mount that was made first":          {"22 20 8:2 /x /d rw - ext4 b rw\n21 20 8:2 / /var/lib/data rw - ext4 b rw", "/var/lib/data"},
		"a bind mount of all of it":                 {"21 20 8:2 / /var/lib/data rw - ext4 b rw\n22 20 8:2 / /data rw - ext4 b rw", "/data"},
		"two parts":                                 {"21 20 8:2 /y /var/lib/data rw - ext4 b rw\n22 20 8:2 /x /d rw - ext4 b rw", "/d"},
		"a file":                                    {"21 20 8:2 / /var/lib/data rw - ext4 b rw\n22 20 8:2 /etc/hosts /h rw - ext4 b rw", "/var/lib/data"},
		"a directory that was removed":              {"21 20 8:2 / /var/lib/data rw - ext4 b rw\n22 20 8:2 /x//deleted /d rw - ext4 b rw", "/var/lib/data"},
		"only parts, one in the other's path":       {"21 20 8:2 /ostree/deploy/x /deploy rw - xfs b rw\n22 21 8:2 /ostree/deploy/var /deploy/var rw - xfs b rw", "/deploy"},
		"the root below parts":                      {"21 20 8:2 /ostree/deploy/x /deploy rw - xfs b rw\n22 21 8:2 / /deploy/sysroot ro - xfs b rw", "/deploy/sysroot"},
		"subvolumes of btrfs":                       {"21 20 0:40 /@data /data rw - btrfs b rw,subvolid=256,subvol=/@data\n22 20 0:40 /@data/x /x rw - btrfs b rw,subvolid=256,subvol=/@data", "/data"},
		"a subvolume and the top of its filesystem": {"21 20 0:40 /@ /data rw - btrfs b rw,subvol=/@\n22 20 0:40 / /mnt/top rw - btrfs b rw,subvol=/", "/data"},
	} {
		h := hostWith(t, map[string]string{"proc/1/mountinfo": rootMount + c.table + "\n"})
		places := listed(t, h, everyMount)
		assert.Contains(t, places, c.want, name)
		assert.Len(t, places, 2, name)
	}
}

// TestWhetherAFilesystemCanBeWritten holds the mode against the states of the superblock, of its mount and of bind mounts, in each order.
func TestWhetherAFilesystemCanBeWritten(t *testing.T) {
	const (
		whole   = "21 20 8:2 / /data MODE - ext4 b SUPER"
		another = "23 20 8:2 / /other MODE - ext4 b SUPER"
		part    = "22 20 8:2 /x /d MODE - ext4 b SUPER"
	)
	mount := func(line, mode, super string) string {
		return strings.NewReplacer("MODE", mode, "SUPER", super).Replace(line)
	}
	const writable = "rw,errors=remount-ro,data=ordered"
	for name, c := range map[string]struct {
		lines    []string
		readOnly bool
	}{
		"writable":                                     {[]string{mount(whole, "rw", "rw")}, false},
		"what an error would do":                       {[]string{mount(whole, "rw,relatime", writable)}, false},
		"shutdown and ro as values":                    {[]string{mount(whole, "rw", "rw,context=ro,x=shutdown,norecovery,ro_x")}, false},
		"the superblock":                               {[]string{mount(whole, "rw", "ro,errors=remount-ro")}, true},
		"the superblock, after an error":               {[]string{mount(whole, "rw", writable+",emergency_ro")}, true},
		"shut down":                                    {[]string{mount(whole, "rw", writable+",shutdown")}, true},
		"the mount":                                    {[]string{mount(whole, "ro,relatime", "rw")}, true},
		"a read-only bind mount of a part":             {[]string{mount(whole, "rw", "rw"), mount(part, "ro", "rw")}, false},
		"a read-only bind mount of all":                {[]string{mount(whole, "rw", "rw"), mount(another, "ro", "rw")}, false},
		"a writable bind mount of a part":              {[]string{mount(whole, "ro", "rw"), mount(part, "rw", "rw")}, false},
		"a writable bind mount of all":                 {[]string{mount(whole, "ro", "rw"), mount(another, "rw", "rw")}, false},
		"all mounts":                                   {[]string{mount(whole, "ro", "rw"), mount(another, "ro", "rw"), mount(part, "ro", "rw")}, true},
		"only a read-only part":                        {[]string{mount(part, "ro", "rw")}, false},
		"only a part of one that is read-only":         {[]string{mount(part, "rw", "ro")}, true},
		"a read-only superblock below writable mounts": {[]string{mount(whole, "rw", "ro"), mount(part, "rw", "ro")}, true},
	} {
		for _, lines := range [][]string{c.lines, reversed(c.lines)} {
			h := hostWith(t, map[string]string{"proc/1/mountinfo": rootMount + strings.Join(lines, "\n") + "\n"})
			for place, m := range listed(t, h, func(m *Mount) bool { return m.Mountpoint != "/" }) {
				assert.Equal(t, c.readOnly, m.ReadOnly, "%s: %s", name, place)
			}
		}
	}
}

func reversed(lines []string) []string {
	out := make([]string, 0, len(lines))
	for _, line := range slices.Backward(lines) {
		out = append(out, line)
	}
	return out
}

// TestAContainersMountsSayNothingOfTheHosts: it has the host's root read-only, as it should.
func TestAContainersMountsSayNothingOfTheHosts(t *testing.T) {
	h := hostWith(t, nil)
	own := "50 40 0:70 / / rw - overlay overlay rw\n51 50 8:1 / ROOT ro - ext4 /dev/sda1 rw\n52 51 8:2 / ROOT/data ro - ext4 /dev/sdb1 ro\n"
	put(t, h.Root(), "proc/self/mountinfo", strings.ReplaceAll(own, "ROOT", h.Root()))
	for _, hosts := range []string{"", "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:2 / /data rw - ext4 /dev/sdb1 ro\n"} {
		if hosts != "" {
			put(t, h.Root(), "proc/1/mountinfo", hosts)
			h.Begin()
		}
		places := listed(t, h, realMounts)
		require.Len(t, places, 2)
		assert.False(t, places["/"].ReadOnly)
		assert.True(t, places["/data"].ReadOnly)
	}
}

package read

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseCgroup(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"unified":                         {"0::/system.slice/ssh.service\n", "/system.slice/ssh.service"},
		"unified, in the root":            {"0::/\n", "/"},
		"hybrid, unified unused":          {"2:memory:/a\n1:name=systemd:/system.slice/ssh.service\n0::/\n", "/system.slice/ssh.service"},
		"hybrid, unified used":            {"1:name=systemd:/b\n0::/a\n", "/a"},
		"version 1 without systemd":       {"4:cpuset:/\n3:memory:/docker/x\n2:cpu,cpuacct:/y\n", "/docker/x"},
		"a colon in the path":             {"0::/a:b\n", "/a:b"},
		"a group that has been removed":   {"0::/a (deleted)\n", "/a"},
		"of another cgroup namespace":     {"0::/../../b\n", "/../../b"},
		"nothing":                         {"", "/"},
		"malformed":                       {"what\n::\n0:\n0::relative\n", "/"},
		"the last line has no line break": {"0::/a", "/a"},
	}
	for name, c := range cases {
		assert.Equal(t, c.want, parseCgroup([]byte(c.text)), name)
	}
}

func TestUnitAndContainerOfACgroup(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	cases := []struct{ path, unit, container string }{
		{"/", "", ""},
		{"/init.scope", "init.scope", ""},
		{"/system.slice/ssh.service", "ssh.service", ""},
		{"/system.slice/ssh.service/worker", "ssh.service", ""},
		{"/system.slice/_cpu.service", "cpu.service", ""},
		{`/system.slice/system-getty.slice/getty@tty1.service`, "getty@tty1.service", ""},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/editor.service", "user@1000.service", ""},
		{"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", ""},
		{"/user.slice", "user.slice", ""},
		{"/system.slice/docker-" + id + ".scope", "docker-" + id + ".scope", id},
		{"/docker/" + id, "", id},
		{"/kubepods/burstable/pod7f3c/" + id, "", id},
		{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope", "cri-containerd-" + id + ".scope", id},
		{"/docker/" + strings.Repeat("f", 64) + "/docker/" + id, "", id},
		{"/docker/" + id + "/init", "", id},
		{"/docker/" + id + "0", "", ""},
		{"/docker/" + strings.ToUpper(id), "", ""},
		{"/docker/" + id[1:], "", ""},
	}
	for _, c := range cases {
		assert.Equal(t, c.unit, systemdUnit(c.path), c.path)
		assert.Equal(t, c.container, containerID(c.path), c.path)
	}
}

func FuzzParseCgroup(f *testing.F) {
	f.Add([]byte("12:cpu,cpuacct:/a\n1:name=systemd:/system.slice/ssh.service\n0::/docker/" + strings.Repeat("a", 64) + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := parseCgroup(text)
		require.True(t, strings.HasPrefix(path, "/"))
		require.Contains(t, path, systemdUnit(path))
		id := containerID(path)
		require.Contains(t, path, id)
		require.True(t, id == "" || isContainerID(id))
	})
}

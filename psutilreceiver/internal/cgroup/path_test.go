package cgroup

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
		assert.Equal(t, c.want, ParsePath([]byte(c.text)), name)
	}
}

// TestContainersBesideTheUnifiedHierarchy: where version 1 is in use, the line of version 2 has the group of the daemon that started the process.
func TestContainersBesideTheUnifiedHierarchy(t *testing.T) {
	id, other := strings.Repeat("0123456789abcdef", 4), strings.Repeat("fedcba9876543210", 4)
	cases := map[string]struct{ text, path, container string }{
		"docker with cgroupfs, hybrid": {
			"3:rdma:/\n2:cpuset:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n0::/system.slice/containerd.service\n",
			"/docker/" + id, id,
		},
		"Kubernetes with cgroupfs, hybrid": {
			"11:memory:/kubepods/burstable/poda0178de9-9963-4c21-a277-14564e7abd2b/" + id +
				"\n1:name=systemd:/kubepods/burstable/poda0178de9-9963-4c21-a277-14564e7abd2b/" + id + "\n0::/system.slice/containerd.service\n",
			"/kubepods/burstable/poda0178de9-9963-4c21-a277-14564e7abd2b/" + id, id,
		},
		"only one controller of version 1 is the runtime's": {
			"4:cpuset:/\n3:memory:/user.slice\n2:pids:/docker/" + id + "\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/user.slice\n",
			"/docker/" + id, id,
		},
		"systemd's before another controller's": {
			"4:cpuset:/docker/" + other + "\n1:name=systemd:/docker/" + id + "\n0::/system.slice/docker.service\n", "/docker/" + id, id,
		},
		"the unified one before all": {
			"4:cpuset:/docker/" + other + "\n0::/system.slice/docker-" + id + ".scope\n", "/system.slice/docker-" + id + ".scope", id,
		},
		"a helper is no reason to leave the unified one": {
			"4:cpuset:/system.slice/crio-conmon-" + id + ".scope\n0::/system.slice/crio.service\n", "/system.slice/crio.service", "",
		},
		"from within a namespace, the unified one unused": {
			"1:name=systemd:/../../system.slice/ssh.service\n0::/../..\n", "/../../system.slice/ssh.service", "",
		},
		"from within a namespace, nothing but above": {"0::/../..\n", "/../..", ""},
	}
	for name, c := range cases {
		path := ParsePath([]byte(c.text))
		assert.Equal(t, c.path, path, name)
		assert.Equal(t, c.container, ContainerID(path), name)
	}
}

func TestUnitAndContainerOfACgroup(t *testing.T) {
	const (
		id   = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		node = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		uid  = "72f7f152-440c-66ac-9084-e0fc1d8a910c"
		user = "/user.slice/user-1000.slice/user@1000.service"
	)
	escaped := strings.ReplaceAll(uid, "-", "_")
	slice := "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + escaped + ".slice/"
	cases := []struct{ path, unit, container string }{
		// systemd (systemd.special(7), CGROUP_DELEGATION of its documentation)
		{"/", "", ""},
		{"/init.scope", "init.scope", ""},
		{"/system.slice/ssh.service", "ssh.service", ""},
		{"/system.slice/ssh.service/worker", "ssh.service", ""},
		{"/system.slice/_cpu.service", "cpu.service", ""},
		{`/system.slice/system-getty.slice/getty@tty1.service`, "getty@tty1.service", ""},
		{user + "/app.slice/editor.service", "user@1000.service", ""},
		{user + "/init.scope", "user@1000.service", ""},
		{"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", ""},
		{"/user.slice", "user.slice", ""},
		{"/machine.slice/machine-debian.scope/payload/system.slice/ssh.service", "machine-debian.scope", ""},
		{"/machine.slice/machine-debian.scope/supervisor", "machine-debian.scope", ""},
		{"/machine.slice/systemd-nspawn@debian.service/payload/init.scope", "systemd-nspawn@debian.service", ""},
		{`/machine.slice/machine-qemu\x2d1\x2dvm.scope/libvirt/emulator`, `machine-qemu\x2d1\x2dvm.scope`, ""},
		// Snaps (snapd: sandbox/cgroup)
		{user + "/app.slice/snap.firefox.firefox-" + uid + ".scope", "user@1000.service", ""},
		{"/system.slice/snap.docker.dockerd.service", "snap.docker.dockerd.service", ""},
		// LXC, LXD, Incus, Proxmox: containers with a name and no identifier
		{"/lxc/web/system.slice/nginx.service", "", ""},
		{"/lxc.payload.web/system.slice/nginx.service", "", ""},
		{"/lxc.monitor.web", "", ""},
		{"/lxc/101/ns/system.slice/docker-" + id + ".scope", "", id},
		{"/lxc.payload.default_web/docker/" + id, "", id},
		// Docker (daemon/oci_linux.go), by driver
		{"/docker/" + id, "", id},
		{"/docker-ce/docker/" + id, "", id},
		{"/" + id, "", id},
		{"/actions_job/" + id, "", id},
		{"/system.slice/docker-" + id + ".scope", "docker-" + id + ".scope", id},
		{user + "/user.slice/docker-" + id + ".scope", "user@1000.service", id},
		{"/docker/" + id + "/init", "", id},
		{"/docker/" + id + "/system.slice/ssh.service", "", id},
		{"/docker/buildkit/qz3v9mrnbtl9u52x1cwtc3g7b", "", ""},
		// Docker in Docker, kind (Kubernetes in Docker)
		{"/docker/" + node + "/docker/" + id, "", id},
		{"/docker/" + node + "/kubelet/kubepods/burstable/pod" + uid + "/" + id, "", id},
		{"/system.slice/docker-" + node + ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/" +
			"kubelet-kubepods-burstable-pod" + escaped + ".slice/cri-containerd-" + id + ".scope", "docker-" + node + ".scope", id},
		{"/docker/" + node + "/kubelet.slice/kubelet.service", "", node},
		{"/docker/" + node + "/machine.slice/libpod-conmon-" + id + ".scope", "", node},
		// Kubernetes (kubelet cm), by driver and runtime
		{"/kubepods/burstable/pod" + uid + "/" + id, "", id},
		{"/kubepods/pod" + uid + "/crio-" + id, "", id},
		{slice + "docker-" + id + ".scope", "docker-" + id + ".scope", id},
		{slice + "cri-containerd-" + id + ".scope", "cri-containerd-" + id + ".scope", id},
		{slice + "crio-" + id + ".scope", "crio-" + id + ".scope", id},
		{slice + "crio-" + id + ".scope/container", "crio-" + id + ".scope", id},
		{"/kubepods-besteffort-pod" + escaped + ".slice:cri-containerd:" + id, "", id},
		{"/system.slice/containerd.service/kubepods-burstable-pod" + escaped + ".slice:cri-containerd:" + id, "containerd.service", id},
		{"/k8s.io/" + id, "", id},
		{"/kubepods/burstable/pod" + uid, "", ""},
		{slice, "kubepods-burstable-pod" + escaped + ".slice", ""},
		{"/kubepods/burstable/pod09bc3d7ade839efec32b6bec4ec79d09", "", ""},
		// Helpers: CRI-O (internal/config/cgmgr), podman (libpod), Kata Containers
		{"/system.slice/crio-conmon-" + id + ".scope", "crio-conmon-" + id + ".scope", ""},
		{"/kubepods/burstable/pod" + uid + "/crio-conmon-" + id, "", ""},
		{slice + "crio-conmon-" + id + ".scope", "crio-conmon-" + id + ".scope", ""},
		{"/machine.slice/libpod-conmon-" + id + ".scope", "libpod-conmon-" + id + ".scope", ""},
		{"/libpod_parent/libpod-conmon-" + id, "", ""},
		{"/libpod_parent/conmon", "", ""},
		{"/kata_overhead/" + id, "", ""},
		{"/system.slice/" + id + ".service", id + ".service", ""},
		{"/system.slice/" + id + "-3c9b2f1a5d7e8f60.service", id + "-3c9b2f1a5d7e8f60.service", ""},
		{"/system.slice/var-lib-docker-overlay2-" + id + "-merged.mount", "system.slice", ""},
		// Podman, with root and without, in pods, with split groups
		{"/machine.slice/libpod-" + id + ".scope", "libpod-" + id + ".scope", id},
		{"/machine.slice/libpod-" + id + ".scope/container", "libpod-" + id + ".scope", id},
		{user + "/user.slice/libpod-" + id + ".scope/container", "user@1000.service", id},
		{user + "/user.slice/user-libpod_pod_" + node + ".slice/libpod-" + id + ".scope", "user@1000.service", id},
		{user + "/user.slice/user-libpod_pod_" + node + ".slice/libpod-conmon-" + id + ".scope", "user@1000.service", ""},
		{"/machine.slice/machine-libpod_pod_" + node + ".slice/libpod-" + id + ".scope", "libpod-" + id + ".scope", id},
		{"/machine.slice/machine-libpod_pod_" + node + ".slice/libpod-conmon-" + id + ".scope", "libpod-conmon-" + id + ".scope", ""},
		{"/machine.slice/machine-libpod_pod_" + node + ".slice", "machine-libpod_pod_" + node + ".slice", ""},
		{"/libpod_parent/libpod-" + id, "", id},
		{"/libpod_parent/" + node + "/libpod-" + id, "", id},
		{"/libpod_parent/" + node + "/libpod-conmon-" + id, "", ""},
		{"/system.slice/web.service/libpod-payload-" + id, "web.service", id},
		{"/system.slice/web.service/supervisor", "web.service", ""},
		// nerdctl
		{"/default/" + id, "", id},
		{"/system.slice/nerdctl-" + id + ".scope", "nerdctl-" + id + ".scope", id},
		// Amazon ECS on EC2 and on Fargate
		{"/ecs/" + uid + "/" + id, "", id},
		{"/ecstasks.slice/ecstasks-8cd79a803caf4d2aa945152e934a5c00.slice/docker-" + id + ".scope", "docker-" + id + ".scope", id},
		{"/ecs/8cd79a803caf4d2aa945152e934a5c00/8cd79a803caf4d2aa945152e934a5c00-1053176469", "", "8cd79a803caf4d2aa945152e934a5c00-1053176469"},
		{"/ecs/8cd79a803caf4d2aa945152e934a5c00", "", ""},
		// Cloud Foundry's Garden
		{"/system.slice/garden.service/garden/6f265890-5165-7fab-6b52-18d1", "garden.service", "6f265890-5165-7fab-6b52-18d1"},
		{"/garden/" + uid, "", uid},
		{"/garden/bad/" + uid, "", ""},
		// Mesos
		{"/mesos/" + uid, "", uid},
		{"/mesos/" + uid + "/mesos/82a4ae7b-3a5e-4b6f-8b5c-1f3f00112233", "", "82a4ae7b-3a5e-4b6f-8b5c-1f3f00112233"},
		// Nomad: an allocation is no container, what its docker driver runs is one
		{"/nomad/shared", "", ""},
		{"/nomad.slice/share.slice/" + uid + ".web.scope", uid + ".web.scope", ""},
		{"/nomad.slice/share.slice/docker-" + id + ".scope", "docker-" + id + ".scope", id},
		{"/docker/" + uid, "", ""},
		// From within a cgroup namespace
		{"/..", "", ""},
		{"/../..", "", ""},
		{"/../../system.slice/ssh.service", "ssh.service", ""},
		{"/../cri-containerd-" + id + ".scope", "cri-containerd-" + id + ".scope", id},
		{"/../" + id, "", id},
		{"/../../pod" + uid + "/" + id, "", id},
		{"/../crio-conmon-" + id + ".scope", "crio-conmon-" + id + ".scope", ""},
		{"/...", "", ""},
		// No identifier
		{"/docker/" + id + "0", "", ""},
		{"/docker/0" + id, "", ""},
		{"/docker/x" + id, "", ""},
		{"/docker/" + strings.ToUpper(id), "", ""},
		{"/docker/" + id[1:], "", ""},
	}
	for _, c := range cases {
		assert.Equal(t, c.unit, Unit(c.path), c.path)
		assert.Equal(t, c.container, ContainerID(c.path), c.path)
	}
}

func FuzzParseCgroup(f *testing.F) {
	f.Add([]byte("12:cpu,cpuacct:/a\n1:name=systemd:/system.slice/ssh.service\n0::/docker/" + strings.Repeat("a", 64) + "\n"))
	f.Add([]byte("0::/../../garden/6f265890-5165-7fab-6b52-18d1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := ParsePath(text)
		require.True(t, strings.HasPrefix(path, "/"))
		require.Contains(t, path, Unit(path))
		require.Contains(t, path, ContainerID(path))
	})
}

func TestMemoryPath(t *testing.T) {
	for text, want := range map[string]string{
		"0::/a.slice/b.service\n":                                    "/a.slice/b.service",
		"12:cpu,cpuacct:/x\n5:memory:/m\n1:name=systemd:/s\n0::/u\n": "/m",
		"0::/u\n5:hugetlb,memory:/m\n":                               "/m",
		"12:cpu:/x\n0::/u (deleted)\n":                               "/u",
		"12:cpu:/memory\n":                                           "",
		"":                                                           "",
		"memory":                                                     "",
		"0::/docker/a:b\n":                                           "/docker/a:b",
	} {
		assert.Equal(t, want, MemoryPath(text), text)
	}
}

func TestIsIn(t *testing.T) {
	for _, row := range []struct {
		path, group string
		want        bool
	}{{"/a", "/a", true}, {"/a/b", "/a", true}, {"/ab", "/a", false}, {"/a", "/a/b", false}, {"/a", "/", true}, {"", "/", true}, {"/b", "/a", false}} {
		assert.Equal(t, row.want, IsIn(row.path, row.group), "%+v", row)
	}
}

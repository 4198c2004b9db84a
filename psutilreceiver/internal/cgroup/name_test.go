package cgroup

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNameOf(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	const uid = "6f9d7c1e-0b7a-4f6e-9d53-1f2a3b4c5d6e"
	uidWithUnderscores := strings.ReplaceAll(uid, "-", "_")
	for name, want := range map[string]Name{
		"root":             {Path: "/"},
		"service":          {Path: "/system.slice/nginx.service", Unit: "nginx.service", Slice: "system.slice"},
		"service's part":   {Path: "/system.slice/nginx.service/worker", Unit: "nginx.service", Slice: "system.slice"},
		"session":          {Path: "/user.slice/user-1000.slice/session-3.scope", Unit: "session-3.scope", Slice: "user-1000.slice"},
		"docker, systemd":  {Path: "/system.slice/docker-" + id + ".scope", Unit: "docker-" + id + ".scope", Slice: "system.slice", ContainerID: id, Runtime: RuntimeDocker},
		"docker, cgroupfs": {Path: "/docker/" + id, ContainerID: id, Runtime: RuntimeDocker},
		"Kubernetes, systemd": {
			Path: "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uidWithUnderscores + ".slice/cri-containerd-" + id + ".scope",
			Unit: "cri-containerd-" + id + ".scope", Slice: "kubepods-burstable-pod" + uidWithUnderscores + ".slice", PodUID: uid, ContainerID: id, Runtime: RuntimeContainerd,
		},
		"Kubernetes, cgroupfs": {Path: "/kubepods/besteffort/pod" + uid + "/" + id, PodUID: uid, ContainerID: id},
		"Kubernetes, CRI-O": {
			Path: "/kubepods.slice/kubepods-pod" + uidWithUnderscores + ".slice/crio-" + id + ".scope/container",
			Unit: "crio-" + id + ".scope", Slice: "kubepods-pod" + uidWithUnderscores + ".slice", PodUID: uid, ContainerID: id, Runtime: RuntimeCRIO,
		},
		"static pod": {Path: "/kubepods/pod" + id[:32] + "/" + id, PodUID: id[:32], ContainerID: id},
		"podman":     {Path: "/machine.slice/libpod-" + id + ".scope/container", Unit: "libpod-" + id + ".scope", Slice: "machine.slice", ContainerID: id, Runtime: RuntimePodman},
		"podman, rootless": {
			Path: "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope",
			Unit: "user@1000.service", Slice: "user-1000.slice", ContainerID: id, Runtime: RuntimePodman,
		},
		"podman's helper": {Path: "/machine.slice/libpod-conmon-" + id + ".scope", Unit: "libpod-conmon-" + id + ".scope", Slice: "machine.slice"},
		"nspawn":          {Path: `/machine.slice/machine-my\x2dbox.scope/payload`, Unit: `machine-my\x2dbox.scope`, Slice: "machine.slice", Machine: "my-box", Runtime: RuntimeNspawn},
		"nspawn's unit":   {Path: "/machine.slice/systemd-nspawn@web.service/supervisor", Unit: "systemd-nspawn@web.service", Slice: "machine.slice", Machine: "web", Runtime: RuntimeNspawn},
		"virtual machine": {Path: `/machine.slice/machine-qemu\x2d1\x2dvm.scope`, Unit: `machine-qemu\x2d1\x2dvm.scope`, Slice: "machine.slice"},
		"LXC":             {Path: "/lxc.payload.web/system.slice/ssh.service", Machine: "web", Runtime: RuntimeLXC},
		"LXC, version 1":  {Path: "/lxc/web", Machine: "web", Runtime: RuntimeLXC},
	} {
		assert.Equal(t, want, NameOf(want.Path), name)
	}
}

// TestGroupOf: a process counts for the group that the scraper shows.
func TestGroupOf(t *testing.T) {
	id, inner := strings.Repeat("0123456789abcdef", 4), strings.Repeat("fedcba9876543210", 4)
	for path, want := range map[string]string{
		"/": "/", "/system.slice/a.service": "/system.slice/a.service", "/system.slice/a.service/worker": "/system.slice/a.service",
		"/docker/" + id + "/docker/" + inner:                       "/docker/" + id,
		"/machine.slice/libpod-" + id + ".scope/container":         "/machine.slice/libpod-" + id + ".scope",
		"/user.slice/user-1000.slice/user@1000.service/init.scope": "/user.slice/user-1000.slice/user@1000.service",
		"/lxc.payload.web/system.slice/ssh.service":                "/lxc.payload.web",
		"/a/b": "/a/b",
	} {
		assert.Equal(t, want, GroupOf(path), path)
	}
}

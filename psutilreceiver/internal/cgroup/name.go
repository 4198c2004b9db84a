package cgroup

import (
	"bytes"
	"strings"
)

// Runtimes, as container.runtime.name has them.
const (
	RuntimeDocker     = "docker"
	RuntimePodman     = "podman"
	RuntimeContainerd = "containerd"
	RuntimeCRIO       = "cri-o"
	RuntimeLXC        = "lxc"
	RuntimeNspawn     = "systemd-nspawn"
)

// A Name is what the path of a group says of it. A text is "" where the path does not have it.
type Name struct {
	Path        string // from the root of the hierarchy, as /system.slice/a.service
	ContainerID string
	Runtime     string // of the container
	Machine     string // name of a container that has a name only
	PodUID      string // of Kubernetes
	Unit        string // of systemd, that the group is or lies in
	Slice       string // of systemd, the innermost that the group is or lies in
}

// OfUser tells whether the group is in the slice of users, who make groups of any name there: nothing that is known of a container of the host's root is of theirs.
func (n *Name) OfUser() bool { return strings.HasPrefix(n.Path, "/user.slice/") }

// NameOf returns what a path says of its group.
func NameOf(path string) Name {
	path = belowNamespace(path)
	n := Name{Path: path, Unit: Unit(path), Slice: sliceOf(path)}
	if !n.OfUser() {
		n.PodUID = podOf(path)
	}
	if outermost, id := container(path); id != "" {
		n.ContainerID, n.Runtime = id, runtimeOf(outermost, id)
	} else {
		n.Machine, n.Runtime = machineOf(path)
	}
	return n
}

// GroupOf returns the path of the group that a process in a group counts for: that of the outermost container, else of the unit, else its own.
func GroupOf(path string) string {
	path = belowNamespace(path)
	if outermost, _ := container(path); outermost != "" {
		return outermost
	}
	for end := 1; end < len(path); end++ {
		if end = nextSlash(path, end); isUnit(path[:end]) || isMachine(path[:end]) {
			return path[:end]
		}
	}
	return path
}

func nextSlash(path string, from int) int {
	if i := strings.IndexByte(path[from:], '/'); i >= 0 {
		return from + i
	}
	return len(path)
}

// container returns the path of the outermost container that a path lies in, and its identifier.
func container(path string) (outermost, id string) {
	for end := 1; end < len(path); end++ {
		end = nextSlash(path, end)
		if id := containerAt(path[:end]); id != "" {
			return path[:end], id
		}
	}
	return "", ""
}

// containerAt returns the identifier of the container whose own group a path is.
func containerAt(path string) string {
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return ""
	}
	return string(containerIn([]byte(path[slash+1:]), []byte(path[:slash])))
}

// isUnit tells whether a path is that of a service or a scope.
func isUnit(path string) bool {
	return strings.HasSuffix(path, ".service") || strings.HasSuffix(path, ".scope")
}

func isSlice(path string) bool { return strings.HasSuffix(path, ".slice") }

func isMachine(path string) bool {
	name, _ := machineIn(path)
	return name != ""
}

func sliceOf(path string) (slice string) {
	for component := range strings.SplitSeq(path, "/") {
		if isSlice(component) {
			slice = component
		} else if component != "" {
			break
		}
	}
	return slice
}

// podOf returns the UID of the pod that a path lies in: below pod<UID>, or kubepods[-<class>]-pod<UID>.slice, which has underscores for hyphens.
func podOf(path string) string {
	for component := range strings.SplitSeq(path, "/") {
		// What a runtime without systemd's driver makes of its argument: <slice>:<runtime>:<id>.
		component, _, _ = strings.Cut(component, ":")
		name, ok := strings.CutPrefix(component, "pod")
		if !ok {
			name = strings.TrimSuffix(component, ".slice")
			i := strings.LastIndex(name, "-pod")
			if i < 0 || !strings.HasPrefix(name, "kube") {
				continue
			}
			name = strings.ReplaceAll(name[i+len("-pod"):], "_", "-")
		}
		if uid := []byte(name); isUUID(uid) || len(uid) == 32 && isHex(uid) {
			return name
		}
	}
	return ""
}

func isHex(s []byte) bool {
	for _, c := range s {
		if !isHexDigit(c) {
			return false
		}
	}
	return true
}

// runtimePrefixes are what stands before the identifier in the name of a group.
var runtimePrefixes = []struct{ word, runtime string }{
	{"docker", RuntimeDocker},
	{"libpod", RuntimePodman},
	{"crio", RuntimeCRIO},
	{"cri-containerd", RuntimeContainerd},
	{"containerd", RuntimeContainerd},
	{"nerdctl", RuntimeContainerd},
}

// runtimeOf returns the runtime whose container a path is.
func runtimeOf(path, id string) string {
	slash := strings.LastIndexByte(path, '/')
	prefix, _, _ := strings.Cut(path[slash+1:], id)
	prefix = strings.TrimRight(prefix, "-:_.")
	if i := strings.LastIndexByte(prefix, ':'); i >= 0 {
		prefix = prefix[i+1:]
	}
	for _, p := range runtimePrefixes {
		if prefix == p.word {
			return p.runtime
		}
	}
	if prefix != "" {
		return ""
	}
	switch above := path[:slash]; above[strings.LastIndexByte(above, '/')+1:] {
	case "docker":
		return RuntimeDocker
	case "libpod_parent":
		return RuntimePodman
	}
	return ""
}

// machineOf returns the name of the outermost container with a name only that a path lies in, and its runtime.
func machineOf(path string) (name, runtime string) {
	for end := 1; end < len(path); end++ {
		end = nextSlash(path, end)
		if name, runtime = machineIn(path[:end]); name != "" {
			return name, runtime
		}
	}
	return "", ""
}

// machineIn tells of which container with a name only a path is: machine-<name>.scope and systemd-nspawn@<name>.service of systemd, lxc.payload.<name>
// and lxc/<name> of LXC. Virtual machines, as machine-qemu…, are none.
func machineIn(path string) (name, runtime string) {
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return "", ""
	}
	component := path[slash+1:]
	if name, ok := between(component, "machine-", ".scope"); ok && !strings.HasPrefix(name, "qemu") && !strings.HasPrefix(name, "lxc") {
		return unescapeUnit(name), RuntimeNspawn
	}
	if name, ok := between(component, "systemd-nspawn@", ".service"); ok {
		return unescapeUnit(name), RuntimeNspawn
	}
	if name, ok := strings.CutPrefix(component, "lxc.payload."); ok {
		return name, RuntimeLXC
	}
	if path[:slash] == "/lxc" {
		return component, RuntimeLXC
	}
	return "", ""
}

func between(s, prefix, suffix string) (string, bool) {
	s, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return "", false
	}
	s, ok = strings.CutSuffix(s, suffix)
	return s, ok && s != ""
}

// unescapeUnit undoes systemd's \xNN.
func unescapeUnit(name string) string {
	if !strings.Contains(name, `\x`) {
		return name
	}
	var b bytes.Buffer
	for i := 0; i < len(name); i++ {
		if i+3 < len(name) && name[i] == '\\' && name[i+1] == 'x' {
			high, low := fromHex(name[i+2]), fromHex(name[i+3])
			if high >= 0 && low >= 0 {
				b.WriteByte(byte(high<<4 | low))
				i += 3
				continue
			}
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

func fromHex(c byte) int {
	switch {
	case c-'0' <= 9:
		return int(c - '0')
	case c-'a' <= 5:
		return int(c-'a') + 10
	}
	return -1
}

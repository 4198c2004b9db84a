package read

import (
	"bytes"
	"strings"
)

// containerIDSize is the length of the identifiers that container runtimes give: 256 bits in hexadecimal.
const containerIDSize = 64

// parseCgroup picks from the text of /proc/PID/cgroup the path that says most: that of the unified hierarchy (line "0::"), unless the host
// leaves it unused; else systemd's own hierarchy; else the first that has a group at all. It returns "/" if there is none.
func parseCgroup(text []byte) string {
	var unified, systemd, other []byte
	for len(text) > 0 {
		line := text
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		_, rest, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		controllers, path, ok := bytes.Cut(rest, []byte(":"))
		if !ok || len(path) < 2 || path[0] != '/' {
			continue
		}
		switch {
		case len(controllers) == 0:
			unified = path
		case string(controllers) == "name=systemd":
			systemd = path
		case other == nil:
			other = path
		}
	}
	for _, path := range [...][]byte{unified, systemd, other} {
		if path != nil {
			// The kernel marks the group of a process that outlived it.
			return strings.TrimSuffix(string(path), " (deleted)")
		}
	}
	return "/"
}

// systemdUnit returns the unit that a cgroup path lies in, by systemd's rule: the first component below the slices, if it is a service or a
// scope, else the innermost slice. The services of a user's own manager thus belong to user@UID.service. It returns "" if there is no unit.
func systemdUnit(path string) string {
	var slice string
	for component := range strings.SplitSeq(path, "/") {
		switch {
		case component == "":
		case strings.HasSuffix(component, ".slice"):
			slice = component
		case strings.HasSuffix(component, ".service"), strings.HasSuffix(component, ".scope"):
			// systemd puts an underscore before names that the kernel would take for its own files.
			return strings.TrimPrefix(component, "_")
		default:
			return slice
		}
	}
	return slice
}

// containerID returns the innermost container identifier of a cgroup path: 64 hexadecimal digits that stand alone, as in /docker/<id>,
// docker-<id>.scope, cri-containerd-<id>.scope or /kubepods/burstable/pod<uid>/<id>. It returns "" if there is none.
func containerID(path string) string {
	for end := len(path); end >= containerIDSize; end-- {
		begin := end
		for begin > 0 && isHexDigit(path[begin-1]) {
			begin--
		}
		if id := path[begin:end]; isContainerID(id) {
			return id
		}
		end = min(end, begin+1)
	}
	return ""
}

// isContainerID tells whether s has the form of a container's identifier.
func isContainerID(s string) bool {
	for i := range len(s) {
		if !isHexDigit(s[i]) {
			return false
		}
	}
	return len(s) == containerIDSize
}

func isHexDigit(c byte) bool { return c-'0' <= 9 || c-'a' <= 5 }

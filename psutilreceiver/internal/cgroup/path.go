package cgroup

import (
	"bytes"
	"strings"
)

// ParsePath picks from the text of /proc/PID/cgroup the path that says most. A path with a container says more than one without: where
// version 1 is mounted beside version 2, a runtime may use version 1 only, and the line "0::" then has the group of the daemon that started
// it. Beyond that it is the path in the unified hierarchy (line "0::"), unless the host leaves it unused; else in systemd's own hierarchy; else
// in the first that has a group at all. It returns "/" if there is none.
func ParsePath(text []byte) string { return string(PathIn(text)) }

var rootCgroup = []byte("/")

// PathIn is ParsePath without a copy.
func PathIn(text []byte) []byte {
	best, most := rootCgroup, 0
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
		// The kernel marks the group of a process that outlived it.
		path = bytes.TrimSuffix(path, []byte(" (deleted)"))
		if says := informationOf(controllers, path); says > most {
			best, most = path, says
		}
	}
	return best
}

// informationOf ranks what the path of a line says: 0 is nothing.
func informationOf(controllers, path []byte) int {
	rank := 1
	switch {
	case len(controllers) == 0:
		rank = 3
	case string(controllers) == "name=systemd":
		rank = 2
	}
	const aGroup, aContainer = 10, 20
	switch {
	case len(containerOf(path)) > 0:
		return rank + aContainer
	case len(belowNamespace(path)) > 0:
		return rank + aGroup
	}
	return rank
}

// belowNamespace cuts off what a path begins with where the Collector is in a cgroup namespace: a process outside of it has a path that first
// leads up, by "/.." once or more.
func belowNamespace[T ~string | ~[]byte](path T) T {
	for len(path) >= 3 && path[0] == '/' && path[1] == '.' && path[2] == '.' && (len(path) == 3 || path[3] == '/') {
		path = path[3:]
	}
	return path
}

// Unit returns the unit that a cgroup path lies in, by systemd's rule: the first component below the slices, if it is a service or a
// scope, else the innermost slice. The services of a user's own manager thus belong to user@UID.service. It returns "" if there is no unit.
func Unit(path string) string {
	var slice string
	for component := range strings.SplitSeq(belowNamespace(path), "/") {
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

// MemoryPath returns the path of the group whose limit of memory a process is under: in the text of /proc/PID/cgroup the line of version 1's
// controller if there is one, else that of version 2. It returns "" if there is none.
func MemoryPath(text string) string {
	var unified string
	for line := range strings.SplitSeq(text, "\n") {
		_, rest, _ := strings.Cut(line, ":")
		controllers, path, ok := strings.Cut(rest, ":")
		if !ok || !strings.HasPrefix(path, "/") {
			continue
		}
		path = strings.TrimSuffix(path, " (deleted)")
		for controller := range strings.SplitSeq(controllers, ",") {
			if controller == "memory" {
				return path
			}
		}
		if controllers == "" {
			unified = path
		}
	}
	return unified
}

// IsIn tells whether the group of a path is another one or lies in it.
func IsIn(path, group string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(group, "/"))
	return ok && (rest == "" || rest[0] == '/')
}

package cgroup

import (
	"bytes"
	"strings"
)

// # Containers by their cgroup
//
// Runtimes put a container into a group whose name has its identifier, and their helpers and pods into groups whose names have it, too. What a
// component of a path is, is told by its whole form:
//
//	<id>                     of a driver that makes groups itself: docker, containerd, Kubernetes, podman
//	<runtime>-<id>.scope     of systemd's driver; without .scope where a runtime makes the group itself
//	<slice>:<runtime>:<id>   what should have been the former, by a runtime that does not use systemd's driver
//	<runtime>-conmon-<id>    of a helper: no container
//	<id>.service             a health check of podman: no container
//	<…>.slice                a pod of podman: no container
//
// The innermost container counts, for containers run in containers. What helpers are in is the container around them, if any.

// containerIDSize is the length of the identifiers that most runtimes give: 256 bits in hexadecimal.
const containerIDSize = 64

// Mesos, Garden and AWS Fargate have identifiers of other forms, below groups that have their names.

// ContainerID returns the identifier of the innermost container that a cgroup path lies in, "" if there is none. Containers that have a name
// only, as those of LXC and systemd-nspawn, and virtual machines have no identifier.
func ContainerID(path string) string { return string(containerOf([]byte(path))) }

// containerOf is containerID without a copy.
func containerOf(path []byte) []byte {
	for len(path) > 0 {
		slash := bytes.LastIndexByte(path, '/')
		component, above := path[slash+1:], path[:max(slash, 0)]
		if id := containerIn(component, above); len(id) > 0 {
			return id
		}
		path = above
	}
	return nil
}

// containerIn returns the identifier of the container whose group one component of a path is; above is the path before it.
func containerIn(component, above []byte) []byte {
	parent := above[bytes.LastIndexByte(above, '/')+1:]
	switch string(parent) {
	case "libpod_parent": // Where podman makes its groups itself it puts pods here, and containers and helpers into them.
		if !bytes.HasPrefix(component, []byte("libpod-")) {
			return nil
		}
	case "kata_overhead", "conmon": // What runs beside a container.
		return nil
	case "mesos":
		if isUUID(component) {
			return component
		}
	case "garden": // Cloud Foundry
		if isUUID(component) || isHexGroups(component, "8-4-4-4-4") {
			return component
		}
	}
	if isFargateID(component) && isBelowECS(above) {
		return component
	}
	name := bytes.TrimSuffix(component, []byte(".scope"))
	if len(name) < containerIDSize {
		return nil
	}
	prefix, id := name[:len(name)-containerIDSize], name[len(name)-containerIDSize:]
	if !isContainerID(id) || !isContainerPrefix(prefix) {
		return nil
	}
	return id
}

// helperWords are parts of the names of groups that belong to a container or a pod and are none: those of monitors, of shims, of the overhead
// of virtual machines around containers, and of health checks.
var helperWords = [...]string{
	"conmon", "monitor", "shim", "supervisor", "overhead", "healthcheck", "pod", "sandbox", "exec", "init", "hook", "pivot", "helper", "netns", "proxy",
}

// isContainerPrefix tells whether what stands before an identifier is nothing, or names a runtime.
func isContainerPrefix(prefix []byte) bool {
	if len(prefix) == 0 {
		return true
	}
	if last := prefix[len(prefix)-1]; last != '-' && last != ':' && last != '_' && last != '.' {
		return false
	}
	// Before a colon there may be the slice, whose name has the pod.
	if i := bytes.LastIndexByte(prefix[:len(prefix)-1], ':'); i >= 0 {
		prefix = prefix[i+1:]
	}
	for word := range bytes.FieldsFuncSeq(prefix, func(c rune) bool { return c == '-' || c == '_' || c == '.' || c == ':' }) {
		for _, helper := range helperWords {
			if string(word) == helper {
				return false
			}
		}
	}
	return true
}

// isContainerID tells whether s is an identifier of 256 bits.
func isContainerID[T ~string | ~[]byte](s T) bool {
	for i := range len(s) {
		if !isHexDigit(s[i]) {
			return false
		}
	}
	return len(s) == containerIDSize
}

func isHexDigit(c byte) bool { return c-'0' <= 9 || c-'a' <= 5 }

// isHexGroups tells whether s is of hexadecimal digits in groups of so many.
func isHexGroups(s []byte, groups string) bool {
	for group := range strings.SplitSeq(groups, "-") {
		n := int(group[0] - '0')
		if group == "12" {
			n = 12
		}
		if len(s) < n {
			return false
		}
		for _, c := range s[:n] {
			if !isHexDigit(c) {
				return false
			}
		}
		if s = s[n:]; len(s) > 0 {
			if s[0] != '-' {
				return false
			}
			s = s[1:]
			if len(s) == 0 {
				return false
			}
		}
	}
	return len(s) == 0
}

func isUUID(s []byte) bool { return isHexGroups(s, "8-4-4-4-12") }

// isFargateID tells whether s has the form that AWS Fargate gives: the task's 32 hexadecimal digits, a hyphen, and a number.
func isFargateID(s []byte) bool {
	const task = 32
	if len(s) < task+2 || s[task] != '-' {
		return false
	}
	for _, c := range s[:task] {
		if !isHexDigit(c) {
			return false
		}
	}
	for _, c := range s[task+1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func isBelowECS(path []byte) bool {
	return bytes.Contains(path, []byte("/ecs/")) || bytes.HasSuffix(path, []byte("/ecs")) || bytes.Contains(path, []byte("ecstasks"))
}

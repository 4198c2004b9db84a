package read

// UnitOf returns the systemd unit that a path of a control group lies in, "" if in none.
func UnitOf(cgroup string) string { return systemdUnit(cgroup) }

// ContainerOf returns the ID of the container that a path of a control group lies in, "" if in none.
func ContainerOf(cgroup string) string { return containerID(cgroup) }

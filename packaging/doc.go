// Package packaging holds what puts the distribution on a machine permanently: a systemd unit, the .deb and .rpm, a container image, a
// Kubernetes DaemonSet and a launchd daemon. Its tests install and run them as far as a machine without an engine or a cluster can.
package packaging

// Package containerstate finds the names of containers in what their runtimes and the kubelet keep on the host: files, no socket.
//
// Each file is optional. What is read of a container, once, in this order, until all is known:
//
//	/var/lib/docker/containers/<id>/config.v2.json                           Docker
//	/run/containerd/io.containerd.runtime.v2.task/<namespace>/<id>/config.json  containerd, and what it made for Kubernetes
//	/run/containers/storage/overlay-containers/<id>/userdata/config.json     CRI-O
//	/var/lib/containers/storage/overlay-containers/containers.json           Podman and CRI-O
//	/var/log/containers/<pod>_<namespace>_<container>-<id>.log               the kubelet: its name alone
//
// Most of them only root may read. Nothing in them is trusted: they have limits of size and of the length of names.
package containerstate

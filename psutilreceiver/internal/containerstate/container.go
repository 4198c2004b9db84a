package containerstate

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Container is what is known of a container. A text is "" where it is not known.
type Container struct {
	Name, Image, Runtime   string
	PodUID, Pod, Namespace string // of Kubernetes
	PodContainer           string // name in the pod
	Complete               bool   // no more will be found
	attempts               int
}

// maxName bounds names: the longest that Kubernetes allows has 253 characters, and names of images have up to 255 without their digests.
const maxName = 512

// cut returns a text as it can be a name: "" for one that is too long or is no UTF-8.
func cut(text string) string {
	if len(text) > maxName || !utf8.ValidString(text) {
		return ""
	}
	return text
}

// take takes over what another has and c does not.
func (c *Container) take(o Container) {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&c.Name, o.Name},
		{&c.Image, o.Image},
		{&c.Runtime, o.Runtime},
		{&c.PodUID, o.PodUID},
		{&c.Pod, o.Pod},
		{&c.Namespace, o.Namespace},
		{&c.PodContainer, o.PodContainer},
	} {
		if *f.to == "" {
			*f.to = cut(f.from)
		}
	}
}

// pod fills in what Kubernetes tells a runtime, by keys of labels or annotations.
func (c *Container) pod(labels map[string]string) {
	c.Pod, c.Namespace = labels["io.kubernetes.pod.name"], labels["io.kubernetes.pod.namespace"]
	c.PodUID, c.PodContainer = labels["io.kubernetes.pod.uid"], labels["io.kubernetes.container.name"]
}

// parseDocker reads config.v2.json.
func parseDocker(text []byte) (c Container, ok bool) {
	var config struct {
		Name   string
		Config struct {
			Image  string
			Labels map[string]string
		}
	}
	if json.Unmarshal(text, &config) != nil {
		return c, false
	}
	c.pod(config.Config.Labels)
	c.Name, c.Image, c.Runtime = strings.TrimPrefix(config.Name, "/"), config.Config.Image, "docker"
	return c, true
}

// parseSpec reads the annotations of config.json, a specification of the Open Container Initiative. Runtime is that of a container whose annotations
// do not say it.
func parseSpec(text []byte, runtime string) (c Container, ok bool) {
	var spec struct {
		Annotations map[string]string `json:"annotations"`
	}
	if json.Unmarshal(text, &spec) != nil {
		return c, false
	}
	a := spec.Annotations
	c.pod(a)
	c.Runtime = runtime
	const cri = "io.kubernetes.cri."
	c.take(Container{
		Pod: a[cri+"sandbox-name"], Namespace: a[cri+"sandbox-namespace"], PodUID: a[cri+"sandbox-uid"], PodContainer: a[cri+"container-name"],
		Image: a[cri+"image-name"], Name: a["nerdctl/name"],
	})
	c.take(Container{Image: first(a["io.kubernetes.cri-o.ImageName"], a["io.kubernetes.cri-o.Image"]), Name: a["io.kubernetes.cri-o.Name"]})
	c.take(Container{Name: c.PodContainer})
	return c, true
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// parseStorage reads containers.json of Podman and CRI-O into a table by identifier.
func parseStorage(text []byte) map[string]Container {
	var list []struct {
		ID       string   `json:"id"`
		Names    []string `json:"names"`
		Metadata string   `json:"metadata"`
	}
	if json.Unmarshal(text, &list) != nil {
		return nil
	}
	containers := make(map[string]Container, len(list))
	for _, l := range list {
		var metadata struct {
			Image string `json:"image-name"`
			Name  string `json:"name"`
			Pod   string `json:"pod-name"`
		}
		_ = json.Unmarshal([]byte(l.Metadata), &metadata) // What is not there is not known.
		c := Container{Name: metadata.Name, Image: metadata.Image}
		if c.Name == "" && len(l.Names) > 0 {
			c.Name = l.Names[0]
		}
		if metadata.Pod == "" {
			c.Runtime = "podman"
		} else {
			c.Runtime = "cri-o"
		}
		containers[l.ID] = c
	}
	return containers
}

// parseLogName reads the name of a log of the kubelet: <pod>_<namespace>_<container>-<id>.log.
func parseLogName(name string) (id string, c Container, ok bool) {
	name, ok = strings.CutSuffix(name, ".log")
	if !ok {
		return "", c, false
	}
	pod, rest, ok := strings.Cut(name, "_")
	namespace, rest, ok2 := strings.Cut(rest, "_")
	i := strings.LastIndexByte(rest, '-')
	if !ok || !ok2 || i <= 0 {
		return "", c, false
	}
	return rest[i+1:], Container{Pod: pod, Namespace: namespace, PodContainer: rest[:i], Name: rest[:i]}, true
}

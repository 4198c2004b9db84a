package examples

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// manifestObject is an object of Kubernetes, as far as the example has it.
type manifestObject struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`
	Data map[string]string `yaml:"data"`
	Spec struct {
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"selector"`
		Template struct {
			Metadata struct {
				Labels map[string]string `yaml:"labels"`
			} `yaml:"metadata"`
			Spec struct {
				Containers []struct {
					Args []string `yaml:"args"`
					Env  []struct {
						Name  string `yaml:"name"`
						Value string `yaml:"value"`
					} `yaml:"env"`
					ReadinessProbe struct {
						HTTPGet struct {
							Port string `yaml:"port"`
						} `yaml:"httpGet"`
					} `yaml:"readinessProbe"`
					VolumeMounts []struct {
						Name      string `yaml:"name"`
						MountPath string `yaml:"mountPath"`
						ReadOnly  bool   `yaml:"readOnly"`
					} `yaml:"volumeMounts"`
				} `yaml:"containers"`
				Volumes []struct {
					Name      string `yaml:"name"`
					ConfigMap struct {
						Name string `yaml:"name"`
					} `yaml:"configMap"`
					HostPath struct {
						Path string `yaml:"path"`
					} `yaml:"hostPath"`
				} `yaml:"volumes"`
			} `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

// TestKubernetesExampleIsValid holds examples/kubernetes: that the configuration in its ConfigMap is one that the binary takes, with the environment that
// the DaemonSet gives it, and that the DaemonSet mounts what the configuration names and asks at the port that it opens.
func TestKubernetesExampleIsValid(t *testing.T) {
	text, err := os.ReadFile(harness.Repository(t, "examples", "kubernetes", "daemonset.yaml"))
	require.NoError(t, err)
	objects := map[string]manifestObject{}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var object manifestObject
		err := d.Decode(&object)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		objects[object.Kind] = object
	}
	require.Contains(t, objects, "ConfigMap")
	require.Contains(t, objects, "DaemonSet")
	stored, set := objects["ConfigMap"], objects["DaemonSet"]
	assert.Equal(t, stored.Metadata.Namespace, set.Metadata.Namespace)
	assert.Equal(t, set.Spec.Selector.MatchLabels, set.Spec.Template.Metadata.Labels)
	pod := set.Spec.Template.Spec
	require.Len(t, pod.Containers, 1)
	container := pod.Containers[0]

	volumes, mounted := map[string]string{}, map[string]string{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v.ConfigMap.Name + v.HostPath.Path
	}
	for _, m := range container.VolumeMounts {
		assert.True(t, m.ReadOnly, m.Name)
		mounted[volumes[m.Name]] = m.MountPath
	}
	require.Len(t, container.Args, 1)
	file := strings.TrimPrefix(container.Args[0], "--config=")
	assert.Equal(t, mounted[stored.Metadata.Name], path.Dir(file), "the ConfigMap is mounted where the configuration is read from")
	config := stored.Data[path.Base(file)]
	require.NotEmpty(t, config, "the ConfigMap has %s", path.Base(file))

	roots := regexp.MustCompile(`(?m)^( *root_path: )(\S+)$`)
	require.Regexp(t, roots, config)
	for _, root := range roots.FindAllStringSubmatch(config, -1) {
		assert.Equal(t, mounted["/"], root[2], "the host's / is mounted where it is looked for")
	}
	cmd := exec.Command(harness.Binary(t), "validate", "--config", filepath.Join(t.TempDir(), "config.yaml"))
	// There is no such folder here.
	require.NoError(t, os.WriteFile(cmd.Args[3], []byte(roots.ReplaceAllString(config, "${1}/")), 0o600))
	given := map[string]bool{}
	for _, e := range container.Env {
		given[e.Name] = true
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	for _, name := range regexp.MustCompile(`\$\{env:(\w+)\}`).FindAllStringSubmatch(config, -1) {
		assert.True(t, given[name[1]], "the DaemonSet sets %s", name[1])
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Empty(t, string(out), "validate says nothing of a good configuration")

	var parsed struct {
		Extensions struct {
			HealthCheck struct {
				Endpoint string `yaml:"endpoint"`
			} `yaml:"health_check"`
		} `yaml:"extensions"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(config), &parsed))
	_, port, err := net.SplitHostPort(parsed.Extensions.HealthCheck.Endpoint)
	require.NoError(t, err)
	assert.Equal(t, port, container.ReadinessProbe.HTTPGet.Port)
}

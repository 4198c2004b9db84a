package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// manifest is the Kubernetes manifest, by kind.
type manifest struct {
	namespace corev1.Namespace
	account   corev1.ServiceAccount
	config    corev1.ConfigMap
	daemonSet appsv1.DaemonSet
	container corev1.Container
}

// daemonSet decodes the manifest into Kubernetes' own types. A key that they don't have, or a duplicate one, is an error.
func daemonSet(t *testing.T) *manifest {
	t.Helper()
	m := &manifest{}
	kinds := map[string]any{
		"v1/Namespace": &m.namespace, "v1/ServiceAccount": &m.account, "v1/ConfigMap": &m.config, "apps/v1/DaemonSet": &m.daemonSet,
	}
	for document := range strings.SplitSeq(string(contents(t, "kubernetes/daemonset.yaml")), "\n---\n") {
		var head struct{ APIVersion, Kind string }
		require.NoError(t, yaml.Unmarshal([]byte(document), &head))
		kind := head.APIVersion + "/" + head.Kind
		require.Contains(t, kinds, kind)
		require.NoError(t, yaml.UnmarshalStrict([]byte(document), kinds[kind]))
		delete(kinds, kind)
	}
	require.Empty(t, kinds)
	require.Len(t, m.daemonSet.Spec.Template.Spec.Containers, 1)
	m.container = m.daemonSet.Spec.Template.Spec.Containers[0]
	return m
}

func TestManifestFitsTogether(t *testing.T) {
	m := daemonSet(t)
	pod, container := m.daemonSet.Spec.Template.Spec, m.container
	for _, namespace := range []string{m.account.Namespace, m.config.Namespace, m.daemonSet.Namespace} {
		assert.Equal(t, m.namespace.Name, namespace)
	}
	assert.Equal(t, m.account.Name, pod.ServiceAccountName)
	assert.Equal(t, m.daemonSet.Spec.Selector.MatchLabels, m.daemonSet.Spec.Template.Labels)
	version := strings.TrimPrefix(lines(t, "../builder-config.yaml", "  version: ")[0], "  version: ")
	assert.Equal(t, "otelcol-psutil:"+version, container.Image)
	assert.False(t, pod.HostPID || pod.HostNetwork || pod.HostIPC)

	mounts := make(map[string]corev1.VolumeMount)
	for _, mount := range container.VolumeMounts {
		mounts[mount.Name] = mount
	}
	for _, volume := range pod.Volumes {
		require.Contains(t, mounts, volume.Name)
		switch mount := mounts[volume.Name]; volume.Name {
		case "hostfs":
			assert.Equal(t, "/", volume.HostPath.Path)
			assert.True(t, mount.ReadOnly)
			assert.Equal(t, corev1.MountPropagationHostToContainer, *mount.MountPropagation, "filesystems that are mounted later")
			assert.Contains(t, m.config.Data["config.yaml"], "root_path: "+mount.MountPath+"\n")
		case "config":
			assert.Equal(t, m.config.Name, volume.ConfigMap.Name)
			assert.Equal(t, []string{"--config", mount.MountPath + "/config.yaml"}, container.Args)
		case "state":
			assert.Equal(t, corev1.HostPathDirectoryOrCreate, *volume.HostPath.Type)
			assert.Contains(t, m.config.Data["config.yaml"], "directory: "+mount.MountPath+"\n")
		}
		delete(mounts, volume.Name)
	}
	assert.Empty(t, mounts, "mounts without a volume")

	for _, probe := range []*corev1.Probe{container.ReadinessProbe, container.LivenessProbe} {
		assert.Equal(t, container.Ports[0].Name, probe.HTTPGet.Port.StrVal)
	}
	assert.Contains(t, m.config.Data["config.yaml"], "endpoint: 0.0.0.0:13133")
	assert.EqualValues(t, 13133, container.Ports[0].ContainerPort)
	assert.Negative(t, container.Resources.Requests.Memory().Cmp(*container.Resources.Limits.Memory()))

	security := container.SecurityContext
	assert.True(t, *security.ReadOnlyRootFilesystem)
	assert.False(t, *security.AllowPrivilegeEscalation)
	assert.Equal(t, []corev1.Capability{"ALL"}, security.Capabilities.Drop)
	var added []string
	for _, c := range security.Capabilities.Add {
		added = append(added, "CAP_"+string(c))
	}
	ofUnit := strings.Fields(unit(t)["AmbientCapabilities"][0])
	assert.Equal(t, ofUnit, added)
}

func TestConfigurationOfTheManifestIsValid(t *testing.T) {
	program, m := harness.Binary(t), daemonSet(t)
	config := m.config.Data["config.yaml"]
	path, state := filepath.Join(t.TempDir(), "config.yaml"), t.TempDir()
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	cmd := exec.Command(program, "validate", "--config", path, "--set", "receivers.psutil.root_path=/",
		"--set", "extensions.file_storage.directory="+state, "--set", "extensions.file_storage.compaction.directory="+state)
	var names []string
	for _, env := range m.container.Env {
		names = append(names, env.Name)
		value := env.Value
		if env.ValueFrom != nil {
			value = "node-1"
		}
		cmd.Env = append(cmd.Env, env.Name+"="+value)
	}
	for _, reference := range regexp.MustCompile(`\$\{env:(\w+)`).FindAllStringSubmatch(config, -1) {
		assert.True(t, slices.Contains(names, reference[1]), "%s is set nowhere", reference[1])
	}
	output(t, cmd)
}

// TestDocumentedContainerReadsByBPF: the command of docs/bpf.md gives a container what the unit has with the drop-in, and the host's pids.
func TestDocumentedContainerReadsByBPF(t *testing.T) {
	_, command, found := strings.Cut(string(contents(t, "../docs/bpf.md")), "    docker run ")
	require.True(t, found)
	command, _, _ = strings.Cut(command, "\n\n")
	var added []string
	for _, m := range regexp.MustCompile(`--cap-add (\w+)`).FindAllStringSubmatch(command, -1) {
		added = append(added, "CAP_"+m[1])
	}
	assert.ElementsMatch(t, strings.Fields(strings.Join(unit(t, bpfFile)["AmbientCapabilities"], " ")), added)
	for _, option := range []string{"--pid host", "--user 0:0", "--cap-drop ALL", "-v /:/hostfs:ro,rslave"} {
		assert.Contains(t, command, option)
	}
	assert.Contains(t, string(contents(t, "kubernetes/daemonset.yaml")), "# With hostPID: true, and BPF and PERFMON added")
}

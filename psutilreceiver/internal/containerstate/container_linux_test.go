package containerstate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var id = strings.Repeat("0123456789abcdef", 4)

const (
	taskFile    = "run/containerd/io.containerd.runtime.v2.task/k8s.io/ID/config.json"
	crioFile    = "run/containers/storage/overlay-containers/ID/userdata/config.json"
	dockerFile  = "var/lib/docker/containers/ID/config.v2.json"
	storageFile = "var/lib/containers/storage/overlay-containers/containers.json"
	logFile     = "var/log/containers/shop-7d9_prod_app-ID.log"
)

func hostWith(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, strings.ReplaceAll(name, "ID", id))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(text, "ID", id)), 0o600))
	}
	return root
}

func look(root string) Container {
	r := NewReader(root)
	r.Begin(time.Unix(1, 0))
	c := r.Container(id)
	c.Complete, c.attempts = false, 0
	return c
}

func TestNamesOfContainers(t *testing.T) {
	inPod := Container{Name: "app", PodUID: "u", Pod: "shop-7d9", Namespace: "prod", PodContainer: "app"}
	withImage := func(c Container, image, runtime string) Container {
		c.Image, c.Runtime = image, runtime
		return c
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  Container
	}{
		"docker": {
			map[string]string{dockerFile: `{"ID":"ID","Name":"/shop","Config":{"Image":"shop:2.1","Labels":{"a":"b"}}}`},
			Container{Name: "shop", Image: "shop:2.1", Runtime: "docker"},
		},
		"containerd": {
			map[string]string{taskFile: `{"ociVersion":"1.1.0","annotations":{"io.kubernetes.cri.container-name":"app","io.kubernetes.cri.sandbox-name":"shop-7d9",
				"io.kubernetes.cri.sandbox-namespace":"prod","io.kubernetes.cri.sandbox-uid":"u","io.kubernetes.cri.image-name":"shop:2.1"}}`},
			withImage(inPod, "shop:2.1", "containerd"),
		},
		"nerdctl": {
			map[string]string{strings.Replace(taskFile, "k8s.io", "default", 1): `{"annotations":{"nerdctl/name":"shop"}}`},
			Container{Name: "shop", Runtime: "containerd"},
		},
		"CRI-O": {
			map[string]string{
				crioFile: `{"annotations":{"io.kubernetes.container.name":"app","io.kubernetes.pod.name":"shop-7d9","io.kubernetes.pod.namespace":"prod",
				"io.kubernetes.pod.uid":"u","io.kubernetes.cri-o.ImageName":"shop:2.1","io.kubernetes.cri-o.Name":"app"}}`,
				storageFile: `[{"id":"ID","names":["x"],"metadata":"{\"pod-name\":\"shop-7d9\",\"image-name\":\"shop:2.1\"}"}]`,
			},
			withImage(inPod, "shop:2.1", "cri-o"),
		},
		"podman": {
			map[string]string{storageFile: `[{"id":"other","names":["no"]},{"id":"ID","names":["shop"],"metadata":"{\"image-name\":\"shop:2.1\",\"name\":\"shop\"}"}]`},
			Container{Name: "shop", Image: "shop:2.1", Runtime: "podman"},
		},
		"a log of the kubelet": {
			map[string]string{logFile: ""}, Container{Name: "app", Pod: "shop-7d9", Namespace: "prod", PodContainer: "app"},
		},
		"nothing":   {nil, Container{}},
		"malformed": {map[string]string{dockerFile: `{"Name":5`, taskFile: `[]`, crioFile: `{"annotations":5}`, storageFile: `{}`}, Container{}},
		"deep":      {map[string]string{dockerFile: strings.Repeat("[", 100_000)}, Container{}},
		"a name that is none": {
			map[string]string{dockerFile: `{"Name":"/` + strings.Repeat("x", 10_000) + `","Config":{"Image":"shop"}}`}, Container{Image: "shop", Runtime: "docker"},
		},
		"too large": {map[string]string{dockerFile: `{"Name":"/shop","X":"` + strings.Repeat("x", maxFile) + `"}`}, Container{}},
	} {
		assert.Equal(t, c.want, look(hostWith(t, c.files)), name)
	}
}

// TestStateStaysBelowTheRoot: neither a link nor an identifier leads out of the host's root.
func TestStateStaysBelowTheRoot(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "config.v2.json")
	require.NoError(t, os.WriteFile(outside, []byte(`{"Name":"/secret"}`), 0o600))
	root := hostWith(t, map[string]string{"var/lib/docker/containers/ID/x": "", "etc/config.v2.json": `{"Name":"/etc"}`})
	require.NoError(t, os.Symlink(outside, filepath.Join(root, "var/lib/docker/containers", id, "config.v2.json")))
	assert.Equal(t, Container{}, look(root))
	r := NewReader(root)
	r.Begin(time.Unix(1, 0))
	assert.Empty(t, r.Container("../../../../etc").Name)
}

// TestAContainerIsLookedForAFewTimes: state that comes late is found, and what has none is left alone.
func TestAContainerIsLookedForAFewTimes(t *testing.T) {
	root := hostWith(t, map[string]string{"proc/x": ""})
	r := NewReader(root)
	for i := range maxAttempts {
		r.Begin(time.Unix(int64(i), 0))
		assert.Equal(t, i == maxAttempts-1, r.Container(id).Complete)
		assert.Equal(t, i+1, r.Container(id).attempts, "once a scan")
	}
	r.Begin(time.Unix(100, 0))
	assert.Equal(t, maxAttempts, r.Container(id).attempts)
	r.Begin(time.Unix(100, 0).Add(2 * lifetime))
	assert.Empty(t, r.known)
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"Name":"/shop","Config":{"Image":"shop:2.1"}}`), "a_b_c-0.log")
	f.Add([]byte(`[{"id":"a","names":["x"],"metadata":"{}"}]`), "-.log")
	f.Fuzz(func(_ *testing.T, text []byte, name string) {
		parseDocker(text)
		parseSpec(text, "containerd")
		parseStorage(text)
		parseLogName(name)
	})
}

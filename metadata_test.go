// Package otelcolpsutil_test checks that the files which describe the module agree.
package otelcolpsutil_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const module = "github.com/otelcol-psutil/otelcol-psutil"

// card is metadata.yaml, of the module or of a component.
type card struct {
	Type        string `yaml:"type"`
	Description string `yaml:"description"`
	Status      struct {
		Class         string              `yaml:"class"`
		Stability     map[string][]string `yaml:"stability"`
		Distributions []string            `yaml:"distributions"`
	} `yaml:"status"`
	Class      string `yaml:"class"`
	Components []struct {
		Class string `yaml:"class"`
		Type  string `yaml:"type"`
		Path  string `yaml:"path"`
	} `yaml:"components"`
}

type manifest struct {
	Receivers, Processors, Exporters, Connectors, Extensions, Providers []struct {
		GoMod  string `yaml:"gomod"`
		Import string `yaml:"import"`
		Path   string `yaml:"path"`
	}
}

func read[T any](t *testing.T, path string) T {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var v T
	require.NoError(t, yaml.Unmarshal(text, &v))
	return v
}

func TestCardNamesTheComponents(t *testing.T) {
	root := read[card](t, "metadata.yaml")
	assert.Equal(t, "pkg", root.Class)
	paths, err := filepath.Glob("*/metadata.yaml")
	require.NoError(t, err)
	var listed []string
	for _, c := range root.Components {
		listed = append(listed, filepath.Join(c.Path, "metadata.yaml"))
		component := read[card](t, filepath.Join(c.Path, "metadata.yaml"))
		assert.Equal(t, c.Type, component.Type, c.Path)
		assert.Equal(t, c.Class, component.Status.Class, c.Path)
		assert.NotEmpty(t, component.Description, c.Path)
		assert.NotEmpty(t, component.Status.Stability, c.Path)
		assert.Equal(t, root.Status.Distributions, component.Status.Distributions, c.Path)
	}
	assert.ElementsMatch(t, paths, listed, "every component is on the card")
}

func TestManifestHoldsTheComponents(t *testing.T) {
	root := read[card](t, "metadata.yaml")
	m := read[manifest](t, "builder-config.yaml")
	byClass := map[string][]string{}
	for class, entries := range map[string][]struct {
		GoMod  string `yaml:"gomod"`
		Import string `yaml:"import"`
		Path   string `yaml:"path"`
	}{"receiver": m.Receivers, "processor": m.Processors, "connector": m.Connectors, "exporter": m.Exporters, "extension": m.Extensions} {
		for _, e := range entries {
			if e.Path == "." && !strings.HasSuffix(e.Import, "/filestorageextension") { // Contrib's, which has its card there.
				assert.True(t, strings.HasPrefix(e.GoMod, module+" "), e.GoMod)
				byClass[class] = append(byClass[class], strings.TrimPrefix(e.Import, module+"/"))
			}
		}
	}
	count := 0
	for _, c := range root.Components {
		assert.Contains(t, byClass[c.Class], c.Path)
	}
	for _, imports := range byClass {
		count += len(imports)
	}
	assert.Len(t, root.Components, count)
}

// TestVersionsAgree holds the pins of docs/decisions/0008-versions.md together.
func TestVersionsAgree(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^OTEL_VERSION\s*:=\s*(\S+)$`).FindSubmatch(makefile)
	require.NotNil(t, version)
	beta := string(version[1])
	gomod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	stable := regexp.MustCompile(`go\.opentelemetry\.io/collector/component (v1\.\S+)`).FindSubmatch(gomod)
	require.NotNil(t, stable)
	allowed := []string{beta, string(stable[1])}

	manifest, err := os.ReadFile("builder-config.yaml")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`gomod: (\S+) (\S+)`).FindAllStringSubmatch(string(manifest), -1) {
		if m[1] != module {
			assert.True(t, slices.Contains(allowed, m[2]), "%s is at %s in the manifest, the pins are %v", m[1], m[2], allowed)
		}
	}
	tools := []string{"/cmd/mdatagen ", "/internal/schemagen ", "/confmap/provider/fileprovider "}
	for _, m := range regexp.MustCompile(`(go\.opentelemetry\.io/collector\S* )(v\S+)`).FindAllStringSubmatch(string(gomod), -1) {
		if !slices.ContainsFunc(tools, func(tool string) bool { return strings.HasSuffix(m[1], tool) }) {
			assert.True(t, slices.Contains(allowed, m[2]), "%sis at %s in go.mod, the pins are %v", m[1], m[2], allowed)
		}
	}
}

// TestTheFullDistributionHoldsTheOther holds that the manifest with more components has all of the other, at the same versions.
func TestTheFullDistributionHoldsTheOther(t *testing.T) {
	lines := func(path string) (modules []string) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`(?m)^  - gomod: (\S+ v\S+)|^    import: (\S+)`).FindAllStringSubmatch(string(text), -1) {
			modules = append(modules, m[1]+m[2])
		}
		return modules
	}
	full := lines(filepath.Join("distributions", "full", "builder-config.yaml"))
	for _, module := range lines("builder-config.yaml") {
		assert.Contains(t, full, module)
	}
	assert.Len(t, full, len(lines("builder-config.yaml"))+1, "the prometheus receiver")
}

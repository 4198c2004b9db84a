package packaging

import (
	"encoding/xml"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const plistFile = "launchd/com.github.otelcol-psutil.plist"

// element is a node of a property list.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// dict pairs the keys of a <dict> with what follows them.
func dict(t *testing.T, e element) map[string]element {
	t.Helper()
	require.Equal(t, "dict", e.XMLName.Local)
	require.Zero(t, len(e.Children)%2)
	pairs := make(map[string]element)
	for i := 0; i < len(e.Children); i += 2 {
		require.Equal(t, "key", e.Children[i].XMLName.Local)
		require.NotContains(t, pairs, e.Children[i].Text)
		pairs[e.Children[i].Text] = e.Children[i+1]
	}
	return pairs
}

func TestPropertyListOfLaunchd(t *testing.T) {
	var list element
	require.NoError(t, xml.Unmarshal(contents(t, plistFile), &list))
	require.Equal(t, "plist", list.XMLName.Local)
	require.Len(t, list.Children, 1)
	daemon := dict(t, list.Children[0])
	assert.Equal(t, strings.TrimSuffix(filepath.Base(plistFile), ".plist"), daemon["Label"].Text)

	arguments := daemon["ProgramArguments"]
	require.Equal(t, "array", arguments.XMLName.Local)
	var command []string
	for _, argument := range arguments.Children {
		require.Equal(t, "string", argument.XMLName.Local)
		command = append(command, argument.Text)
	}
	assert.Equal(t, []string{"/usr/local/bin/otelcol-psutil", "--config", "/usr/local/etc/otelcol-psutil/config.yaml"}, command)
	for name, value := range dict(t, daemon["EnvironmentVariables"]) {
		assert.Equal(t, "string", value.XMLName.Local)
		assert.Contains(t, string(contents(t, "../examples/agent.yaml")), "${env:"+name+":-", "the example takes it")
	}
	assert.Equal(t, "false", dict(t, daemon["KeepAlive"])["SuccessfulExit"].XMLName.Local, "it is started again when it fails")
	assert.Equal(t, "true", daemon["RunAtLoad"].XMLName.Local)
	if _, err := exec.LookPath("plutil"); err == nil {
		output(t, exec.Command("plutil", "-lint", plistFile))
	}
}

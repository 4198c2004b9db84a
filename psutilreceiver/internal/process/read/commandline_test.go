package read

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFirstArguments(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"a\x00\x00b c\x00", []string{"a", "", "b c"}},
		{"postgres: idle\x00\x00\x00\x00", []string{"postgres: idle"}},
		{"", nil},
		{"\x00", nil},
		{"app\x00" + strings.Repeat("x", 100), []string{"app"}},
		{"app\x00abc https://joe:" + strings.Repeat("x", 100) + "@host", []string{"app", "abc"}},
		{strings.Repeat("x", 100), nil},
		{"app\x00" + strings.Repeat("x", 36), []string{"app", strings.Repeat("x", 36)}},
		{"app\x00" + strings.Repeat("x", 36) + "\x00y", []string{"app", strings.Repeat("x", 36)}},
	} {
		assert.Equal(t, c.want, firstArguments([]byte(c.text), 40), "%q", c.text)
	}
}

func TestFewerArguments(t *testing.T) {
	arguments := []string{"/usr/bin/app", "-x", "--password", "hunter2", "hunter3"}
	for most, want := range map[int]string{
		0: "/usr/bin/app -x --password ******** hunter3", 1: "/usr/bin/app", 2: "/usr/bin/app -x", 5: "/usr/bin/app -x --password ******** hunter3", 9: "/usr/bin/app -x --password ******** hunter3",
	} {
		var lines commandLines
		lines.KeepArguments(most)
		var id Identity
		lines.set(arguments, AttributeCommandLine|AttributeCommand, &id)
		assert.Equal(t, want, id.CommandLine)
		assert.Equal(t, "/usr/bin/app", id.Command)
	}
}

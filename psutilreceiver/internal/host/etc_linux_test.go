package host

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOSDescription(t *testing.T) {
	for text, want := range map[string]string{
		`PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"`:                          "Debian GNU/Linux 12 (bookworm)",
		`PRETTY_NAME='It is $5'`:                                                "It is $5",
		`PRETTY_NAME="A \"quoted\" \$name with a \\ and a \` + "`tick\\`" + `"`: "A \"quoted\" $name with a \\ and a `tick`",
		`PRETTY_NAME="as \it is"`:                                               `as \it is`,
		`PRETTY_NAME='as \"it is'`:                                              `as \"it is`,
		`PRETTY_NAME=plain\ word`:                                               "plain word",
		`PRETTY_NAME="two "'parts'`:                                             "two parts",
		"PRETTY_NAME=\"first\"\nPRETTY_NAME=\"last\"\n":                         "last",
		"#PRETTY_NAME=\"a comment\"\nNAME=Name\nVERSION=\"1 (One)\"\n":          "Name 1 (One)",
		"ID=none\n":                         "Linux",
		"":                                  "Linux",
		"PRETTY_NAME=\"\"\nNAME=Fedora\r\n": "Fedora",
		"  PRETTY_NAME=\"indented\"  \n":    "indented",
		"PRETTY_NAME=\"open":                "open",
		"MY_PRETTY_NAME=no\nPRETTY_NAME=yes # comment\n": "yes",
	} {
		assert.Equal(t, want, osDescriptionOf(osRelease([]byte(text))), text)
	}
	description := func(files map[string]string) string { return hostWith(t, files).Identity().Description }
	assert.Equal(t, "Etc", description(map[string]string{"etc/os-release": "NAME=Etc\n", "usr/lib/os-release": "PRETTY_NAME=Usr\n"}), "one of the files, never both")
	assert.Equal(t, "Usr", description(map[string]string{"usr/lib/os-release": "PRETTY_NAME=Usr\n"}))
	assert.Empty(t, description(nil))
}

func TestMachineIDAndHostname(t *testing.T) {
	const id = "0b7de4a19c55483f9a1e6f20d3c8b744"
	for text, want := range map[string]string{
		id + "\n": id, id: id, "": "", "uninitialized\n": "", strings.ToUpper(id): "", id[1:]: "", id + "0": "", strings.Repeat("0", 32): "", "\xff": "",
	} {
		assert.Equal(t, want, machineID([]byte(text)), "%q", text)
	}
	for text, want := range map[string]string{"db-07\n": "db-07", "# a comment\n\n  db-07  \n": "db-07", "": "", "#\n": ""} {
		assert.Equal(t, want, hostname([]byte(text)), "%q", text)
	}
}

package read

import (
	"bytes"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/commandline"
)

// commandLines says how much of command lines is kept.
type commandLines struct{ most int }

// KeepArguments makes command lines have their first so many arguments only, the program's name among them: all with 0. It is called before the first read.
func (c *commandLines) KeepArguments(most int) { c.most = most }

// set sets the attributes that the arguments of a process have, secrets masked. Without any, as of a kernel thread, the program is the executable.
func (c *commandLines) set(arguments []string, attributes Attributes, id *Identity) {
	if attributes&AttributeProgram != 0 {
		id.Program = programOf(id.Executable, arguments)
	}
	if len(arguments) == 0 {
		return
	}
	if attributes&AttributeCommand != 0 {
		id.Command = commandline.Masked(arguments[:1])
	}
	if attributes&AttributeCommandLine != 0 {
		if c.most > 0 && len(arguments) > c.most {
			arguments = arguments[:c.most]
		}
		id.CommandLine = commandline.Masked(arguments)
	}
}

// firstArguments splits the text of /proc/PID/cmdline, of which limit bytes are used. A program that overwrote its arguments with a title leaves zeros after it.
// A word that is cut by the limit is left out: what is left of it could be the half of a secret that only its end shows to be one.
func firstArguments(text []byte, limit int) []string {
	text = bytes.TrimRight(text, "\x00")
	if len(text) > limit {
		text = text[:max(bytes.LastIndexAny(text[:limit+1], "\x00 \t\n"), 0)]
	}
	if len(text) == 0 {
		return nil
	}
	return strings.Split(string(text), "\x00")
}

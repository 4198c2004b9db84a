package read

import (
	"bytes"
	"strings"
)

// mask replaces a secret in a command line. Its length is independent of that of the secret.
const mask = "********"

// secretWords make the name of an option, variable or header a secret's. Names are compared in lower case without '-', '_' and '.'.
var secretWords = []string{
	"password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "privatekey", "authkey", "sharedkey", "sessionkey",
	"accountkey", "encryptionkey", "signingkey", "masterkey", "credential", "authorization", "connectionstring",
}

// secretNames are too short to be looked for inside of other words.
var secretNames = map[string]bool{"pass": true, "pwd": true, "pw": true, "auth": true, "dsn": true}

// ScrubCommandLine joins the arguments with spaces and masks what looks like a secret: the value of an option, variable, header or JSON
// member whose name has a word such as password, token, secret or api_key in it ("--password=x", "--password x", "TOKEN=x",
// "X-Api-Key: x", `{"secret": "x"}`), also within an argument that is itself a command line, and the password in a URL.
// What follows an option of such a name is masked whatever it looks like: "--password -x" may be a password that begins with a dash.
// It masks too much rather than too little. It cannot recognize a secret without a name, as in "mysql -pSECRET".
func ScrubCommandLine(arguments []string) string {
	var out strings.Builder
	masking := false // the value of the option just seen is this argument
	for i, argument := range arguments {
		if i > 0 {
			out.WriteByte(' ')
		}
		masked := masking
		// This is checked of a masked argument, too: an option whose name only sounds like a secret's, such as --use-token, has no value.
		masking = isOption(argument) && !strings.ContainsAny(argument, "=: ") && isSecretName(argument)
		if masked {
			out.WriteString(mask)
			continue
		}
		scrubArgument(&out, argument)
	}
	return out.String()
}

// setArguments sets what of the attributes comes from the arguments. Without any, as of a kernel thread, the program is the executable.
func (id *Identity) setArguments(arguments []string, attributes Attributes) {
	if attributes&AttributeProgram != 0 {
		id.Program = programOf(id.Executable, arguments)
	}
	if len(arguments) == 0 {
		return
	}
	if attributes&AttributeCommand != 0 {
		id.Command = ScrubCommandLine(arguments[:1])
	}
	if attributes&AttributeCommandLine != 0 {
		id.CommandLine = ScrubCommandLine(arguments)
	}
}

// scrubArgument writes one argument, which may be a whole command line of a shell or the title that a program gave itself.
func scrubArgument(out *strings.Builder, argument string) {
	rest := argument
	for rest != "" {
		name, separator := nextName(rest)
		if name == "" {
			out.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		after := rest[len(name)+separator:]
		switch {
		case separator > 0 && strings.HasPrefix(after, "//"):
			out.WriteString(rest[:len(name)+separator])
			rest = scrubURL(out, after)
		case isSecretName(name) && (separator > 0 || isOption(name) && after != ""):
			out.WriteString(rest[:len(name)+separator])
			whole := len(rest) == len(argument) && separator > 0
			rest = maskValue(out, after, name, whole)
		default:
			out.WriteString(name)
			rest = rest[len(name):]
		}
	}
}

// nextName returns the name that text begins with, "" if none, and the length of what parts it from its value: "=", ":" or `":` with the
// blanks that follow. The length is 0 if no separator follows.
func nextName(text string) (name string, separator int) {
	end := 0
	for end < len(text) && isNameByte(text[end]) {
		end++
	}
	name = text[:end]
	i := end
	if i < len(text) && (text[i] == '"' || text[i] == '\'') {
		i++
	}
	if i >= len(text) || name == "" || text[i] != '=' && text[i] != ':' {
		return name, 0
	}
	i++
	for i < len(text) && text[i] == ' ' {
		i++
	}
	return name, i - end
}

// maskValue writes the mask in place of the value at the start of text and returns what follows the value. The value is the rest of the
// argument if the name began it (whole) or names a header, whose value has blanks; else what is within quotes, or up to the next blank.
func maskValue(out *strings.Builder, text, name string, whole bool) string {
	blanks := len(text) - len(strings.TrimLeft(text, " "))
	out.WriteString(text[:blanks])
	text = text[blanks:]
	if text == "" {
		return ""
	}
	if whole || strings.Contains(normalName(name), "auth") {
		out.WriteString(mask)
		return ""
	}
	out.WriteString(mask)
	if quote := text[0]; quote == '"' || quote == '\'' {
		if end := strings.IndexByte(text[1:], quote); end >= 0 {
			return text[end+2:]
		}
		return ""
	}
	if end := strings.IndexByte(text, ' '); end >= 0 {
		return text[end:]
	}
	return ""
}

// scrubURL writes the "//user:password@host" part of a URL with the password masked, up to the next blank, and returns what follows.
func scrubURL(out *strings.Builder, text string) string {
	end := len(text)
	if i := strings.IndexAny(text, " \"'"); i >= 0 {
		end = i
	}
	authority := 2
	for authority < end && text[authority] != '/' && text[authority] != '?' {
		authority++
	}
	// A password may hold an unescaped '/' or '@': the last '@' of the URL bounds it on the safe side if the authority has none.
	at := strings.LastIndexByte(text[:authority], '@')
	if at < 0 {
		at = strings.LastIndexByte(text[:end], '@')
	}
	colon := strings.IndexByte(text[2:max(at, 2)], ':') + 2
	if at < 0 || colon < 2 {
		out.WriteString(text[:2])
		return text[2:]
	}
	out.WriteString(text[:colon+1])
	out.WriteString(mask)
	return text[at:]
}

func isNameByte(c byte) bool {
	return c-'0' <= 9 || c|0x20-'a' <= 25 || c == '_' || c == '-' || c == '.'
}

func isOption(argument string) bool { return strings.HasPrefix(argument, "-") }

func isSecretName(name string) bool {
	normal := normalName(name)
	if secretNames[normal] {
		return true
	}
	for _, word := range secretWords {
		if strings.Contains(normal, word) {
			return true
		}
	}
	return false
}

// withoutSeparators is made once: making it takes more memory than all that is kept of a process.
var withoutSeparators = strings.NewReplacer("-", "", "_", "", ".", "")

func normalName(name string) string { return withoutSeparators.Replace(strings.ToLower(name)) }

// splitArguments splits the text of /proc/PID/cmdline. A program that overwrote its arguments with a title leaves zeros after it.
func splitArguments(text []byte) []string {
	text = bytes.TrimRight(text, "\x00")
	if len(text) == 0 {
		return nil
	}
	return strings.Split(string(text), "\x00")
}

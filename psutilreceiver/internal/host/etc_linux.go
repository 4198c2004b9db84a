package host

import (
	"bytes"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// machineID reads machine-id(5): 32 hexadecimal digits in lower case. It is empty for other text, such as the "uninitialized" of an image that is
// booting for the first time, and for the zeros that mean none.
func machineID(text []byte) string {
	id, _ := proctext.Line(text)
	id = bytes.TrimSpace(id)
	zero := true
	for _, c := range id {
		if !isDigit(c) && (c < 'a' || c > 'f') {
			return ""
		}
		zero = zero && c == '0'
	}
	if len(id) != 32 || zero {
		return ""
	}
	return string(id)
}

// hostname reads hostname(5): one name, beside comments.
func hostname(text []byte) string {
	for line := range bytes.Lines(text) {
		if name, _ := proctext.Field(line); len(name) > 0 && name[0] != '#' {
			return string(name)
		}
	}
	return ""
}

// osRelease reads os-release(5): assignments as a shell reads them, of which the last one counts. Without a name it is Linux.
func osRelease(text []byte) map[string]string {
	values := map[string]string{"NAME": "Linux"}
	for line := range bytes.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(string(line)), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		values[key] = shellWord(value)
	}
	return values
}

// osDescriptionOf is PRETTY_NAME, or else made of the name and the version.
func osDescriptionOf(values map[string]string) string {
	if pretty := values["PRETTY_NAME"]; pretty != "" {
		return pretty
	}
	return strings.TrimSpace(values["NAME"] + " " + values["VERSION"])
}

// shellWord takes the quotes and the escapes off a word, as a shell does: nothing is special within single quotes, and a backslash before a dollar sign, a
// quote, a backslash or a backtick within double ones, and before anything outside of both.
func shellWord(word string) string {
	var out strings.Builder
	quote := byte(0)
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && (c == ' ' || c == '\t'): // What follows is a comment, or no assignment.
			return out.String()
		case c == '\\' && quote != '\'' && i+1 < len(word) && (quote == 0 || strings.IndexByte("$\"\\`", word[i+1]) >= 0):
			i++
			out.WriteByte(word[i])
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

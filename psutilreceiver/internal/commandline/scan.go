package commandline

import "strings"

// scan writes a word without blanks but in quotes: names with values in it, URLs, tokens.
func (m *masker) scan(s *scope, word string) {
	m.looked += len(word)
	lastAt := strings.LastIndexByte(word, '@')
	open := byte(0) // the quote that is open
	credentials := 4
	for i := 0; i < len(word); {
		c := word[i]
		if !isNameByte(c) {
			if c == '"' || c == '\'' {
				switch open {
				case 0:
					open = c
				case c:
					open = 0
				}
			}
			m.out.WriteByte(c)
			i++
			continue
		}
		if credentials > 0 && i < lastAt && (i == 0 || word[i-1] == '=' || word[i-1] == '"' || word[i-1] == '\'') {
			credentials--
			m.looked += len(word) - i
			if from, to, ok := bareCredentials(word[i:]); ok {
				m.out.WriteString(word[i:i+from] + mask)
				i += to
				continue
			}
		}
		length := m.run(s, word, i, lastAt, open)
		m.looked += length
		i += length
	}
}

// run writes what begins with a name at i, and returns how many bytes of the word that was.
func (m *masker) run(s *scope, word string, i, lastAt int, open byte) int {
	rest := word[i:]
	dashes := len(rest) - len(strings.TrimLeft(rest, "-"))
	if dashes < len(rest) {
		if n := tokenAt(rest[dashes:]); n > 0 {
			m.out.WriteString(rest[:dashes] + mask)
			return dashes + n
		}
	}
	name, separator := nextName(rest)
	for _, prefix := range pathSecrets {
		if strings.HasPrefix(prefix, name) && strings.HasPrefix(rest, prefix) {
			m.out.WriteString(prefix + mask)
			return len(prefix) + lengthUntil(rest[len(prefix):], "?\"' ")
		}
	}
	if separator == 0 {
		m.out.WriteString(name)
		switch rest[len(name):] {
		case "":
			if strings.EqualFold(name, securing) {
				s.next = expectArgument
			}
			fallthrough
		case `"`, "'", `\"`, `"]`, "']", `\"]`, "]": // {"password" : "x"}
			if i > 0 && isSecretName(name) {
				s.next = expectSeparator
				if sets(s.previous) {
					s.next = expectValue
				}
			}
		}
		if n := m.pair(s, word, i, name); n > 0 {
			return n
		}
		if after := rest[len(name):]; i > 0 && word[i-1] == '<' && strings.HasPrefix(after, ">") && isSecretName(name) { // <password>x</password>
			m.out.WriteString(">" + mask)
			return len(name) + 1 + lengthUntil(after[1:], "<")
		}
		return len(name)
	}
	value := rest[len(name)+separator:]
	if rest[len(name)] == ':' && strings.HasPrefix(value, "//") {
		m.out.WriteString(name + ":")
		left := m.maskURL(name, value, lastAt-(len(word)-len(value)))
		if strings.HasPrefix(name, "rtmp") {
			left = m.streamKey(left)
		}
		return len(rest) - len(left)
	}
	before := byte(0)
	if i > 0 {
		before = word[i-1]
	}
	query := before == '?' || before == '&'
	isPathPart := before == '/' && i > 1 && rest[len(name)] == ':' && isPath(word) // -v /etc/passwd:/etc/passwd:ro
	isData := name == "data" && strings.HasPrefix(word, "secret")                  // qemu -object secret,id=s,data=x
	if isPathPart || !isSecretName(name) && !isData && (!query || !isQueryName(name)) || staysReadable(name, value) {
		m.out.WriteString(rest[:len(name)+separator])
		return len(name) + separator
	}
	m.out.WriteString(rest[:len(name)+separator])
	if value == "" {
		s.next = expectValue
		return len(rest)
	}
	if value[0] == '{' {
		return len(name) + separator
	}
	m.out.WriteString(mask)
	if open != 0 && rest[len(name)] == open {
		open = 0 // It was around the name.
	}
	return len(name) + separator + lengthOfValue(value, before, open, separator > 1)
}

// pair writes what follows a name that is the first argument of a function: putenv("PASSWORD", "x"). It returns how many bytes of the word from i on
// that was with the name, 0 if there is no such thing.
func (m *masker) pair(s *scope, word string, i int, name string) int {
	after := word[i+len(name):]
	if i < 2 || word[i-2] != '(' || len(after) < 2 || after[0] != word[i-1] || after[1] != ',' || after[0] != '"' && after[0] != '\'' || !isSecretName(name) {
		return 0
	}
	m.out.WriteString(after[:2])
	value := after[2:]
	if value == "" {
		s.next = expectValue
		return len(name) + 2
	}
	m.out.WriteString(mask)
	return len(name) + 2 + lengthOfValue(value, ',', 0, false)
}

// lengthOfValue returns how long the value is that a text begins with, by the byte before its name and the quote that is open.
func lengthOfValue(text string, before, open byte, quotedName bool) int {
	if strings.HasPrefix(text, `\"`) {
		if end := strings.Index(text[2:], `\"`); end >= 0 {
			return end + 4
		}
		return len(text)
	}
	if (text[0] == '"' || text[0] == '\'') && text[0] != open {
		if end := closing(text, 0); end > 0 {
			return end + 1
		}
		return len(text)
	}
	ends := ""
	switch before {
	case '?', '&':
		ends = "&#"
	case ';':
		ends = ";"
	case ',':
		ends = ",}]"
	}
	if quotedName {
		ends = ",}]"
	}
	if text[0] == '[' {
		return min(lengthUntil(text, "]")+1, len(text))
	}
	if open != 0 && !quotedName {
		ends += string(open)
	}
	if before == '\\' { // {\"password\":12}
		ends = ",}]"
	}
	return lengthUntil(text, ends)
}

func lengthUntil(text, ends string) int {
	if at := strings.IndexAny(text, ends); ends != "" && at >= 0 {
		return at
	}
	return len(text)
}

// nextName returns the name that text begins with, and the length of what parts it from its value: "=" or ":", also behind a quote, 0 if there is none.
func nextName(text string) (name string, separator int) {
	end := 0
	for end < len(text) && isNameByte(text[end]) {
		end++
	}
	name = text[:end]
	if end == 0 {
		return "", 0
	}
	i := end
	if strings.HasPrefix(text[i:], `\"`) {
		i++
	}
	if i < len(text) && (text[i] == '"' || text[i] == '\'') {
		i++
	}
	if i+1 < len(text) && (text[i] == ']' && text[i+1] == ':' || (text[i] == ']' || text[i] == '}') && text[i+1] == '=') { // environ["PASSWORD"]="x"
		i++
	}
	switch {
	case i < len(text) && (text[i] == '=' || text[i] == ':'):
		i++
		if i < len(text) && (text[i] == '=' || text[i] == '>') && text[i-1] != text[i] {
			i++ // := and =>
		}
	case strings.HasPrefix(text[i:], "%3D"), strings.HasPrefix(text[i:], "%3d"):
		i += 3
	case i == end && i+1 < len(text) && text[i] == '(' && (text[i+1] == '"' || text[i+1] == '\''): // PASSWORD('x')
		i++
	default:
		return name, 0
	}
	return name, i - end
}

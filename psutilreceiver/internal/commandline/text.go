package commandline

import "strings"

// generic writes a word of which neither its place nor the words before say anything.
func (m *masker) generic(s *scope, raw, bare string) {
	m.looked += len(raw)
	if isAllName(raw) && len(raw) < longestName {
		m.name(s, raw)
		return
	}
	if raw != "" && raw[0] == '+' && len(raw) < longestName && isAllName(raw[1:]) && isSecretName(raw[1:]) { // An option of some games and terminals.
		m.out.WriteString(raw)
		s.next = expectValue
		return
	}
	if isAWSSecret(bare) && len(s.previous) == 20 && tokenAt(s.previous) == 20 {
		m.out.WriteString(mask)
		return
	}
	if at := strings.Index(raw, pemMark); at >= 0 && strings.Contains(raw[at:], "PRIVATE") {
		m.generic(s, raw[:at], raw[:at])
		m.out.WriteString(mask)
		return
	}
	if m.assignment(s, raw) {
		return
	}
	if s.whole && raw == bare {
		m.parts(s, raw)
		return
	}
	if raw != bare || strings.ContainsAny(raw, " \t\n") {
		m.nested(s, raw, s.shell && raw == bare)
		return
	}
	m.scan(s, raw)
}

// name writes a word that is a name and nothing else.
func (m *masker) name(s *scope, word string) {
	at := len(word) - len(strings.TrimLeft(word, "-"))
	if at < len(word) && len(word)-at >= 8 && tokenAt(word[at:]) > 0 {
		m.out.WriteString(word[:at] + mask)
		return
	}
	m.out.WriteString(word)
	switch {
	case strings.EqualFold(word, "bearer"):
		s.next = expectValue
	case isSecretName(word):
		s.next = expectSeparator
		switch {
		case isOption(word) || s.setting || sets(s.previous):
			s.next = expectValue
		case setsSecret(word):
			s.next = expectSubject
		}
	case strings.EqualFold(word, securing):
		s.next = expectArgument
	case isOption(word) && isCommandName(word):
		s.next = expectCommand
	case isOption(word) && isUserName(word) && len(word) > 2:
		s.next = expectMaybeUser
	case strings.EqualFold(word, "by"): // CREATE USER … IDENTIFIED BY 'SECRET', … WITH PLUGIN BY 'SECRET'.
		s.next = expectSeparator
		if strings.EqualFold(s.previous, "identified") {
			s.next = expectValue
		}
	}
}

// securing is the command of PowerShell that makes a secret of a text.
const securing = "ConvertTo-SecureString"

// sets tells whether a word before a name means that a value follows: aws configure set NAME VALUE.
func sets(word string) bool {
	switch word {
	case "set", "put", "--set", "config", "-set", "setex", "add", "--add":
		return true
	}
	return false
}

// assignment writes a word that begins with the name of a secret and a separator, also after others: NAME=x, --env=NAME=x, Header: x. The value is what is left,
// whatever it has in it.
func (m *masker) assignment(s *scope, raw string) bool {
	from := 0
	for {
		name, separator := nextName(raw[from:])
		if separator == 0 {
			return false
		}
		at := from + len(name) + separator
		value := raw[at:]
		m.looked += len(name)
		if strings.HasPrefix(value, "//") {
			return false
		}
		if (isSecretName(name) || isCommandName(name) && echoes(value)) && !staysReadable(name, value) {
			return m.assign(s, raw[:at], name, value)
		}
		isUser := isUserName(name)
		if isUser {
			m.looked += len(value)
		}
		if isUser && raw[from+len(name)] == '=' && strings.IndexByte(value, ':') > 0 && !areNumbers(value) && !strings.ContainsAny(value, "@ &/,;=") {
			m.out.WriteString(raw[:at])
			m.userOf(value, ":")
			return true
		}
		if value == "" || !isNameByte(value[0]) || from > longestName {
			return false
		}
		from = at
	}
}

// assign writes a name with what is before it, and the value masked.
func (m *masker) assign(s *scope, before, name, value string) bool {
	m.out.WriteString(before)
	blanks := len(value) - len(strings.TrimLeft(value, " \t"))
	m.out.WriteString(value[:blanks])
	value = value[blanks:]
	if !s.arguments && isHeaderName(name) && strings.HasSuffix(before, ":") {
		if value == "" {
			m.out.WriteByte(' ') // The one that follows is left out with the rest.
		}
		m.out.WriteString(mask)
		s.rest = true
		return true
	}
	if value == "" {
		s.next = expectValue
		return true
	}
	if s.arguments {
		m.out.WriteString(mask)
		return true
	}
	return m.value(s, value, value)
}

// nested writes a text with its words: the text of a shell, or an argument with blanks or quotes.
func (m *masker) nested(outer *scope, raw string, shell bool) {
	m.looked += len(raw)
	if outer.depth >= maxDepth {
		m.out.WriteString(mask) // Nobody quotes so deep but to hide something.
		return
	}
	quote := ""
	if bare := unquoted(raw); bare != raw {
		quote, raw = raw[:1], bare
	}
	m.out.WriteString(quote)
	inner := scope{shell: shell, depth: outer.depth + 1, arguments: false}
	if quote != "" && !shell && m.wholeOf(outer, raw) {
		m.out.WriteString(quote)
		return
	}
	m.words(&inner, raw)
	m.out.WriteString(quote)
}

// wholeOf writes what is within quotes if it is one assignment: then the value may have blanks.
func (m *masker) wholeOf(outer *scope, text string) bool {
	inner := scope{arguments: true, depth: outer.depth + 1}
	return m.assignment(&inner, text)
}

// words writes the words of a text and what is between them.
func (m *masker) words(s *scope, text string) {
	l := lexer{text: text, shell: s.shell}
	for {
		separator, word, more := l.next()
		m.out.WriteString(separator)
		if !more {
			return
		}
		if s.shell && strings.ContainsAny(separator, ";|&\n`(") {
			s.program, s.next, s.place, s.after, s.skip = nil, expectNothing, 0, 0, false
		}
		s.whole = len(word) == len(text)
		if s.shell && (word == "echo" || word == "printf") {
			m.looked += min(len(l.text), longestEcho)
			if piped := pipedSecret(l.text); piped > 0 {
				m.out.WriteString(word + " " + mask + " ")
				l.text = l.text[piped:]
				continue
			}
		}
		m.word(s, word)
		if s.rest {
			return
		}
	}
}

// parts writes a word of which a part is within quotes that may have blanks, such as --option="a b".
func (m *masker) parts(s *scope, word string) {
	m.looked += len(word)
	at := strings.IndexAny(word, "\"'")
	if at <= 0 || !strings.ContainsAny(word, " \t\n") {
		m.scan(s, word)
		return
	}
	end := closing(word, at)
	if end < 0 || word[at-1] == '\\' {
		m.scan(s, word)
		return
	}
	m.scan(s, word[:at])
	if s.next != expectNothing { // A name before the quotes.
		s.next = expectNothing
		m.out.WriteString(mask)
	} else {
		m.nested(s, word[at:end+1], s.shell)
	}
	m.scan(s, word[end+1:])
}

// longestEcho bounds how far a pipe is looked for.
const longestEcho = 1024

// pipedSecret returns where the pipe is through which a program gets what echo writes, if it is one that reads a password: echo x | docker login
// --password-stdin. It is 0 otherwise.
func pipedSecret(text string) int {
	text = text[:min(len(text), longestEcho)]
	pipe := strings.IndexAny(text, "|\n;")
	if pipe < 0 || text[pipe] != '|' {
		return 0
	}
	to := text[pipe+1:]
	to = to[:lengthUntil(to, "\n;|")]
	for _, reader := range []string{"stdin", "sudo -S", "passwd", "cryptsetup", "-passphrase-fd", "kinit", "fd 0", "with-token", "openssl"} {
		if strings.Contains(to, reader) {
			return pipe
		}
	}
	return 0
}

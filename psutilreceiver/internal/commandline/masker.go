package commandline

import "strings"

// mask replaces a secret. Its length is independent of that of the secret.
const mask = "********"

// maxDepth bounds how deep texts within texts are looked into, as those of sh -c "ssh host 'mysql -pSECRET'" are.
const maxDepth = 5

// Masked joins the arguments of a process with spaces, and masks what looks like a secret: see the package's comment. It takes time in proportion to
// their length.
func Masked(arguments []string) string {
	m := masker{}
	return m.mask(arguments)
}

func (m *masker) mask(arguments []string) string {
	length := len(arguments)
	for _, a := range arguments {
		length += len(a)
	}
	m.out.Grow(length)
	s := scope{arguments: true}
	for i, a := range arguments {
		if i > 0 {
			m.out.WriteByte(' ')
		}
		m.word(&s, a)
	}
	return m.out.String()
}

// masker writes what is masked.
type masker struct {
	out    strings.Builder
	looked int // how many bytes were looked at so far, those that several functions look through each time
}

// scope is what is known of a list of words from those before: the arguments of a process, or the words of a text.
type scope struct {
	arguments bool // words are arguments: a value may have blanks
	shell     bool // the text is one of a shell
	depth     int
	next      expect
	previous  string // the last word
	program   *program
	skip      bool // the next word is the value of an option that is no secret
	place     int  // number of arguments after the program's name that are no options
	after     int  // which one after that is a secret, by the words so far; 0 if none
	flagB     bool // htpasswd -b
	flagN     bool // htpasswd -n
	only      bool // the word after which the letters of the program count was there
	whole     bool // the text is one word
	setting   bool // a word for settings was there, after which names have values: config, set
	literal   bool // a word was there after which all of NAME=x is secret
	position  int  // how many words were before
	left      int  // how many of the next words are secrets
	until     string
	rest      bool // what is left is a secret
}

// word writes one word.
func (m *masker) word(s *scope, raw string) {
	m.looked += len(raw)
	bare := unquoted(raw)
	m.classified(s, raw, bare)
	if (bare == "config" || bare == "set") && (s.arguments || s.shell || s.position > 0 && s.position < 3) { // In prose a verb may be so.
		s.setting = true
	}
	s.position++
	s.previous = bare
}

func (m *masker) classified(s *scope, raw, bare string) {
	if s.left > 0 {
		s.left--
		m.out.WriteString(mask)
		return
	}
	if m.expected(s, raw, bare) {
		return
	}
	if p := programOf(bare); p != nil && p != s.program && !s.skip {
		s.program, s.place, s.after, s.only, s.flagB, s.flagN = p, 0, p.nth[""], p.only == "", false, false
		s.setting, s.literal = false, false
		m.out.WriteString(raw)
		return
	}
	if s.program != nil && m.placed(s, raw, bare) {
		return
	}
	s.skip = false
	m.generic(s, raw, bare)
}

// expected writes a word of which the words before say what it is, and tells whether they do.
func (m *masker) expected(s *scope, raw, bare string) bool {
	next := s.next
	s.next = expectNothing
	switch next {
	case expectValue:
		if (isOption(s.previous) || s.setting) && staysReadable(s.previous, bare) {
			return false
		}
		return m.value(s, raw, bare)
	case expectSeparator:
		after := strings.TrimLeft(raw, "=:>")
		if separator := raw[:len(raw)-len(after)]; separator != "" && !strings.HasPrefix(after, "//") {
			m.out.WriteString(separator)
			if s.next = expectValue; after != "" {
				s.next = expectNothing
				m.value(s, after, after)
			}
			return true
		}
		if !s.arguments && raw != "" && (raw[0] == '\'' || raw[0] == '"') {
			return m.value(s, raw, bare)
		}
	case expectUser:
		m.userOf(raw, ":%,")
		return true
	case expectLogin:
		m.login(raw)
		return true
	case expectMaybeUser:
		if strings.HasPrefix(raw, "-") || strings.Contains(raw, "://") {
			return false
		}
		if areNumbers(bare) {
			m.out.WriteString(raw)
		} else {
			m.userOf(raw, ":")
		}
		return true
	case expectSource:
		for _, prefix := range []string{"pass:", "key:", "hexkey:"} {
			if strings.HasPrefix(bare, prefix) {
				m.out.WriteString(prefix + mask)
				return true
			}
		}
	case expectLiteral:
		name, _, ok := strings.Cut(raw, "=")
		m.out.WriteString(name)
		if ok {
			m.out.WriteString("=" + mask)
		}
		return true
	case expectSubject:
		if !isOption(raw) {
			return m.value(s, raw, bare)
		}
	case expectShell:
		if isAllName(raw) {
			return false // The arguments that follow may belong to it.
		}
		m.nested(s, raw, true)
		return true
	case expectUntil:
		m.untilEnd(s, raw)
		return true
	case expectCommand:
		if echoes(bare) {
			return m.value(s, raw, bare)
		}
	case expectArgument:
		if isOption(raw) && isAllName(raw) {
			m.out.WriteString(raw)
			s.next = expectArgument
			return true
		}
		return m.value(s, raw, bare)
	case expectBeforeAt:
		m.out.WriteString(beforeAtMasked(raw))
		return true
	case expectNothing, expectFlag, expectTwo, expectRest:
	}
	return false
}

// beforeAtMasked masks what is before the @ of a host: PASSWORD@host.
func beforeAtMasked(text string) string {
	if at := strings.LastIndexByte(text, '@'); at > 0 {
		return mask + text[at:]
	}
	return text
}

// echoes tells whether a command that is to write a secret has the secret in it.
func echoes(command string) bool {
	for _, by := range []string{"echo ", "printf ", "print ", "echo\t", "<<<"} {
		if strings.Contains(command[:min(len(command), longestEcho)], by) {
			return true
		}
	}
	return false
}

// value writes a word that is a secret.
func (m *masker) value(s *scope, raw, bare string) bool {
	switch raw {
	case "=", ":", ":=", "=>":
		m.out.WriteString(raw)
		s.next = expectValue
		return true
	case "{", "":
		m.out.WriteString(raw)
		return true
	}
	switch {
	case s.arguments:
	case raw[0] == '{':
		return false // An object: its members have names.
	case raw[0] == '[':
		s.until = "]"
		m.untilEnd(s, raw)
		return true
	}
	if isScheme(bare) {
		s.next = expectValue // Authorization: Bearer X, in words of their own.
	}
	// What is masked may be an option itself: one whose name only sounds like a secret's, such as --use-token, has no value.
	if (isOption(bare) || s.setting) && isAllName(bare) && isSecretName(bare) {
		s.next = expectValue
	}
	m.out.WriteString(mask)
	switch {
	case s.arguments:
	case strings.HasPrefix(raw, `\"`):
		if end := strings.Index(raw[2:], `\"`); end >= 0 {
			m.out.WriteString(raw[end+4:])
		} else {
			s.next, s.until = expectUntil, `\"`
		}
	case raw[0] == '"' || raw[0] == '\'':
		if end := closing(raw, 0); end > 0 {
			m.out.WriteString(raw[end+1:])
		}
	default:
		m.out.WriteString(raw[len(strings.TrimRight(raw, ",}])")):])
	}
	return true
}

// untilEnd writes a word of a secret with several, and what follows the secret.
func (m *masker) untilEnd(s *scope, raw string) {
	m.out.WriteString(mask)
	if end := strings.Index(raw, s.until); end >= 0 {
		m.out.WriteString(raw[end+len(s.until):])
		return
	}
	s.next = expectUntil
}

// userOf writes a user, and the password after one of the separators masked.
func (m *masker) userOf(raw, separators string) {
	at := strings.IndexAny(raw, separators)
	if at < 0 {
		m.tokenOr(raw)
		return
	}
	user := raw[:at]
	if at+1 == len(raw) || strings.HasSuffix(raw, ":x-oauth-basic") {
		user = mask // A token in the place of a user, without a password.
	}
	m.tokenOr(user)
	m.out.WriteString(raw[at : at+1])
	m.out.WriteString(mask)
	if quote := raw[len(raw)-1]; quote == raw[0] && (quote == '"' || quote == '\'') {
		m.out.WriteByte(quote)
	}
}

// login writes a user and the password masked, and all of it if there is no password.
func (m *masker) login(raw string) {
	if !strings.ContainsAny(raw, ":%,") {
		m.out.WriteString(mask)
		return
	}
	m.userOf(raw, ":%,")
}

// tokenOr writes a text, masked if it is a token by its form.
func (m *masker) tokenOr(text string) {
	if text != "" && tokenAt(text) > 0 {
		text = mask
	}
	m.out.WriteString(text)
}

// areNumbers tells whether a text is two numbers with a colon between, as those of a user and a group are.
func areNumbers(text string) bool {
	for _, c := range []byte(text) {
		if c-'0' > 9 && c != ':' {
			return false
		}
	}
	return true
}

// isScheme tells whether a word is one of those before the credentials in a header.
func isScheme(word string) bool {
	switch strings.ToLower(word) {
	case "bearer", "basic", "token", "digest", "negotiate", "apikey", "password":
		return true
	}
	return false
}

func isOption(word string) bool { return strings.HasPrefix(word, "-") }

func isAllName(word string) bool {
	for i := range len(word) {
		if !isNameByte(word[i]) {
			return false
		}
	}
	return true
}

package commandline

import "strings"

// placed writes a word that is a secret, or says that the next is one, by what the program takes. It reports false for any other word.
func (m *masker) placed(s *scope, raw, bare string) bool {
	p := s.program
	if next, ok := p.long[bare]; ok {
		m.out.WriteString(raw)
		s.skip = next == expectNothing
		switch next {
		case expectFlag:
		case expectTwo:
			s.left = 2
		case expectRest:
			s.after = everything
		default:
			s.next = next
		}
		return true
	}
	for _, prefix := range p.prefixes {
		if len(bare) > len(prefix) && strings.HasPrefix(bare, prefix) {
			m.out.WriteString(prefix + mask)
			return true
		}
	}
	if name, value, ok := strings.Cut(bare, "="); ok && isOption(name) {
		switch p.long[name] {
		case expectUser:
			m.out.WriteString(name + "=")
			m.userOf(value, ":%,")
			return true
		case expectLogin:
			m.out.WriteString(name + "=")
			m.login(value)
			return true
		case expectLiteral:
			key, _, _ := strings.Cut(value, "=")
			m.out.WriteString(name + "=" + key + "=" + mask)
			return true
		case expectValue, expectArgument:
			m.out.WriteString(name + "=" + mask)
			return true
		case expectBeforeAt:
			m.out.WriteString(name + "=" + beforeAtMasked(value))
			return true
		default:
		}
	}
	if len(bare) > 1 && bare[0] == '-' && bare[1] != '-' && s.only {
		return m.options(s, raw, bare)
	}
	if isOption(bare) {
		return false
	}
	return !s.skip && m.argument(s, raw, bare)
}

// isShare tells whether an argument of net use is no password: a drive, a share, an option of Windows, or that the password is asked for.
func isShare(bare string) bool {
	return strings.HasPrefix(bare, `\\`) || strings.HasPrefix(bare, "/") || bare == "*" || len(bare) == 2 && bare[1] == ':'
}

// options writes an argument of options with one letter each.
func (m *masker) options(s *scope, raw, bare string) bool {
	p := s.program
	for i := 1; i < len(bare); i++ {
		letter, rest := bare[i], bare[i+1:]
		s.flagB, s.flagN = s.flagB || letter == 'b', s.flagN || letter == 'n'
		is := func(letters string) bool { return strings.IndexByte(letters, letter) >= 0 }
		switch {
		case is(p.attached):
			m.out.WriteString(bare[:i+1])
			if rest != "" {
				m.out.WriteString(mask)
			}
			return true
		case is(p.host):
			m.out.WriteString(bare[:i+1] + beforeAtMasked(rest))
			if rest == "" {
				s.next = expectBeforeAt
			}
			return true
		case is(p.secret), is(p.user), is(p.login), is(p.shell):
			m.out.WriteString(bare[:i+1])
			next := expectValue
			switch {
			case is(p.user):
				next = expectUser
			case is(p.login):
				next = expectLogin
			case is(p.shell):
				next = expectShell
			}
			switch {
			case rest == "":
				s.next = next
			case next == expectUser:
				m.userOf(rest, ":%,")
			case next == expectLogin:
				m.login(rest)
			case next == expectShell: // -ce
				m.out.WriteString(rest)
				s.next = expectShell
			default:
				m.out.WriteString(mask)
			}
			return true
		case is(p.takes):
			s.skip = rest == ""
			if s.skip {
				m.out.WriteString(raw)
			}
			return s.skip
		case p.single:
			return false
		}
	}
	return false
}

// argument writes one that is no option, if it is a secret or a command line by its place.
func (m *masker) argument(s *scope, raw, bare string) bool {
	s.place++
	p := s.program
	s.only = s.only || bare == p.only
	if p.text > 0 && s.place == p.text {
		s.program = nil // What follows are options of the program that it runs.
		m.nested(s, raw, true)
		return true
	}
	if p.pairs && strings.Contains(bare, ":") {
		m.userOf(raw, ":")
		return true
	}
	if p == netuse && s.previous == "user" { // net rpc user add NAME PASSWORD
		switch bare {
		case "add":
			s.after = s.place + 2
		case "delete", "info", "list", "rename":
			s.after = 0
		}
	}
	if p.inner && strings.ContainsAny(bare, " \t\n") && s.depth < maxDepth { // Its own words in one argument.
		inner := scope{shell: true, depth: s.depth + 1, program: p, only: s.only}
		m.words(&inner, bare)
		return true
	}
	if name, _, ok := strings.Cut(bare, "="); ok && s.literal && isAllName(name) {
		m.out.WriteString(name + "=" + mask)
		return true
	}
	secretAt := s.after
	if s.flagB && p == programs["htpasswd"] {
		secretAt = 3
		if s.flagN {
			secretAt = 2
		}
	}
	s.literal = s.literal || strings.Contains(p.literals, " "+bare+" ")
	if secretAt == everything || secretAt > 0 && s.place == secretAt || p.also > 0 && s.place == p.also {
		if p == oracle {
			at := strings.IndexByte(bare, '/')
			if at < 0 || at+1 == len(bare) {
				return false
			}
			m.out.WriteString(bare[:at+1] + mask)
			if host := strings.LastIndexByte(bare, '@'); host > at {
				m.out.WriteString(bare[host:])
			}
			return true
		}
		if p == netuse && isShare(bare) {
			return false
		}
		m.out.WriteString(mask)
		return true
	}
	if nth, ok := p.nth[strings.ToLower(bare)]; ok && bare != "" && s.after == 0 {
		if s.after = nth; nth > 0 {
			s.after += s.place
		}
		m.out.WriteString(raw)
		return true
	}
	return false
}

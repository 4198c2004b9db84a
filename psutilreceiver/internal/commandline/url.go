package commandline

import "strings"

// userSchemes have a user who is no secret in their URLs, as a rule. In the others a user without a password is a token, as in https://TOKEN@host.
var userSchemes = map[string]bool{
	"ssh": true, "git+ssh": true, "svn+ssh": true, "sftp": true, "scp": true, "rsync": true, "ftp": true, "ftps": true, "sip": true, "sips": true, "mailto": true, "smb": true, "nfs": true, "qemu+ssh": true,
	"postgres": true, "postgresql": true, "mysql": true, "mariadb": true, "mongodb": true, "mongodb+srv": true, "amqp": true, "amqps": true,
	"ldap": true, "ldaps": true, "imap": true, "imaps": true, "smtp": true, "smtps": true, "pop3": true, "mssql": true, "sqlserver": true, "oracle": true, "clickhouse": true, "vnc": true, "rdp": true, "telnet": true, "xmpp": true, "docker+ssh": true,
}

// maskURL writes "//user:password@" of a URL masked, if there is one, and returns what follows. The text begins with "//"; lastAt is how far its last '@' is
// from its beginning, below 0 if it has none.
func (m *masker) maskURL(scheme, text string, lastAt int) string {
	authority := 2
	for authority < len(text) && !strings.ContainsRune("/?#\"' \t\n", rune(text[authority])) {
		authority++
	}
	m.looked += authority
	// A password may hold an unescaped '/' or '@': the last '@' of the word bounds it on the safe side if the authority has none.
	at := strings.LastIndexByte(text[:authority], '@')
	if at < 0 && lastAt > 0 && strings.IndexByte(text[2:authority], ':') > 0 && !isPort(text[2:authority]) {
		at = lastAt
	}
	if at < 2 {
		m.out.WriteString(text[:2])
		return text[2:]
	}
	user, password, hasPassword := strings.Cut(text[2:at], ":")
	m.out.WriteString("//")
	switch {
	case hasPassword && password != "" && password != "x-oauth-basic":
		m.out.WriteString(user + ":" + mask)
	case user == "":
		m.out.WriteString(text[2:at]) // Nothing, or a colon.
	case !hasPassword && userSchemes[strings.ToLower(scheme)]:
		m.out.WriteString(user)
	default:
		m.out.WriteString(mask)
	}
	return text[at:]
}

// streamKey writes what follows the application in a URL of RTMP masked, which is the key of a stream: /app/KEY. It returns what follows.
func (m *masker) streamKey(left string) string {
	path := strings.IndexByte(left, '/')
	if path < 0 {
		return left
	}
	key := strings.IndexByte(left[path+1:], '/')
	if key < 0 {
		return left
	}
	key += path + 2
	end := key + lengthUntil(left[key:], "\"' \t\n|]")
	if end == key {
		return left
	}
	m.out.WriteString(left[:key] + mask)
	return left[end:]
}

// isPort tells whether an authority without a user ends with a port.
func isPort(authority string) bool {
	port := authority[strings.LastIndexByte(authority, ':')+1:]
	for _, c := range []byte(port) {
		if c-'0' > 9 {
			return false
		}
	}
	return len(port) <= 5
}

// bareCredentials finds user:password@host without a scheme, as proxies and drivers of databases take it, at the beginning of a word. It returns where the
// password begins and ends.
func bareCredentials(word string) (from, to int, ok bool) {
	colon, domains := 0, 0
	for colon < len(word) && (isNameByte(word[colon]) || word[colon] == '%' || word[colon] == '+' || word[colon] == '/' || word[colon] == '\\') {
		if word[colon] == '/' || word[colon] == '\\' { // DOMAIN/user:password@host
			if domains++; domains > 1 {
				return 0, 0, false
			}
		}
		colon++
	}
	if colon == len(word) || word[colon] != ':' || strings.HasPrefix(word[colon:], "://") {
		return 0, 0, false
	}
	at := strings.LastIndexByte(word, '@')
	if at <= colon+1 || at+1 == len(word) || strings.HasPrefix(word[at:], "@sha256:") || strings.Contains(word[colon:at], "://") {
		return 0, 0, false
	}
	// An image or a package: name:version@digest, npm:name@version.
	switch word[:colon] {
	case "npm", "git", "mailto", "sip", "acct", "unix", "local":
		return 0, 0, false
	}
	if c := word[at+1]; !isNameByte(c) && c != '[' && c != '/' || strings.IndexByte("/~.=", word[colon+1]) >= 0 {
		return 0, 0, false
	}
	return colon + 1, at, true
}

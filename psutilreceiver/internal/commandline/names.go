package commandline

import (
	"slices"
	"strings"
)

// secretWords make a name that ends with one of them that of a secret. Names are compared in lower case without '-', '_' and '.'.
var secretWords = []string{
	"password", "passwd", "passphrase", "passcode", "passwort", "pass", "pwd", "passkey",
	"secret", "secrets", "secretid", "secretstring", "secretvalue", "token", "tokens", "jwt", "bearer",
	"apikey", "accesskey", "secretkey", "privatekey", "authkey", "sharedkey", "sessionkey", "accountkey", "encryptionkey", "signingkey", "masterkey",
	"licensekey", "appkey", "storagekey", "apikeys", "key", "psk",
	"credential", "credentials", "creds", "authorization", "auth", "cookie", "cookies", "sessionid", "connectionstring", "connstr", "dsn", "otp",
	"signature", "webhookurl", "community", "sonarlogin", "authcred", "artapi", "userpw", "ownerpw", "inputpw", "bindpw", "rootpw", "adminpw", "dbpw",
}

// innerWords make a name a secret's wherever they are in it, unless its end says that it is about one.
var innerWords = []string{
	"password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "privatekey", "authkey", "sharedkey", "sessionkey",
	"accountkey", "encryptionkey", "signingkey", "masterkey", "credential", "authorization", "connectionstring", "dbpass",
}

// aboutEndings make of a name that has an inner word one that is about a secret: where it is, how long it may be.
var aboutEndings = []string{
	"file", "files", "path", "dir", "stdin", "fd", "env", "ttl", "expiry", "expiration", "expires", "expiresin", "timeout", "url", "uri", "endpoint", "type",
	"name", "length", "len", "size", "count", "limit", "policy", "min", "max", "enabled", "enable", "disabled", "required", "store", "provider", "issuer",
	"algorithm", "alg", "command", "cmd", "helper", "prompt", "mode", "format", "location", "version", "cache", "keyring", "arn", "izer", "authentication",
	"interval", "lifetime", "duration", "validity", "audience", "scope", "scopes", "field", "header", "review", "broker", "server", "host", "port", "manager",
	"namespace", "ref", "class", "method", "keyid", "retries", "prefix", "check", "checks",
}

// shortNames are a secret's if they are the whole name.
var shortNames = []string{"pw", "sig", "pin", "puk", "sid", "sopin", "userpin", "newpin", "oldpin"}

// falseFriends end like a secret's name and are none. Those about keys are the names of keys in data, and of public ones.
var falseFriends = []string{
	"bypass", "compass", "surpass", "overpass", "underpass", "trespass", "encompass", "monkey", "turkey", "donkey", "jockey", "hockey", "whiskey",
	"sortkey", "primarykey", "foreignkey", "partitionkey", "rangekey", "hashkey", "cachekey", "publickey", "pubkey", "hostkey", "groupkey", "rowkey",
	"routingkey", "objectkey", "registrykey", "hotkey", "indexkey", "lookupkey", "uniquekey", "shardkey", "maxtokens", "mintokens", "numtokens",
	"setcredentials", "authuserpass", "noauth", "ssoauth", "allpass", "onepass", "twopass", "singlepass", "multipass", "lowpass", "highpass", "bandpass", "renderpass",
	"hotkeys", "knownhostkey", "prefixkey", "mapkey",
}

// secretsByEnd and friendsByEnd have these words by their last letter.
var secretsByEnd, friendsByEnd = byLastLetter(secretWords), byLastLetter(falseFriends)

func byLastLetter(words []string) (table [256][]string) {
	for _, w := range words {
		last := w[len(w)-1]
		table[last] = append(table[last], w)
	}
	return table
}

// longestName bounds what is looked at of a name: its end.
const longestName = 96

// normalName is the end of a name in lower case without '-', '_' and '.', in buf.
func normalName(name string, buf *[longestName]byte) []byte {
	name = name[max(0, len(name)-longestName):]
	normal := buf[:0]
	for _, c := range []byte(name) {
		if c == '-' || c == '_' || c == '.' {
			continue
		}
		if c-'A' <= 'Z'-'A' {
			c |= 0x20
		}
		normal = append(normal, c)
	}
	// password1, TOKEN_2
	for len(normal) > 0 && normal[len(normal)-1]-'0' <= 9 {
		normal = normal[:len(normal)-1]
	}
	return normal
}

// isSecretName tells whether a name is that of a secret.
func isSecretName(name string) bool {
	if len(name) < 2 || !mayBeSecret(name) {
		return false
	}
	var buf [longestName]byte
	normal := string(normalName(name, &buf))
	if slices.Contains(shortNames, normal) {
		return true
	}
	if end := name[strings.LastIndexAny(name, "-_.")+1:]; isShortEnd(end) && !strings.HasPrefix(normal, "gpio") {
		return true
	}
	if isOption(name) && len(name) > 3 && strings.HasSuffix(normal, "pw") { // -supw
		return true
	}
	if normal == "" {
		return false
	}
	last := normal[len(normal)-1]
	for _, word := range secretsByEnd[last] {
		if strings.HasSuffix(normal, word) {
			for _, friend := range friendsByEnd[last] {
				if strings.HasSuffix(normal, friend) {
					return false
				}
			}
			return true
		}
	}
	for _, word := range innerWords {
		if strings.Contains(normal, word) {
			return !isAbout(normal)
		}
	}
	return false
}

// isShortEnd tells whether the last word of a name is one that is too short to be looked for in the middle of others.
func isShortEnd(end string) bool {
	if len(end) > 3 && (strings.HasSuffix(end, "Pin") || strings.HasSuffix(end, "PIN") || strings.HasSuffix(end, "Puk") || strings.HasSuffix(end, "PUK")) {
		return true // userPin
	}
	return strings.EqualFold(end, "pw") || strings.EqualFold(end, "pin") || strings.EqualFold(end, "puk")
}

// isCommandName tells whether a name is that of a command that writes a secret: --password-command.
func isCommandName(name string) bool {
	if last := name[len(name)-1] | 0x20; last != 'd' || !mayBeSecret(name) {
		return false
	}
	var buf [longestName]byte
	normal := string(normalName(name, &buf))
	of, ok := strings.CutSuffix(normal, "command")
	if !ok {
		of, ok = strings.CutSuffix(normal, "cmd")
	}
	return ok && len(of) > 2 && isSecretName(of)
}

// setsSecret tells whether a word is a subcommand that is followed by the secret of its name: set-initial-password.
func setsSecret(word string) bool {
	for _, verb := range [...]string{"set", "reset", "change", "update", "wallet"} {
		if len(word) > len(verb)+3 && strings.HasPrefix(word, verb) {
			return true
		}
	}
	return false
}

func isAbout(normal string) bool {
	for _, ending := range aboutEndings {
		if strings.HasSuffix(normal, ending) {
			return true
		}
	}
	return false
}

// mayBeSecret is a cheap first look: every secret name has one of the letters k, w, d or t, or "ss", "ie", "sig", "id" or "in"; most others have none of what
// is looked for here.
func mayBeSecret(name string) bool {
	for i := 0; i+1 < len(name); i++ {
		switch pair := uint16(name[i]|0x20)<<8 | uint16(name[i+1]|0x20); pair {
		case 'u'<<8 | 'k', 's'<<8 | 's', 's'<<8 | 'e', 'o'<<8 | 'k', 'k'<<8 | 'e', 'p'<<8 | 'w', 'w'<<8 | 'd', 'w'<<8 | 't', 'c'<<8 | 'r', 'u'<<8 | 't', 'd'<<8 | 's', 's'<<8 | 'i', 'p'<<8 | 'i',
			's'<<8 | 'k', 'o'<<8 | 't', 'b'<<8 | 'e', 'b'<<8 | 'h', 'c'<<8 | 'o', 'u'<<8 | 's', 'n'<<8 | 'n':
			return true
		}
		if c := name[i+1]; c == '-' || c == '_' || c == '.' {
			return true // The pair may be on both sides of it.
		}
	}
	return false
}

// isKeyName tells whether it is the word key alone that makes a name a secret's: then its value may be the path of a key's file, or a column.
func isKeyName(name string) bool {
	var buf [longestName]byte
	normal := string(normalName(name, &buf))
	return strings.HasSuffix(normal, "key") && !strings.HasSuffix(normal, "secretkey") && !strings.HasSuffix(normal, "apikey")
}

// isHeaderName tells whether a value goes on to the end of its text, for it may have blanks.
func isHeaderName(name string) bool {
	var buf [longestName]byte
	normal := string(normalName(name, &buf))
	return strings.HasSuffix(normal, "authorization") || strings.HasSuffix(normal, "cookie") || strings.HasSuffix(normal, "auth")
}

// isQueryName tells whether the name of a parameter of a URL is that of a secret, beside those that are everywhere.
func isQueryName(name string) bool {
	switch strings.ToLower(name) {
	case "sig", "signature", "code", "key", "auth", "session", "sas", "se", "k", "hash", "hmac", "x-amz-credential", "x-goog-credential", "policy":
		return true
	}
	return isSecretName(name)
}

// isUserName tells whether a value may be a user and a password with a colon between.
func isUserName(name string) bool {
	var buf [longestName]byte
	normal := string(normalName(name, &buf))
	return strings.HasSuffix(normal, "user") || strings.HasSuffix(normal, "username") || strings.HasSuffix(normal, "login") || strings.HasSuffix(normal, "cert")
}

// staysReadable tells whether the value of a name that is a secret's is none.
func staysReadable(name, value string) bool {
	switch value {
	case "true", "false":
		return true
	}
	if isKeyName(name) && (isPath(value) || isColumn(value)) {
		return true
	}
	bare := strings.TrimLeft(name, "-")
	return (bare == "PWD" || bare == "OLDPWD" || bare == "pwd") && strings.HasPrefix(value, "/")
}

// isPath tells whether a value is the path of a file.
func isPath(value string) bool {
	for _, prefix := range []string{"/", "./", "../", "~/", "file:", "C:\\"} {
		if strings.HasPrefix(value, prefix) {
			return true
		}
	}
	for _, ending := range []string{".pem", ".key", ".crt", ".cer", ".pub", ".asc", ".gpg", ".json", ".p12", ".pfx", ".jks"} {
		if strings.HasSuffix(value, ending) {
			return true
		}
	}
	return false
}

// isColumn tells whether a value is such as sort(1) has for keys: 2, 3n, 1,2.
func isColumn(value string) bool {
	if len(value) > 5 || value == "" {
		return false
	}
	for _, c := range []byte(value) {
		if c-'0' > 9 && c != ',' && c != '.' && c != 'n' && c != 'r' {
			return false
		}
	}
	return value[0]-'0' <= 9
}

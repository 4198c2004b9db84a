package commandline

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	for _, name := range []string{
		"password", "--db-password", "PGPASSWORD", "MYSQL_PWD", "DB_PASS", "passwd", "-Dspring.datasource.pass", "userpass", "passphrase", "clientSecret", "SECRET", "api-key", "apiKey",
		"API_KEY", "X-Api-Key", "token", "GITHUB_TOKEN", "accessToken", "credential", "aws_secret_access_key", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "REDISCLI_AUTH",
		"password1", "PASSWORD_2", "password_hash", "requirepass", "storepass", "dsn", "jwt", "psk", "session_id", "pw", "BIND_PW", "AccountKey", "connection-string",
	} {
		assert.True(t, isSecretName(name), name)
	}
	for _, name := range []string{
		"user", "host", "path", "passive", "compass", "bypass", "pass-through", "tokenizer", "max-tokens", "password-file", "PASSWORD_FILE", "token-ttl", "secret-name", "monkey", "keyboard",
		"sort-key", "public-key", "keys", "verbose", "author", "authority", "x", "", "-", "--", "keepalive", "skip", "secretary-path", "token_endpoint", "hotkey",
	} {
		assert.False(t, isSecretName(name), name)
	}
}

// TestLinesOfAnyLength pins that what a line takes is in proportion to its length, whatever it is made of. It counts the bytes that are looked at.
func TestLinesOfAnyLength(t *testing.T) {
	const length, times = 16 << 10, 8
	looked := func(arguments ...string) (bytes int, out string) {
		m := masker{}
		out = m.mask(arguments)
		return m.looked, out
	}
	for _, piece := range []string{
		"a", "a=", "password=", "a://", "a://b:c@d,", `"`, `'`, `\"`, `"a `, "(", "-p", " -p x", "eyJ", "eyJ.", "ghp_", "mysql ", "sh -c '", `sh -c "`, `{"password":`, "password ", "@", "a:b@", "-----BEGIN ",
		"?sig=", "&", " by ", "by '", "%3D", "a=b:", "x\"password\": [", "user=", "user=a:", "AKIAIOSFODNN7EXAMPLE:", "echo ", "echo | ", ";", "\n", "token token ", "--user a ", "hooks.slack.com/services/",
		"/a:", "/user=", "/x/password:", `\"password\":\"`, `="a b" `, "=a:b", "<password>", "a:@", "net use ", "chpasswd a:",
	} {
		for _, of := range []func(text string) []string{
			func(text string) []string { return []string{"sh", "-c", text} },
			func(text string) []string { return []string{"app", text} },
			func(text string) []string { return []string{"app", `"` + text + `"`} },
			func(text string) []string { return strings.SplitAfter(text, piece) },
		} {
			few, _ := looked(of(strings.Repeat(piece, length/len(piece)))...)
			text := strings.Repeat(piece, times*(length/len(piece)))
			many, out := looked(of(text)...)
			assert.LessOrEqual(t, many, 2*times*few+1000, "%q", piece)
			assert.LessOrEqual(t, many, 300*len(text)+1000, "%q", piece)
			assert.LessOrEqual(t, len(out), longestOf(of(text)), "%q", piece)
		}
	}
}

// longestOf bounds how long the text of arguments may become: each byte a mask, with what is around it.
func longestOf(arguments []string) int {
	length := len(arguments) + 100
	for _, a := range arguments {
		length += (len(mask) + 4) * len(a)
	}
	return length
}

func BenchmarkMasked(b *testing.B) {
	lines := map[string]string{
		"normal":  "/usr/bin/python3|-m|http.server|--bind|127.0.0.1|8080",
		"java":    "java|-Xmx4g|-XX:+UseG1GC|-Dlog4j.configurationFile=/etc/x.xml|-cp|/srv/a.jar:/srv/b.jar|org.example.Main|--port=8080",
		"secrets": "curl|-u|joe:x|-H|Authorization: Bearer y|https://host/?token=z",
		"100 kB":  "app|" + strings.Repeat("--option=value word https://host/path ", 100<<10/38),
		"2 MB":    "app|" + strings.Repeat("--option=value word https://host/path ", 2<<20/38),
	}
	for name, line := range lines {
		arguments := strings.Split(line, "|")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				Masked(arguments)
			}
		})
	}
}

func FuzzMasked(f *testing.F) {
	for _, style := range styles {
		f.Add(strings.Join(argumentsOf(style[0], "x"), "\x00"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		arguments := strings.Split(line, "\x00")
		out := Masked(arguments)
		require.LessOrEqual(t, len(out), longestOf(arguments))
		if utf8.ValidString(line) {
			require.True(t, utf8.ValidString(out))
		}
	})
}

// TestAMarkedSecretIsHiddenBeforeAnyLine pins that an option of a secret's name hides what follows it, whatever else is on the line.
func TestAMarkedSecretIsHiddenBeforeAnyLine(t *testing.T) {
	for _, style := range styles {
		arguments := argumentsOf(style[0], "x")
		out := Masked(arguments)
		if !strings.Contains(out, mask) {
			assert.Equal(t, strings.Join(arguments, " "), out, "what is not masked is left as it was")
		}
		for _, secret := range [][]string{
			{"--password", hidden}, {"--password", "-" + hidden}, {"--use-token", "--password", hidden}, {"--password=" + hidden}, {"MY_TOKEN=" + hidden}, {"sh -c 'x --api_key " + hidden + "'"},
			{"mysql", "-p" + hidden}, {"https://joe:" + hidden + "@host/"},
		} {
			assert.NotContains(t, Masked(append(append([]string{"x"}, secret...), arguments...)), hidden, "%q %s", secret, style[0])
		}
	}
}

package notifyexporter

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

const mailPassword = "s3cret-Pa55word"

// mailScript answers the lines of a client by their first word; what it has no answer for, it never answers.
func mailScript(t *testing.T, l net.Listener, greet string, answer func(line string) string) {
	t.Helper()
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_, _ = fmt.Fprint(conn, greet)
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					_, _ = fmt.Fprint(conn, answer(lines.Text()))
				}
			}()
		}
	}()
}

// tryMail sends a test alert to a mail server.
func tryMail(t *testing.T, address string, more map[string]any) (string, error) {
	t.Helper()
	channel := map[string]any{
		"type": "email", "server": address, "from": "a@example.com", "to": []any{"b@example.com"}, "username": "alerts", "password": mailPassword, "timeout": "300ms",
	}
	maps.Copy(channel, more)
	return Try(t.Context(), confmap.NewFromStringMap(map[string]any{"channels": map[string]any{"mail": channel}}), "mail", time.Now)
}

// TestMailServersThatEchoThePassword in an error, as it is and as the mechanisms send it.
func TestMailServersThatEchoThePassword(t *testing.T) {
	cert, key := certificate(t)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	require.NoError(t, err)
	for _, mechanism := range []string{"plain", "login"} {
		for _, padding := range []int{0, 470, 490} {
			l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}}) //nolint:gosec // Of a test.
			require.NoError(t, err)
			mailScript(t, l, "220 hi\r\n", func(line string) string {
				switch {
				case strings.HasPrefix(line, "EHLO"):
					return "250-hi\r\n250 AUTH PLAIN LOGIN\r\n"
				case line == "AUTH LOGIN":
					return "334 VXNlcm5hbWU6\r\n"
				case line == base64.StdEncoding.EncodeToString([]byte("alerts")):
					return "334 UGFzc3dvcmQ6\r\n"
				default:
					return "535 " + strings.Repeat("x", padding) + " no: " + line + " is " + mailPassword + "\r\n"
				}
			})
			_, err = tryMail(t, l.Addr().String(), map[string]any{"security": "tls", "auth": mechanism, "tls": map[string]any{"insecure_skip_verify": true}, "timeout": "10s"})
			require.Error(t, err)
			assert.Contains(t, err.Error(), "535")
			for _, secret := range []string{
				mailPassword[:4], base64.StdEncoding.EncodeToString([]byte(mailPassword))[:10], base64.StdEncoding.EncodeToString([]byte("\x00alerts\x00" + mailPassword))[12:24],
			} {
				assert.NotContains(t, err.Error(), secret, "%s, %d", mechanism, padding)
			}
		}
	}
}

// TestMailServersThatStall at any stage keep the channel for its timeout, and one that offers no STARTTLS gets no password.
func TestMailServersThatStall(t *testing.T) {
	for name, answers := range map[string]map[string]string{
		"greeting": nil, "EHLO": {"": "220 hi\r\n"}, "STARTTLS": {"": "220 hi\r\n", "EHLO": "250-hi\r\n250 STARTTLS\r\n"},
		"the handshake": {"": "220 hi\r\n", "EHLO": "250-hi\r\n250 STARTTLS\r\n", "STARTTLS": "220 go\r\n"},
		"no STARTTLS":   {"": "220 hi\r\n", "EHLO": "250-hi\r\n250 AUTH PLAIN LOGIN\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			heard := make(chan string, 100)
			mailScript(t, l, answers[""], func(line string) string {
				heard <- line
				word, _, _ := strings.Cut(line, " ")
				return answers[word]
			})
			done := make(chan error, 1)
			go func() {
				_, err := tryMail(t, l.Addr().String(), nil)
				done <- err
			}()
			select {
			case err := <-done:
				require.Error(t, err)
			case <-time.After(time.Minute):
				require.Fail(t, "it waits for ever")
			}
			for len(heard) > 0 {
				assert.NotContains(t, <-heard, "AUTH")
			}
		})
	}
}

// TestBodiesAreBounded: of a template with a loop in a loop, in a storm.
func TestBodiesAreBounded(t *testing.T) {
	cfg, err := configOf(t, `channels: {a: {`+hook+`, body: "{{range .Alerts}}{{range $.Alerts}}{{.Headline}}{{end}}{{end}}"}}`)
	require.NoError(t, err)
	s, err := cfg.Channels["a"].options.open(opening{ctx: t.Context(), host: withoutExtensions{}, now: time.Now, channel: "a"})
	require.NoError(t, err)
	defer s.close()
	m := &message{items: make([]item, 5000)}
	for i := range m.items {
		m.items[i] = item{entry: entry{About: about{Rule: strings.Repeat("r", 100)}}, notices: []notice{{Severity: "warning"}}}
	}
	_, err = s.send(context.Background(), m)
	require.ErrorContains(t, err, "more than 16 MB")
	for _, endless := range []string{
		"{{range 9999999999999}}{{end}}", "{{range $i := 9999999999999}}{{continue}}{{end}}", "{{range 99999}}{{range 99999}}{{if true}}{{range 99999}}{{end}}{{end}}{{end}}{{end}}",
	} {
		_, err = configOf(t, `channels: {a: {`+hook+`, body: '`+endless+`'}}`)
		require.ErrorContains(t, err, "no loop may go round so often")
	}
	_, err = configOf(t, `channels: {a: {`+hook+`, body: '{{define "x"}}{{template "x"}}{{end}}{{template "x"}}'}}`)
	require.Error(t, err, "one without an end")
}

// TestServersThatNeverEnd: of an endless answer little is read, and one that names a time far away is asked again sooner.
func TestServersThatNeverEnd(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "99999999999")
		w.WriteHeader(http.StatusTooManyRequests)
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				close(gone)
				return
			}
		}
	}))
	defer server.Close()
	cfg, err := configOf(t, `channels: {a: {type: webhook, url: "`+server.URL+`/"}}`)
	require.NoError(t, err)
	s, err := cfg.Channels["a"].options.open(opening{ctx: t.Context(), host: withoutExtensions{}, now: time.Now, channel: "a"})
	require.NoError(t, err)
	_, err = s.send(t.Context(), &message{})
	var wait *waitError
	require.ErrorAs(t, err, &wait)
	assert.LessOrEqual(t, wait.delay, longestDelay)
	assert.Less(t, len(err.Error()), 2000)
	s.close()
	<-gone
}

// TestRecordsOfOthersCommandNoTerminal: what people get and what goes to the journal has no character that does something.
func TestRecordsOfOthersCommandNoTerminal(t *testing.T) {
	b := newBench(t, "channels: {a: {"+hook+"}}")
	const odd = "x\x1b[2Jy\u202ez\x00\u2028\r"
	fire := event{
		rule: odd + "r", host: odd + "h", severity: "warning", transition: alertschema.TransitionFire, state: alertschema.StateFiring, started: b.clock, at: b.clock, n: 1,
		text: odd + "t\nsecond line", annotations: map[string]string{"summary" + odd: odd}, labels: map[string]string{odd: odd}, group: map[string]string{"k": odd},
	}
	require.NoError(t, b.ConsumeLogs(t.Context(), fire.logs()))
	b.pass(5 * time.Minute)
	sent := b.on["a"].take()
	require.Len(t, sent, 1)
	m := sent[0]
	shown := m.Title + m.plain() + m.htmlPart(nil) + m.marked(slackMarkup, 4000) + string(journalEntry(&m.items[0])) + (&syslogSender{}).line(&m.items[0])
	assert.Contains(t, shown, "second line")
	for _, c := range "\x1b\u202e\x00\u2028\r" {
		assert.NotContains(t, strings.ReplaceAll(shown, "\x00\x00\x00\x00\x00\x00\x00", ""), string(c), "%U", c) // Journald's lengths have zeros.
	}
}

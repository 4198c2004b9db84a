package notifyexporter

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

const eximConfig = `
primary_hostname = mail.test
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
pid_file_path = DIR/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = PORT
tls_on_connect_ports = TLSPORT
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
tls_advertise_hosts = *
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = rcpt
deliver_drop_privilege = true
keep_environment =
host_lookup =
rfc1413_hosts =
begin acl
rcpt:
  deny !authenticated = *
       message = log in first
  accept domains = example.com
         local_parts = ops
  deny message = nobody of that name
begin routers
local:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  maildir_format
  directory = DIR/box
  create_directory
  user = OWNER
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{alerts}}{eq{$auth3}{mailP4ss}}}}
  server_set_id = $auth2
`

// mailServer is Debian's exim with a configuration and a maildir of the test. It wants STARTTLS, or TLS from the start, and a password.
type mailServer struct {
	dir           string
	port, tlsPort int
	pid           int
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func startMailServer(t *testing.T) *mailServer {
	t.Helper()
	testenv.Root(t, "exim gives mail to another user")
	program := "/usr/sbin/exim4"
	if _, err := os.Stat(program); err != nil {
		testenv.Missing(t, "needs exim4; on Debian: apt-get install exim4-daemon-light")
	}
	owner, err := user.Lookup("Debian-exim")
	require.NoError(t, err)
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	dir, err := os.MkdirTemp("", "exim") //nolint:usetesting // Of t.TempDir the parent is closed to other users.
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &mailServer{dir: dir, port: freePort(t), tlsPort: freePort(t)}
	for _, name := range []string{".", "spool", "log", "box"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(path, 0o750))
		require.NoError(t, os.Chown(path, uid, gid))
	}
	cert, key := certificate(t)
	text := strings.NewReplacer("DIR", dir, "TLSPORT", strconv.Itoa(s.tlsPort), "daemon_smtp_ports = PORT", fmt.Sprintf("daemon_smtp_ports = %d : %d", s.port, s.tlsPort), "OWNER", "Debian-exim").Replace(eximConfig)
	for name, content := range map[string]string{"exim.conf": text, "cert.pem": cert, "key.pem": key} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o640)) //nolint:gosec // The server's user reads it by its group.
		require.NoError(t, os.Chown(path, 0, gid))
	}
	cmd := exec.Command(program, "-C", filepath.Join(dir, "exim.conf"), "-bdf") //nolint:gosec // Of the test.
	var said strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &said, time.Second
	require.NoError(t, cmd.Start())
	s.pid = cmd.Process.Pid
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 20*time.Second, 50*time.Millisecond, "exim does not answer")
	return s
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	require.NoError(t, err)
	encoded, err := x509.MarshalECPrivateKey(k)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}))
}

// mails waits for so many mails in the box, and returns them by their Message-ID.
func (s *mailServer) mails(t *testing.T, n int) map[string]*readMail {
	t.Helper()
	var names []string
	require.Eventually(t, func() bool {
		names, _ = filepath.Glob(filepath.Join(s.dir, "box", "new", "*"))
		return len(names) >= n
	}, 20*time.Second, 50*time.Millisecond, "mail does not arrive")
	require.Len(t, names, n)
	out := map[string]*readMail{}
	for _, name := range names {
		m := readMailOf(t, name)
		out[m.header.Get("Message-ID")] = m
	}
	return out
}

// readMail is a mail as a mail reader shows it.
type readMail struct {
	header        netmail.Header
	subject       string
	plain, asHTML string
}

func readMailOf(t *testing.T, path string) *readMail {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	m, err := netmail.ReadMessage(f)
	require.NoError(t, err)
	out := &readMail{header: m.Header}
	out.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		require.Equal(t, "quoted-printable", p.Header.Get("Content-Transfer-Encoding"))
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		require.NoError(t, err)
		text := strings.ReplaceAll(string(body), "\r\n", "\n")
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			out.asHTML = text
		} else {
			out.plain = text
		}
	}
}

// Mail through a real server, with STARTTLS and with TLS from the start, and read back from its box: text and HTML, one thread an episode.
func TestMail(t *testing.T) {
	t.Parallel()
	server := startMailServer(t)
	ca := filepath.Join(server.dir, "cert.pem")
	config := func(port int, more string) string {
		return fmt.Sprintf(`type: email, server: "127.0.0.1:%d", username: alerts, password: mailP4ss, from: "Älerts <alerts@example.com>", to: [ops@example.com], hello: agent.test, tls: {ca_file: %s}%s`, port, ca, more)
	}
	s := openSender(t, config(server.port, ""))
	messages := messagesOf(t, false)
	for i, m := range messages {
		if i == 2 {
			s = openSender(t, config(server.tlsPort, ", security: tls"))
		}
		answer, err := s.send(t.Context(), m)
		require.NoError(t, err)
		assert.Contains(t, answer, "OK id=", "what the server says is said")
	}
	got := server.mails(t, 3)
	ids := make([]string, 0, 3)
	for _, m := range messages {
		id := "<m-" + m.ID + "@example.com>"
		ids = append(ids, id)
		require.Contains(t, got, id)
		assert.Equal(t, m.Title, got[id].subject)
		assert.Equal(t, m.plain(), got[id].plain)
		assert.Equal(t, m.htmlPart(nil), got[id].asHTML)
		assert.Equal(t, "auto-generated", got[id].header.Get("Auto-Submitted"))
		from, err := got[id].header.AddressList("From")
		require.NoError(t, err)
		assert.Equal(t, "Älerts", from[0].Name)
	}
	assert.Empty(t, got[ids[0]].header.Get("References"))
	for _, id := range ids[1:] {
		assert.Equal(t, ids[0], got[id].header.Get("In-Reply-To"))
		assert.Equal(t, ids[0], got[id].header.Get("References"))
	}
	assert.NotEmpty(t, got[ids[1]].header.Get("Importance"), "critical")

	for name, wrong := range map[string]string{
		"wrong password": strings.Replace(config(server.port, ""), "mailP4ss", "otherP4ss", 1),
		"nobody":         strings.Replace(config(server.port, ""), "ops@", "nobody@", 1),
		"unknown CA":     strings.Replace(config(server.port, ""), ", tls: {ca_file: "+ca+"}", "", 1),
	} {
		_, err := openSender(t, wrong).send(t.Context(), messages[0])
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "P4ss", name)
	}
	server.mails(t, 3)
	require.Eventually(t, func() bool { return server.connections(t) == 0 }, time.Minute, 50*time.Millisecond, "no connection stays open")
}

// connections counts the processes that the server has for connections.
func (s *mailServer) connections(t *testing.T) (n int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range tasks {
		text, _ := os.ReadFile(path) // It may be gone.
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(s.pid) && fields[0] != "Z" {
			n++
		}
	}
	return n
}

// A mail is made of any text without a header that is none of the exporter's.
func TestNoHeaderFromText(t *testing.T) {
	t.Parallel()
	s := openSender(t, `type: email, server: "127.0.0.1:25", from: a@example.com, to: [ops@example.com]`).(*emailSender)
	m := messagesOf(t, false)[0]
	m.Title = "disk\r\nBcc: everybody@example.com\r\n\r\nbody"
	made, err := s.mail(m)
	require.NoError(t, err)
	var text strings.Builder
	_, err = made.WriteTo(&text)
	require.NoError(t, err)
	header, _, _ := strings.Cut(text.String(), "\r\n\r\n")
	assert.False(t, slices.ContainsFunc(strings.Split(header, "\r\n"), func(line string) bool { return strings.HasPrefix(line, "Bcc:") }), header)
}

// What can't be an e-mail channel is refused at the start.
func TestMailConfig(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`type: email`: "server: expected host and port", `type: email, server: "h:25"`: "from:",
		`type: email, server: "h:25", from: a@b, to: [nobody]`:                                        `to: "nobody" is no address`,
		`type: email, server: "h:25", from: a@b, to: [c@d], security: none, username: u, password: p`: "for everybody to read",
		`type: email, server: "h:25", from: a@b, to: [c@d], username: u`:                              "belong together",
		`type: email, server: "h:25", from: a@b, to: [c@d], auth: magic`:                              "auth:",
		`type: email, server: "h:25", from: a@b, to: [c@d], nope: 1`:                                  "nope",
		`type: nope`: "type: \"nope\" is not known", `min_severity: info`: "type:",
		`type: exec, command: [ls]`:                              "absolute path",
		`type: slack, url: "https://x/", min_severity: loud`:     "min_severity",
		`type: slack, url: "https://x/", match: {a: []}`:         "empty",
		`type: slack, url: "https://x/", active: {hours: "8-9"}`: "active.hours",
		`type: slack, url: "https://x/", fallback: other`:        `there is no channel "other"`,
		`type: slack, url: "https://x/", escalate_to: one`:       "itself",
		`type: slack, url: "https://x/", standby: true`:          "standby",
		`type: slack, url: "https://x/", escalate_after: 15`:     "15s",
		`type: slack, url: "https://x/", timeout: 15`:            "15s",
		`type: slack, endpoint: "https://x/", url: "https://x/"`: "the key is url",
		`type: pagerduty, routing_key: short`:                    "routing_key",
	} {
		_, err := configOf(t, "allow_exec: true\nchannels: {one: {"+config+"}}\n")
		require.ErrorContains(t, err, want, config)
	}
	_, err := configOf(t, "channels: {one: {type: exec, command: [/bin/true]}}\n")
	require.ErrorContains(t, err, "allow_exec")
	_, err = configOf(t, "chanels: {}\n")
	require.Error(t, err)
}

package notifyexporter

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rfc5424 is the form of an entry: priority, version, time, host, program, process, kind, data, text.
var rfc5424 = regexp.MustCompile(`^<(\d{1,3})>1 (\S+) (\S{1,255}) otelcol-psutil (\d+) alert \[alert@32473((?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")+)\] \x{feff}(.*)$`)

func checkSyslog(t *testing.T, line string, severity int) {
	t.Helper()
	parts := rfc5424.FindStringSubmatch(line)
	require.NotNil(t, parts, line)
	priority, err := strconv.Atoi(parts[1])
	require.NoError(t, err)
	assert.Equal(t, 3*8+severity, priority)
	_, err = time.Parse(time.RFC3339Nano, parts[2])
	require.NoError(t, err)
	assert.Contains(t, parts[5], `rule="disk_full"`)
	assert.Contains(t, parts[6], "disk_full on db1")
}

// Entries of RFC 5424, each with the severity of its alert, over each kind of connection.
func TestSyslog(t *testing.T) {
	t.Parallel()
	severities := []int{4, 2, 5} // Warning, critical, and the end is a notice.
	messages := messagesOf(t, false)

	socket := filepath.Join(t.TempDir(), "log")
	unix, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "unixgram", socket)
	require.NoError(t, err)
	defer func() { _ = unix.Close() }()
	udp, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = udp.Close() }()
	for config, conn := range map[string]net.PacketConn{
		"type: syslog, address: " + socket: unix, `type: syslog, network: udp, address: "` + udp.LocalAddr().String() + `"`: udp,
	} {
		s := openSender(t, config)
		for i, m := range messages {
			_, err := s.send(t.Context(), m)
			require.NoError(t, err)
			buffer := make([]byte, 64<<10)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
			n, _, err := conn.ReadFrom(buffer)
			require.NoError(t, err)
			checkSyslog(t, string(buffer[:n]), severities[i])
		}
	}

	tcp, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = tcp.Close() }()
	s := openSender(t, `type: syslog, network: tcp, address: "`+tcp.Addr().String()+`"`)
	_, err = s.send(t.Context(), messages[1])
	require.NoError(t, err)
	conn, err := tcp.Accept()
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	length, err := r.ReadString(' ') // Octet counting of RFC 6587.
	require.NoError(t, err)
	n, err := strconv.Atoi(strings.TrimSpace(length))
	require.NoError(t, err)
	line := make([]byte, n)
	_, err = r.Read(line)
	require.NoError(t, err)
	checkSyslog(t, string(line), 2)

	_, err = openSender(t, `type: syslog, address: /nowhere/log`).send(t.Context(), messages[0])
	require.Error(t, err)
}

// Entries of the journal's native protocol: a name of capital letters, and a value on the same line, or behind its length.
func TestJournald(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "journal")
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "unixgram", socket)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	s := openSender(t, "type: journald, socket: "+socket)
	for i, m := range messagesOf(t, false) {
		_, err = s.send(t.Context(), m)
		require.NoError(t, err)
		buffer := make([]byte, 64<<10)
		n, _, err := conn.ReadFrom(buffer)
		require.NoError(t, err)
		fields := map[string]string{}
		for rest := string(buffer[:n]); rest != ""; {
			line, after, ended := strings.Cut(rest, "\n")
			require.True(t, ended)
			name, value, plain := strings.Cut(line, "=")
			if !plain {
				size := binary.LittleEndian.Uint64([]byte(after))
				value, after = after[8:8+size], after[8+size:]
				require.Equal(t, "\n", after[:1])
				after = after[1:]
			}
			require.Regexp(t, `^[A-Z][A-Z0-9_]*$`, name)
			fields[name], rest = value, after
		}
		assert.Equal(t, []string{"4", "2", "5"}[i], fields["PRIORITY"])
		assert.Equal(t, "otelcol-psutil", fields["SYSLOG_IDENTIFIER"])
		assert.Equal(t, "disk_full", fields["ALERT_RULE_NAME"])
		assert.Contains(t, fields["MESSAGE"], "disk_full on db1: ")
		if i == 1 {
			assert.Contains(t, fields["MESSAGE"], "\nsecond line")
		}
	}
}

// A command gets the message as JSON, its arguments as they are, and nothing of the environment; one that fails or hangs is told as such.
func TestExec(t *testing.T) {
	t.Setenv("SMTP_PASSWORD", "mailP4ss")
	dir := t.TempDir()
	script := filepath.Join(dir, "tell")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\ncat >"+dir+"/input\nenv >"+dir+"/env\nprintf '%s|' \"$@\" >"+dir+"/args\necho told\n"), 0o700)) //nolint:gosec // It is run.
	s := openSender(t, fmt.Sprintf(`type: exec, command: [%s, "$(id)", "a b; c"]`, script))
	m := messagesOf(t, false)[0]
	answer, err := s.send(t.Context(), m)
	require.NoError(t, err)
	assert.Contains(t, answer, `ended well: "told"`)
	input, err := os.ReadFile(filepath.Join(dir, "input"))
	require.NoError(t, err)
	var p payload
	require.NoError(t, json.Unmarshal(input, &p))
	assert.Equal(t, m.Title, p.Title)
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	require.NoError(t, err)
	assert.Equal(t, "$(id)|a b; c|", string(args))
	env, err := os.ReadFile(filepath.Join(dir, "env"))
	require.NoError(t, err)
	assert.NotContains(t, string(env), "P4ss")

	_, err = openSender(t, `type: exec, command: [/bin/sh, -c, "echo broken; exit 3"]`).send(t.Context(), m)
	require.ErrorContains(t, err, "broken")
	began := time.Now()
	_, err = openSender(t, `type: exec, timeout: 300ms, command: [/bin/sh, -c, "sleep 60 & sleep 60"]`).send(t.Context(), m)
	require.ErrorContains(t, err, "was killed")
	assert.Less(t, time.Since(began), 30*time.Second)
}

package notifyexporter

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// The types of channels that need no service of others.
const (
	typeSyslog   = "syslog"
	typeJournald = "journald"
	typeExec     = "exec"
)

// instant is a time as text for programs.
func instant(at int64) string { return time.Unix(0, at).UTC().Format(time.RFC3339Nano) }

// syslogOptions are the keys of channels of type syslog: RFC 5424 over UDP, TCP, TLS or a socket of this host.
type syslogOptions struct {
	// Network is udp, tcp, tls, or unix for a datagram socket such as /dev/log.
	Network string `mapstructure:"network"`
	// Address is host and port, or the path of the socket.
	Address  string                 `mapstructure:"address"`
	Facility string                 `mapstructure:"facility"`
	TLS      configtls.ClientConfig `mapstructure:"tls"`
	Timeout  time.Duration          `mapstructure:"timeout"`
}

func newSyslogOptions() options {
	return &syslogOptions{Network: "unix", Address: "/dev/log", Facility: "daemon", Timeout: 10 * time.Second}
}

// facilities are the names of facilities, by number.
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

func (o *syslogOptions) Validate() error {
	var errs []error
	if !slices.Contains([]string{"udp", "tcp", "tls", "unix"}, o.Network) {
		errs = append(errs, fmt.Errorf("network: %q is not known (udp, tcp, tls, unix)", o.Network))
	}
	if o.Network == "unix" {
		if !filepath.IsAbs(o.Address) {
			errs = append(errs, fmt.Errorf("address: %q is no path of a socket such as /dev/log", o.Address))
		}
	} else if _, _, err := net.SplitHostPort(o.Address); err != nil {
		errs = append(errs, fmt.Errorf("address: %q has no host and port, as in logs.example.com:514", o.Address))
	}
	if !slices.Contains(facilities, o.Facility) {
		errs = append(errs, fmt.Errorf("facility: %q is not known (%s)", o.Facility, strings.Join(facilities, ", ")))
	}
	if o.Timeout <= 0 {
		errs = append(errs, errors.New("timeout must be positive"))
	}
	return errors.Join(errs...)
}

func (o *syslogOptions) open(at opening) (sender, error) {
	s := &syslogSender{options: o, facility: slices.Index(facilities, o.Facility), now: at.now}
	s.host, _ = os.Hostname()
	if o.Network == "tls" {
		config, err := o.TLS.LoadTLSConfig(at.ctx)
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		s.tls = config
	}
	return s, nil
}

type syslogSender struct {
	options  *syslogOptions
	facility int
	host     string
	tls      *tls.Config
	now      func() time.Time
}

func (*syslogSender) eachOnItsOwn() bool { return false }
func (*syslogSender) close()             {}

// syslogLevel is the severity of syslog, which the journal calls priority.
func syslogLevel(n *notice) int {
	switch {
	case n.Resolved:
		return 5
	case n.Number >= 18:
		return 2
	case n.Number >= 17:
		return 3
	case n.Number >= 13:
		return 4
	default:
		return 6
	}
}

// enterpriseID is the private enterprise number that RFC 5612 reserves for documentation: this project has none.
const enterpriseID = "32473"

// line is one alert in the form of RFC 5424.
func (s *syslogSender) line(it *item) string {
	n := it.last()
	param := func(name, value string) string {
		return " " + name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(oneLine(value)) + `"`
	}
	data := "[alert@" + enterpriseID + param("id", it.entry.ID) + param("episode", it.entry.Episode) + param("rule", it.entry.About.Rule) +
		param("severity", n.Severity) + param("transition", n.Transition) + param("state", n.State) + param("uid", n.UID) + "]"
	host := printableASCII(s.host, 255)
	return fmt.Sprintf("<%d>1 %s %s otelcol-psutil %d alert %s \ufeff%s", s.facility*8+syslogLevel(n),
		time.Unix(0, n.At).UTC().Format("2006-01-02T15:04:05.000000Z"), host, os.Getpid(), data, oneLine(headline(it)+": "+n.Text))
}

// printableASCII is a text as a field of a header of RFC 5424 may be.
func printableASCII(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), limit)]
}

func (s *syslogSender) send(ctx context.Context, m *message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	network := map[string]string{"unix": "unixgram"}[s.options.Network]
	if network == "" {
		network = s.options.Network
	}
	conn, err := s.dial(ctx, network)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	for i := range m.items {
		line := s.line(&m.items[i])
		if network == "tcp" || network == "tls" {
			line = fmt.Sprintf("%d %s", len(line), line) // Octet counting, RFC 6587.
		} else {
			line = alertschema.CutText(line, 8<<10)
		}
		if _, err := conn.Write([]byte(line)); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s was sent to %s, which does not answer", entriesText(len(m.items)), s.options.Address), nil
}

func entriesText(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func (s *syslogSender) dial(ctx context.Context, network string) (net.Conn, error) {
	if network == "tls" {
		return (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", s.options.Address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, s.options.Address)
}

// journaldOptions are the keys of channels of type journald.
type journaldOptions struct {
	// Socket is that of the journal's native protocol.
	Socket string `mapstructure:"socket"`
}

func newJournaldOptions() options { return &journaldOptions{Socket: "/run/systemd/journal/socket"} }

func (o *journaldOptions) Validate() error {
	if !filepath.IsAbs(o.Socket) {
		return fmt.Errorf("socket: %q is no path of a socket", o.Socket)
	}
	return nil
}

func (o *journaldOptions) open(opening) (sender, error) { return &journaldSender{o}, nil }

type journaldSender struct{ options *journaldOptions }

func (*journaldSender) eachOnItsOwn() bool { return false }
func (*journaldSender) close()             {}

// entry is one alert in the journal's native protocol.
func journalEntry(it *item) []byte {
	var b bytes.Buffer
	n := it.last()
	for _, f := range [][2]string{
		{"MESSAGE", headline(it) + ": " + n.Text},
		{"PRIORITY", fmt.Sprint(syslogLevel(n))},
		{"SYSLOG_IDENTIFIER", "otelcol-psutil"},
		{"ALERT_ID", it.entry.ID},
		{"ALERT_EPISODE_ID", it.entry.Episode},
		{"ALERT_RULE_NAME", it.entry.About.Rule},
		{"ALERT_SEVERITY", n.Severity},
		{"ALERT_STATE", n.State},
		{"ALERT_TRANSITION", n.Transition},
		{"ALERT_RECORD_UID", n.UID},
		{"ALERT_STARTED_AT", instant(it.entry.Started)},
		{"ALERT_HOST", it.entry.where()},
	} {
		if f[1] == "" {
			continue
		}
		if !strings.Contains(f[1], "\n") {
			b.WriteString(f[0] + "=" + f[1] + "\n")
			continue
		}
		b.WriteString(f[0] + "\n") // A value of several lines stands behind its length.
		_ = binary.Write(&b, binary.LittleEndian, uint64(len(f[1])))
		b.WriteString(f[1] + "\n")
	}
	return b.Bytes()
}

func (s *journaldSender) send(ctx context.Context, m *message) (string, error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "unixgram", s.options.Socket)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	for i := range m.items {
		if _, err := conn.Write(journalEntry(&m.items[i])); err != nil {
			return "", err
		}
	}
	return entriesText(len(m.items)) + " was written to the journal, which does not answer", nil
}

// execOptions are the keys of channels of type exec.
type execOptions struct {
	// Command is the program and its arguments. No shell reads them.
	Command []string `mapstructure:"command"`
	// Timeout ends the program.
	Timeout time.Duration `mapstructure:"timeout"`
}

func newExecOptions() options { return &execOptions{Timeout: 30 * time.Second} }

func (o *execOptions) Validate() error {
	var errs []error
	if len(o.Command) == 0 || !filepath.IsAbs(o.Command[0]) {
		errs = append(errs, errors.New("command: the first item is the absolute path of the program, the others are its arguments"))
	}
	if o.Timeout <= 0 || o.Timeout > sendTimeout {
		errs = append(errs, fmt.Errorf("timeout must be positive and at most %s", sendTimeout))
	}
	return errors.Join(errs...)
}

func (o *execOptions) open(opening) (sender, error) { return &execSender{o}, nil }

type execSender struct{ options *execOptions }

func (*execSender) eachOnItsOwn() bool { return false }
func (*execSender) close()             {}

// maxOutput bounds what is read of what a program writes.
const maxOutput = 4 << 10

// boundedBuffer takes the first bytes of what is written, and forgets the rest.
type boundedBuffer struct{ bytes.Buffer }

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if room := maxOutput - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (s *execSender) send(ctx context.Context, m *message) (string, error) {
	input, err := json.Marshal(m.payload())
	if err != nil {
		return "", consumererror.NewPermanent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.options.Command[0], s.options.Command[1:]...) //nolint:gosec // The configuration says what is run, and allow_exec that it may be.
	var output boundedBuffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &output, &output
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"} // Passwords of the Collector's configuration may stand in its environment.
	cmd.WaitDelay = time.Second
	killGroup(cmd)
	err = cmd.Run()
	said := cutTo(oneLine(output.String()), maxQuoted)
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return "", fmt.Errorf("%s did not end within %s and was killed", s.options.Command[0], s.options.Timeout)
	case err != nil:
		return "", fmt.Errorf("%s: %w: %q", s.options.Command[0], err, said)
	default:
		return fmt.Sprintf("%s ended well: %q", s.options.Command[0], said), nil
	}
}

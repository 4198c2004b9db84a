package notifyexporter

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	mail "github.com/wneessen/go-mail"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

const typeEmail = "email"

// emailOptions are the keys of channels of type email.
type emailOptions struct {
	// Server is the host and port of the SMTP server.
	Server string `mapstructure:"server"`
	// Security is starttls, tls for TLS from the first byte, or none. Absent: tls on port 465, else starttls.
	Security string `mapstructure:"security"`
	// From and To are addresses, with a name if wanted: Alerts <alerts@example.com>.
	From string   `mapstructure:"from"`
	To   []string `mapstructure:"to"`
	// Username and Password log in. Auth is the mechanism: auto, plain, login, cram-md5, scram-sha-256.
	Username string                 `mapstructure:"username"`
	Password configopaque.String    `mapstructure:"password"`
	Auth     string                 `mapstructure:"auth"`
	TLS      configtls.ClientConfig `mapstructure:"tls"`
	// Hello is the name that this side gives itself. Absent: that of the host.
	Hello   string        `mapstructure:"hello"`
	Timeout time.Duration `mapstructure:"timeout"`
}

func newEmailOptions() options { return &emailOptions{Timeout: 30 * time.Second} }

// mechanisms are the ways to log in. Those that show the password to everybody are not used without TLS.
var mechanisms = map[string]mail.SMTPAuthType{
	"": mail.SMTPAuthAutoDiscover, "auto": mail.SMTPAuthAutoDiscover, "plain": mail.SMTPAuthPlain, "login": mail.SMTPAuthLogin, "cram-md5": mail.SMTPAuthCramMD5,
	"scram-sha-256": mail.SMTPAuthSCRAMSHA256,
}

func (o *emailOptions) Validate() error {
	var errs []error
	host, port, err := net.SplitHostPort(o.Server)
	if n, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || host == "" || n == 0 {
		errs = append(errs, errors.New("server: expected host and port of the SMTP server, as in smtp.example.com:587"))
	}
	if _, err := netmail.ParseAddress(o.From); err != nil {
		errs = append(errs, fmt.Errorf("from: %q is no address such as Alerts <alerts@example.com>", o.From))
	}
	if len(o.To) == 0 {
		errs = append(errs, errors.New("to is required: the addresses of those who are told"))
	}
	for _, to := range o.To {
		if _, err := netmail.ParseAddress(to); err != nil {
			errs = append(errs, fmt.Errorf("to: %q is no address such as ops@example.com", to))
		}
	}
	if !slices.Contains([]string{"", "starttls", "tls", "none"}, o.Security) {
		errs = append(errs, fmt.Errorf("security: %q is not known (starttls, tls, none)", o.Security))
	}
	if _, ok := mechanisms[strings.ToLower(o.Auth)]; !ok {
		errs = append(errs, fmt.Errorf("auth: %q is not known (auto, plain, login, cram-md5, scram-sha-256)", o.Auth))
	}
	if o.Security == "none" && o.Username != "" && strings.ToLower(o.Auth) != "cram-md5" && strings.ToLower(o.Auth) != "scram-sha-256" {
		errs = append(errs, errors.New("security: none would send the password for everybody to read: use starttls or tls, or auth: scram-sha-256"))
	}
	if (o.Username == "") != (o.Password == "") {
		errs = append(errs, errors.New("username and password belong together"))
	}
	if o.Timeout <= 0 {
		errs = append(errs, errors.New("timeout must be positive"))
	}
	return errors.Join(errs...)
}

func (o *emailOptions) open(at opening) (sender, error) {
	host, port, err := net.SplitHostPort(o.Server)
	if err != nil {
		return nil, err
	}
	portNumber, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if loaded, err := o.TLS.LoadTLSConfig(at.ctx); err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	} else if loaded != nil {
		config = loaded
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	settings := []mail.Option{mail.WithPort(portNumber), mail.WithTimeout(o.Timeout), mail.WithTLSConfig(config)}
	switch {
	case o.tlsAtOnce():
		// deliver begins with TLS. A server does not offer STARTTLS then; the policy makes the library see that the connection is encrypted.
		settings = append(settings, mail.WithTLSPolicy(mail.TLSOpportunistic))
	case o.Security == "none":
		settings = append(settings, mail.WithTLSPolicy(mail.NoTLS))
	default:
		settings = append(settings, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if o.Username != "" {
		settings = append(settings, mail.WithSMTPAuth(mechanisms[strings.ToLower(o.Auth)]), mail.WithUsername(o.Username), mail.WithPassword(string(o.Password)))
	}
	if o.Hello != "" {
		settings = append(settings, mail.WithHELO(o.Hello))
	}
	if _, err := mail.NewClient(host, settings...); err != nil {
		return nil, err
	}
	from, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	return &emailSender{options: o, host: host, settings: settings, tls: config, domain: domain, now: at.now}, nil
}

type emailSender struct {
	options  *emailOptions
	host     string
	settings []mail.Option
	tls      *tls.Config
	domain   string
	now      func() time.Time
}

func (*emailSender) eachOnItsOwn() bool { return false }
func (*emailSender) close()             {}

// messageID is the Message-ID that stands for a thread. The first message of a thread has it.
func (s *emailSender) messageID(thread string) string { return thread + "@" + s.domain }

// mail makes the mail of a message.
func (s *emailSender) mail(m *message) (*mail.Msg, error) {
	out := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP))
	if err := out.From(s.options.From); err != nil {
		return nil, err
	}
	if err := out.To(s.options.To...); err != nil {
		return nil, err
	}
	out.Subject(oneLine(cutTo(m.Title, 200)))
	out.SetDateWithValue(s.now())
	out.SetMessageIDWithValue(s.messageID("m-" + m.ID))
	if len(m.Threads) > 0 {
		ids := make([]string, 0, len(m.Threads))
		for _, thread := range m.Threads[:min(len(m.Threads), 20)] {
			ids = append(ids, "<"+s.messageID(thread)+">")
		}
		out.SetGenHeader("In-Reply-To", ids[0])
		out.SetGenHeader("References", strings.Join(ids, " "))
	}
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Number >= 17 && m.Status == "firing" && !m.Acknowledged {
		out.SetImportance(mail.ImportanceHigh)
	}
	if m.Plain {
		out.SetBodyString(mail.TypeTextPlain, m.short(2000)+"\n")
		return out, nil
	}
	out.SetBodyString(mail.TypeTextPlain, m.plain())
	pictures, err := m.pictures()
	if err != nil {
		return nil, err
	}
	out.AddAlternativeString(mail.TypeTextHTML, m.htmlPart(pictures))
	for i, picture := range pictures {
		if picture == nil {
			continue
		}
		name := pictureName(i)
		if err := out.EmbedReader(name, bytes.NewReader(picture), mail.WithFileContentID("<"+name+">"), mail.WithFileContentType("image/png")); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// deliver makes a connection, sends a mail on it, and closes it. The library leaves it open where the server refuses the password.
func (s *emailSender) deliver(ctx context.Context, out *mail.Msg) error {
	var opened net.Conn
	dial := func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		if s.options.tlsAtOnce() {
			conn, err = (&tls.Dialer{Config: s.tls}).DialContext(ctx, network, address)
		} else {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		}
		if err == nil {
			opened = conn
		}
		return conn, err
	}
	client, err := mail.NewClient(s.host, append(slices.Clone(s.settings), mail.WithDialContextFunc(dial))...)
	if err != nil {
		return err
	}
	defer func() {
		if opened != nil {
			_ = opened.Close()
		}
	}()
	return client.DialAndSendWithContext(ctx, out)
}

// tlsAtOnce tells whether the connection begins with TLS.
func (o *emailOptions) tlsAtOnce() bool {
	_, port, _ := net.SplitHostPort(o.Server)
	return o.Security == "tls" || o.Security == "" && port == "465"
}

// remedied says what is to be done about errors of mail servers whose text does not say it. The library calls all that comes before a mail a dial.
func remedied(text string) string {
	text = strings.TrimPrefix(text, "dial failed: ")
	switch {
	case strings.Contains(text, "does not support STARTTLS"):
		return "the server does not offer STARTTLS: set security to tls if it begins with TLS, or to none if it has none"
	case strings.Contains(text, "unknown authority"):
		return text + ": tls::ca_file is for the certificate of its authority"
	}
	return text
}

func (s *emailSender) send(ctx context.Context, m *message) (string, error) {
	out, err := s.mail(m)
	if err != nil {
		return "", consumererror.NewPermanent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	if err := s.deliver(ctx, out); err != nil {
		text := oneLine(cutTo(s.hide(remedied(err.Error())), 500))
		wrapped := &hiddenError{s.options.Server + ": " + text, err}
		var refused *mail.SendError
		if errors.As(err, &refused) && (refused.ErrorCode() == 552 || refused.ErrorCode() == 554) && !refused.IsTemp() {
			return "", consumererror.NewPermanent(wrapped)
		}
		return "", wrapped
	}
	return s.options.Server + " answered: " + oneLine(cutTo(s.hide(out.ServerResponse()), 500)), nil
}

// hide takes the password out of what a server answered, also as the mechanisms send it.
func (s *emailSender) hide(text string) string {
	user, password := s.options.Username, string(s.options.Password)
	if password == "" {
		return text
	}
	sent := []string{password}
	for _, form := range []string{password, "\x00" + user + "\x00" + password, user + "\x00" + user + "\x00" + password} {
		sent = append(sent, base64.StdEncoding.EncodeToString([]byte(form)))
	}
	return hideSecrets(text, sent...)
}

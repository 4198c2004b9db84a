package notifyexporter

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
	"github.com/otelcol-psutil/otelcol-psutil/internal/webclient"
)

// sender sends messages to one server.
type sender interface {
	// send sends a message, and returns what the server answered. An error that is permanent tells that the same message would be refused again.
	send(ctx context.Context, m *message) (answer string, err error)
	// eachOnItsOwn tells that each alert has a message of its own, unless there is a storm: the server has a state for each.
	eachOnItsOwn() bool
	close()
}

// opening is what a channel gets when it is opened.
type opening struct {
	ctx     context.Context //nolint:containedctx // It is that of Start, and is not kept.
	host    component.Host
	set     component.TelemetrySettings
	now     func() time.Time
	channel string
}

// httpOptions are the keys of channels that send HTTP requests.
type httpOptions struct {
	Client confighttp.ClientConfig `mapstructure:",squash"`
}

func newHTTPOptions() httpOptions {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 15 * time.Second
	return httpOptions{Client: client}
}

func (o *httpOptions) valid() error {
	if o.Client.Endpoint != "" {
		return fmt.Errorf("endpoint: the key is url for this type of channel")
	}
	if o.Client.Timeout <= 0 {
		return fmt.Errorf("timeout must be positive")
	}
	return nil
}

// poster sends HTTP requests.
type poster struct {
	http    *http.Client
	now     func() time.Time
	secrets []string // What must not stand in errors, besides what a request has in its URL and headers.
}

// longestDelay is for how long a server may ask not to be asked again.
const longestDelay = 10 * time.Minute

func (o *httpOptions) poster(at opening, secrets ...string) (*poster, error) {
	client, err := o.Client.ToClient(at.ctx, at.host.GetExtensions(), at.set)
	if err != nil {
		return nil, webclient.RedactError(err)
	}
	client.CheckRedirect = webclient.SameServer
	return &poster{http: client, now: at.now, secrets: partsOf(secrets)}, nil
}

// leastPart is how long a part of a secret is to be one itself: paths of webhooks have short words, too.
const leastPart = 8

// partsOf adds to secrets what of each may be quoted alone: the steps of the path of a URL, the values of its query, the halves of a token.
func partsOf(secrets []string) []string {
	out := slices.Clone(secrets)
	for _, s := range secrets {
		parts := strings.Split(s, ":")
		if u, err := url.Parse(s); err == nil && u.Host != "" {
			parts = strings.Split(u.Path, "/")
			for _, values := range u.Query() {
				parts = append(parts, values...)
			}
		}
		for _, part := range parts {
			if len(part) >= leastPart {
				out = append(out, part)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return out
}

func (p *poster) close() { p.http.CloseIdleConnections() }

// call is one request.
type call struct {
	method, url string
	header      map[string]string
	body        []byte
}

// postJSON posts a value.
func (p *poster) postJSON(ctx context.Context, to string, header map[string]string, value any) (string, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", consumererror.NewPermanent(err)
	}
	all := map[string]string{"Content-Type": "application/json; charset=utf-8"}
	maps.Copy(all, header)
	answer, _, err := p.do(ctx, call{http.MethodPost, to, all, body.Bytes()})
	return answer, err
}

const (
	maxAnswer = 64 << 10 // Read of an answer.
	maxQuoted = 300      // Of it in an error.
)

// do makes a request, and returns what the server answered, in words and as it is.
func (p *poster) do(ctx context.Context, c call) (answer string, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, c.method, c.url, bytes.NewReader(c.body))
	if err != nil {
		return "", nil, consumererror.NewPermanent(fmt.Errorf("making the request: %w", p.hideError(err, nil)))
	}
	for key, v := range c.header {
		req.Header.Set(key, v)
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return "", nil, p.unanswered(err, req)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	quoted := alertschema.CutText(strings.TrimSpace(p.hide(webclient.HideSent(string(body), c.url, resp.Request), req)), maxQuoted)
	answer = fmt.Sprintf("%s answered %d %s", req.URL.Host, resp.StatusCode, http.StatusText(resp.StatusCode))
	if quoted != "" {
		answer += fmt.Sprintf(": %q", quoted)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return answer, body, nil
	}
	return answer, body, p.refusal(resp, answer)
}

// refusal makes an error of an answer that is not a success. Only an answer that is about the message itself is permanent: a wrong password is mended
// by somebody, and what was to be told is told then.
func (p *poster) refusal(resp *http.Response, answer string) error {
	err := fmt.Errorf("%s", answer)
	switch code := resp.StatusCode; code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if delay, ok := webclient.RetryAfter(resp.Header.Get("Retry-After"), p.now(), longestDelay); ok {
			return &waitError{err, delay}
		}
		return err
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return consumererror.NewPermanent(err)
	default:
		return err
	}
}

// hiddenError is an error whose text has no secrets.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }
func (e *hiddenError) Unwrap() error { return e.err }

func (p *poster) hideError(err error, req *http.Request) error {
	err = webclient.RedactError(err)
	return &hiddenError{p.hide(err.Error(), req), err}
}

// unanswered is the error of a request to which there is no answer. It names the server: the rest of the address is the secret of many webhooks.
func (p *poster) unanswered(err error, req *http.Request) error {
	cause := err
	if of, ok := errors.AsType[*url.Error](err); ok && of.Err != nil {
		cause = of.Err
	}
	return &hiddenError{fmt.Sprintf("%s to %s: %s", req.Method, req.URL.Host, p.hide(webclient.RedactError(cause).Error(), req)), err}
}

// hide takes the secrets of the channel out of a text: those that it was made with, and the path of the URL, which is the secret of many webhooks.
func (p *poster) hide(text string, req *http.Request) string {
	secrets := slices.Clone(p.secrets)
	if req != nil && req.URL != nil {
		secrets = append(secrets, req.URL.RequestURI(), req.URL.Path)
	}
	return hideSecrets(text, secrets...)
}

// hideSecrets takes texts out of a text, also as they stand in URLs.
func hideSecrets(text string, secrets ...string) string {
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // The longest first, for one may be a part of another.
	for _, s := range secrets {
		if len(s) < 4 {
			continue
		}
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			text = strings.ReplaceAll(text, form, "xxxxx")
		}
	}
	return text
}

// validURL finds what is wrong with the URL of a server, the key url, and does not quote it.
func validURL(text, example string) error {
	u, err := url.Parse(text)
	if text == "" {
		return fmt.Errorf("url is required, such as %s", example)
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("url: it is no URL such as %s", example)
	}
	return nil
}

package notifyexporter

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
)

// The types of channels that push to telephones.
const (
	typeNtfy     = "ntfy"
	typeGotify   = "gotify"
	typePushover = "pushover"
)

// ntfyOptions are the keys of channels of type ntfy.
type ntfyOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is that of the server, without the topic.
	URL string `mapstructure:"url"`
	// Topic is a secret where the server has no users.
	Topic    configopaque.String `mapstructure:"topic"`
	Token    configopaque.String `mapstructure:"token"`
	Username string              `mapstructure:"username"`
	Password configopaque.String `mapstructure:"password"`
}

func newNtfyOptions() options {
	return &ntfyOptions{httpOptions: newHTTPOptions(), URL: "https://ntfy.sh"}
}

func (o *ntfyOptions) Validate() error {
	errs := []error{o.valid(), validURL(o.URL, "https://ntfy.sh")}
	if o.Topic == "" || strings.ContainsAny(string(o.Topic), "/ ") {
		errs = append(errs, errors.New("topic is required, and is no path: url is that of the server alone"))
	}
	if o.Token != "" && o.Username != "" {
		errs = append(errs, errors.New("token and username exclude each other"))
	}
	return errors.Join(errs...)
}

func (o *ntfyOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.Topic), string(o.Token), string(o.Password))
	return &ntfySender{ofGroup{p}, o}, err
}

type ntfySender struct {
	ofGroup
	options *ntfyOptions
}

type ntfyMessage struct {
	Topic    string       `json:"topic"`
	Title    string       `json:"title"`
	Message  string       `json:"message"`
	Tags     []string     `json:"tags,omitempty"`
	Priority int          `json:"priority"`
	Click    string       `json:"click,omitempty"`
	Actions  []ntfyAction `json:"actions,omitempty"`
}

type ntfyAction struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
}

func (s *ntfySender) send(ctx context.Context, m *message) (string, error) {
	out := ntfyMessage{Topic: string(s.options.Topic), Title: oneLine(cutTo(m.Title, 200)), Message: bytesOf(m.plain(), 4000), Priority: m.urgency(3, 4, 5)}
	if m.Plain {
		out.Title, out.Message = bytesOf(out.Title, 100), bytesOf(m.short(800), 2000)
	}
	switch {
	case m.Status == "resolved":
		out.Tags = []string{"white_check_mark"}
	case m.Acknowledged:
		out.Tags = []string{"eyes"}
	case m.Number >= 17:
		out.Tags = []string{"rotating_light"}
	default:
		out.Tags = []string{"warning"}
	}
	for _, l := range m.links() {
		if m.Plain || len(l.URL) > 1000 {
			continue
		}
		if out.Click == "" {
			out.Click = l.URL
		}
		if len(out.Actions) < 3 {
			out.Actions = append(out.Actions, ntfyAction{"view", l.Name, l.URL})
		}
	}
	header := map[string]string{}
	switch {
	case s.options.Token != "":
		header["Authorization"] = "Bearer " + string(s.options.Token)
	case s.options.Username != "":
		header["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(s.options.Username+":"+string(s.options.Password)))
	}
	return s.postJSON(ctx, strings.TrimSuffix(s.options.URL, "/")+"/", header, out)
}

// urgency is one of three priorities: of what is over or only information, of a warning, of an error and worse.
func (m *message) urgency(low, middle, high int) int {
	switch {
	case m.Status == "resolved" || m.Acknowledged || m.Number < 13:
		return low
	case m.Number < 17:
		return middle
	default:
		return high
	}
}

// links are those of the first alert that has any; the page first.
func (m *message) links() []link {
	for i := range m.Alerts {
		if len(m.Alerts[i].Links) > 0 {
			return m.Alerts[i].Links
		}
	}
	return nil
}

// gotifyOptions are the keys of channels of type gotify.
type gotifyOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is that of the server.
	URL string `mapstructure:"url"`
	// Token is that of an application.
	Token configopaque.String `mapstructure:"token"`
}

func newGotifyOptions() options { return &gotifyOptions{httpOptions: newHTTPOptions()} }

func (o *gotifyOptions) Validate() error {
	errs := []error{o.valid(), validURL(o.URL, "https://gotify.example.org")}
	if o.Token == "" {
		errs = append(errs, errors.New("token is required: that of an application"))
	}
	return errors.Join(errs...)
}

func (o *gotifyOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.Token))
	return &gotifySender{ofGroup{p}, o}, err
}

type gotifySender struct {
	ofGroup
	options *gotifyOptions
}

func (s *gotifySender) send(ctx context.Context, m *message) (string, error) {
	body := map[string]any{"title": oneLine(cutTo(m.Title, 200)), "message": bytesOf(m.plain(), 60_000), "priority": m.urgency(2, 5, 8)}
	if m.Plain {
		body["message"] = m.short(1000)
	} else if links := m.links(); len(links) > 0 {
		body["extras"] = map[string]any{"client::notification": map[string]any{"click": map[string]any{"url": links[0].URL}}}
	}
	return s.postJSON(ctx, strings.TrimSuffix(s.options.URL, "/")+"/message", map[string]string{"X-Gotify-Key": string(s.options.Token)}, body)
}

// pushoverOptions are the keys of channels of type pushover.
type pushoverOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is that of the API.
	URL string `mapstructure:"url"`
	// Token is that of the application, User that of the user or group.
	Token configopaque.String `mapstructure:"token"`
	User  configopaque.String `mapstructure:"user"`
	// Emergency lets errors and worse ring until somebody acknowledges them in the app.
	Emergency bool `mapstructure:"emergency"`
}

func newPushoverOptions() options {
	return &pushoverOptions{httpOptions: newHTTPOptions(), URL: "https://api.pushover.net/1/messages.json"}
}

func (o *pushoverOptions) Validate() error {
	errs := []error{o.valid(), validURL(o.URL, "https://api.pushover.net/1/messages.json")}
	if o.Token == "" || o.User == "" {
		errs = append(errs, errors.New("token and user are required: the keys of the application and of the user or group"))
	}
	return errors.Join(errs...)
}

func (o *pushoverOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.Token), string(o.User))
	return &pushoverSender{ofGroup{p}, o}, err
}

type pushoverSender struct {
	ofGroup
	options *pushoverOptions
}

func (s *pushoverSender) send(ctx context.Context, m *message) (string, error) {
	body := map[string]any{
		"token": string(s.options.Token), "user": string(s.options.User), "title": oneLine(cutTo(m.Title, 250)), "message": cutTo(m.plain(), 1024),
		"priority": m.urgency(0, 0, 1),
	}
	if s.options.Emergency && m.urgency(0, 0, 1) == 1 {
		body["priority"], body["retry"], body["expire"] = 2, 60, 3600
	}
	if m.Plain {
		body["message"] = m.short(500)
	}
	for _, l := range m.links() {
		if !m.Plain && len(l.URL) <= 512 {
			body["url"], body["url_title"] = l.URL, cutTo(l.Name, 100)
			break
		}
	}
	return s.postJSON(ctx, s.options.URL, nil, body)
}

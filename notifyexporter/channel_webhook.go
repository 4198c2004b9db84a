package notifyexporter

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"text/template"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/otelcol-psutil/otelcol-psutil/internal/templatesteps"
)

const typeWebhook = "webhook"

// webhookOptions are the keys of channels of type webhook.
type webhookOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is where messages go. It may be a secret.
	URL configopaque.String `mapstructure:"url"`
	// Method is POST, PUT or PATCH.
	Method string `mapstructure:"method"`
	// Body is a template of the body, in the language of Go's text/template, over the fields of the JSON that is sent without it.
	Body        string `mapstructure:"body"`
	ContentType string `mapstructure:"content_type"`
	// Secret signs the body: SignatureHeader has sha256= and the HMAC in hexadecimal digits.
	Secret          configopaque.String `mapstructure:"secret"`
	SignatureHeader string              `mapstructure:"signature_header"`
}

func newWebhookOptions() options {
	return &webhookOptions{httpOptions: newHTTPOptions(), Method: http.MethodPost, ContentType: "application/json", SignatureHeader: "X-Signature-256"}
}

func (o *webhookOptions) Validate() error {
	errs := []error{o.valid(), validURL(string(o.URL), "https://hooks.example.com/alerts")}
	if !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, o.Method) {
		errs = append(errs, fmt.Errorf("method: %q is not possible (POST, PUT, PATCH)", o.Method))
	}
	if _, err := bodyTemplate(o.Body); err != nil {
		errs = append(errs, fmt.Errorf("body: %w", err))
	}
	return errors.Join(errs...)
}

// bodyText is a template of a body.
type bodyText struct {
	template *template.Template
	budget   templatesteps.Budget
}

// maxBodySteps bounds what one rendering does. A storm of ten thousand alerts takes some hundred of them for each.
const maxBodySteps = 5_000_000

// render fills a buffer, within bounds of time and length.
func (t *bodyText) render(out *limitedBuffer, p *payload) error {
	err := t.budget.Within(maxBodySteps, func() error { return t.template.Execute(out, p) })
	if errors.Is(err, templatesteps.ErrTooMany) {
		return fmt.Errorf("the template takes more than %d steps: no loop may go round so often", maxBodySteps)
	}
	return err
}

// bodyTemplate compiles a template of a body, and tries it. It is nil where there is none.
func bodyTemplate(text string) (*bodyText, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // There is none.
	}
	t := &bodyText{}
	var err error
	t.template, err = template.New("body").Option("missingkey=error").Funcs(template.FuncMap{templatesteps.Name: t.budget.Step, "json": func(v any) (string, error) {
		out, err := json.Marshal(v)
		return string(out), err
	}}).Parse(text)
	if err == nil {
		err = templatesteps.Count(t.template)
	}
	if err != nil {
		return nil, err
	}
	example := payload{Alerts: []payloadAlert{{Value: new(float64), Threshold: new(float64)}}}
	return t, t.render(&limitedBuffer{}, &example)
}

func (o *webhookOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.URL), string(o.Secret))
	if err != nil {
		return nil, err
	}
	t, err := bodyTemplate(o.Body)
	return &webhookSender{ofGroup{p}, o, t}, err
}

type webhookSender struct {
	ofGroup
	options  *webhookOptions
	template *bodyText
}

func (s *webhookSender) send(ctx context.Context, m *message) (string, error) {
	body, err := s.body(m)
	if err != nil {
		return "", consumererror.NewPermanent(err)
	}
	header := map[string]string{"Content-Type": s.options.ContentType, "Idempotency-Key": m.ID}
	if s.options.Secret != "" {
		mac := hmac.New(sha256.New, []byte(s.options.Secret))
		mac.Write(body)
		header[s.options.SignatureHeader] = "sha256=" + hex.EncodeToString(mac.Sum(nil))
	}
	answer, _, err := s.do(ctx, call{s.options.Method, string(s.options.URL), header, body})
	return answer, err
}

func (s *webhookSender) body(m *message) ([]byte, error) {
	p := m.payload()
	if m.Plain {
		p.shorten(m)
	}
	if s.template == nil {
		return json.Marshal(p)
	}
	var out limitedBuffer
	err := s.template.render(&out, p)
	if err != nil && m.Plain {
		return json.Marshal(p)
	}
	return out.Bytes(), err
}

// maxBody bounds what a template makes, in bytes: one with a loop in a loop makes of a storm what no memory holds.
const maxBody = 16 << 20

// limitedBuffer refuses what is more than maxBody.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxBody {
		return 0, fmt.Errorf("body: the template makes more than %d MB", maxBody>>20)
	}
	return b.Buffer.Write(p)
}

// payload is a message as webhooks and commands get it. Fields are added and never change their meaning.
type payload struct {
	Version  int            `json:"version"`
	ID       string         `json:"id"`
	Status   string         `json:"status"`
	Severity string         `json:"severity"`
	Title    string         `json:"title"`
	Text     string         `json:"text"`
	Storm    bool           `json:"storm"`
	Test     bool           `json:"test"`
	Alerts   []payloadAlert `json:"alerts"`
}

// payloadAlert is one alert of a payload.
type payloadAlert struct {
	ID          string              `json:"id"`
	EpisodeID   string              `json:"episode_id"`
	Thread      string              `json:"thread"`
	Status      string              `json:"status"`
	State       string              `json:"state"`
	Severity    string              `json:"severity"`
	Rule        string              `json:"rule"`
	Host        string              `json:"host"`
	Headline    string              `json:"headline"`
	Text        string              `json:"text"`
	StartedAt   string              `json:"started_at"`
	EndedAt     string              `json:"ended_at,omitempty"`
	Metric      string              `json:"metric,omitempty"`
	Unit        string              `json:"unit,omitempty"`
	Value       *float64            `json:"value,omitempty"`
	Threshold   *float64            `json:"threshold,omitempty"`
	Comparison  string              `json:"comparison,omitempty"`
	Why         string              `json:"why,omitempty"`
	Transitions []payloadTransition `json:"transitions"`
	Resource    map[string]string   `json:"resource"`
	Attributes  map[string]string   `json:"attributes"`
	Labels      map[string]string   `json:"labels"`
	Annotations map[string]string   `json:"annotations"`
	Links       map[string]string   `json:"links,omitempty"`
}

// payloadTransition is one thing that happened to an alert since the last message about it.
type payloadTransition struct {
	UID        string `json:"uid"`
	Transition string `json:"transition"`
	Severity   string `json:"severity"`
	Time       string `json:"time"`
}

// shorten leaves of a payload what the short form of its message has.
func (p *payload) shorten(m *message) {
	p.Text = m.short(1000)
	p.Alerts = p.Alerts[:min(len(p.Alerts), maxShortAlerts)]
	for i := range p.Alerts {
		a := &p.Alerts[i]
		a.Text, a.Annotations, a.Links = cutTo(a.Text, 200), map[string]string{}, nil
	}
}

// object is what JSON has as an object, {} when there is nothing in it: null is another type to who reads it.
func object(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// payload makes it. All alerts of the message are in it, however many.
func (m *message) payload() *payload {
	p := &payload{Version: 1, ID: m.ID, Status: m.Status, Severity: m.Severity, Title: m.Title, Text: m.plain(), Storm: m.Storm, Test: m.Test}
	for i := range m.items {
		it := &m.items[i]
		e, n := &it.entry, it.last()
		a := payloadAlert{
			ID: e.ID, EpisodeID: e.Episode, Thread: m.threadOf(it), Status: "firing", State: n.State, Severity: n.Severity, Rule: e.About.Rule, Host: e.where(),
			Headline: headline(it), Text: n.Text, StartedAt: instant(e.Started), Metric: e.About.Metric, Unit: e.About.Unit, Value: n.Value, Threshold: n.Threshold,
			Comparison: n.Comparison, Why: it.why, Resource: object(e.About.Resource), Attributes: object(e.About.Group), Labels: object(e.About.Labels), Annotations: object(e.About.Annotations),
			Transitions: make([]payloadTransition, 0, len(it.notices)),
		}
		if n.Resolved {
			a.Status, a.EndedAt = "resolved", instant(e.Ended)
		}
		for _, t := range it.notices {
			a.Transitions = append(a.Transitions, payloadTransition{t.UID, t.Transition, t.Severity, instant(t.At)})
		}
		if i < len(m.Alerts) && len(m.Alerts[i].Links) > 0 {
			a.Links = map[string]string{}
			for _, l := range m.Alerts[i].Links {
				a.Links[l.Name] = l.URL
			}
		}
		p.Alerts = append(p.Alerts, a)
	}
	return p
}

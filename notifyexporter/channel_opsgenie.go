package notifyexporter

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
)

// opsgenieOptions are the keys of channels of type opsgenie, or of its successor, Jira Service Management.
type opsgenieOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is that of the Alert API; that of Jira Service Management is https://api.atlassian.com/jsm/ops/integration/v2/alerts.
	URL string `mapstructure:"url"`
	// APIKey is that of an API integration.
	APIKey configopaque.String `mapstructure:"api_key"`
	// Responders are names of teams.
	Teams []string `mapstructure:"teams"`
	Tags  []string `mapstructure:"tags"`
}

func newOpsgenieOptions() options {
	return &opsgenieOptions{httpOptions: newHTTPOptions(), URL: "https://api.opsgenie.com/v2/alerts"}
}

func (o *opsgenieOptions) Validate() error {
	errs := []error{o.valid(), validURL(o.URL, "https://api.opsgenie.com/v2/alerts")}
	if o.APIKey == "" {
		errs = append(errs, errors.New("api_key is required: that of an API integration"))
	}
	return errors.Join(errs...)
}

func (o *opsgenieOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.APIKey))
	return &opsgenieSender{ofAlert{p, &progress{}}, o}, err
}

type opsgenieSender struct {
	ofAlert
	options *opsgenieOptions
}

type opsgenieAlert struct {
	Message     string            `json:"message"`
	Alias       string            `json:"alias"`
	Description string            `json:"description,omitempty"`
	Responders  []opsgenieTeam    `json:"responders,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Details     map[string]string `json:"details,omitempty"`
	Entity      string            `json:"entity,omitempty"`
	Source      string            `json:"source,omitempty"`
	Priority    string            `json:"priority"`
}

type opsgenieTeam struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

func opsgeniePriority(number int32) string {
	return map[string]string{"critical": "P1", "error": "P2", "warning": "P3", "info": "P4"}[pagerDutySeverity(number)]
}

func (s *opsgenieSender) send(ctx context.Context, m *message) (answer string, err error) {
	header := map[string]string{"Authorization": "GenieKey " + string(s.options.APIKey)}
	base := strings.TrimSuffix(s.options.URL, "/")
	s.progress.begin()
	for _, c := range m.conversations() {
		alias := cutTo(c.thread, 512)
		if c.fires {
			err := s.progress.do("create "+c.key(), func() (err error) {
				answer, err = s.postJSON(ctx, base, header, s.alert(m, c, alias))
				return err
			})
			if err != nil {
				return answer, err
			}
		}
		action := ""
		switch {
		case c.over && m.Open[c.thread] == 0:
			action = "close"
		case c.acknowledged:
			action = "acknowledge"
		default:
			continue
		}
		to := base + "/" + url.PathEscape(alias) + "/" + action + "?identifierType=alias"
		err := s.progress.do(action+" "+c.key(), func() (err error) {
			var status int
			answer, status, err = s.act(ctx, to, header, c.note)
			if status == http.StatusNotFound { // What is not there need not be closed.
				return nil
			}
			return err
		})
		if err != nil {
			return answer, err
		}
	}
	return answer, s.progress.end(m)
}

// act does something with an alert that is there.
func (s *opsgenieSender) act(ctx context.Context, to string, header map[string]string, note string) (string, int, error) {
	body := map[string]string{"source": "otelcol-psutil"}
	if note != "" {
		body["note"] = cutTo(note, 25_000)
	}
	answer, err := s.postJSON(ctx, to, header, body)
	if err != nil && strings.Contains(answer, " answered 404 ") {
		return answer, http.StatusNotFound, err
	}
	return answer, 0, err
}

func (s *opsgenieSender) alert(m *message, c *conversation, alias string) opsgenieAlert {
	a := opsgenieAlert{
		Message: cutTo(oneLine(c.title), 130), Alias: alias, Description: cutTo(m.plain(), 15000), Tags: s.options.Tags, Entity: sourceOf(c),
		Source: "otelcol-psutil", Priority: opsgeniePriority(c.number), Details: bounded(c.worst().item.entry.About.Labels, 7000),
	}
	if m.Plain {
		a.Description, a.Details = m.short(1000), nil
	}
	for _, team := range s.options.Teams {
		a.Responders = append(a.Responders, opsgenieTeam{team, "team"})
	}
	return a
}

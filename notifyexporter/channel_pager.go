package notifyexporter

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
)

// The types of channels that call somebody who is on duty.
const (
	typePagerDuty = "pagerduty"
	typeOpsgenie  = "opsgenie"
)

// ofAlert is what senders have that tell each alert on its own.
type ofAlert struct{ *poster }

func (ofAlert) eachOnItsOwn() bool { return true }

// pagerDutyOptions are the keys of channels of type pagerduty.
type pagerDutyOptions struct {
	httpOptions `mapstructure:",squash"`
	// URL is that of the Events API v2; accounts in the EU have another one.
	URL string `mapstructure:"url"`
	// RoutingKey is the integration key of the service, or of a ruleset.
	RoutingKey configopaque.String `mapstructure:"routing_key"`
}

func newPagerDutyOptions() options {
	return &pagerDutyOptions{httpOptions: newHTTPOptions(), URL: "https://events.pagerduty.com/v2/enqueue"}
}

func (o *pagerDutyOptions) Validate() error {
	errs := []error{o.valid(), validURL("url", o.URL, "https://events.pagerduty.com/v2/enqueue")}
	if len(o.RoutingKey) != 32 {
		errs = append(errs, errors.New("routing_key is required: the integration key of the service, 32 characters"))
	}
	return errors.Join(errs...)
}

func (o *pagerDutyOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.RoutingKey))
	return &pagerDutySender{ofAlert{p}, o}, err
}

type pagerDutySender struct {
	ofAlert
	options *pagerDutyOptions
}

type pagerDutyEvent struct {
	RoutingKey  string            `json:"routing_key"`
	EventAction string            `json:"event_action"`
	DedupKey    string            `json:"dedup_key"`
	Payload     *pagerDutyPayload `json:"payload,omitempty"`
	Links       []pagerDutyLink   `json:"links,omitempty"`
	Client      string            `json:"client,omitempty"`
}

type pagerDutyPayload struct {
	Summary       string         `json:"summary"`
	Source        string         `json:"source"`
	Severity      string         `json:"severity"`
	Timestamp     string         `json:"timestamp,omitempty"`
	Component     string         `json:"component,omitempty"`
	Group         string         `json:"group,omitempty"`
	Class         string         `json:"class,omitempty"`
	CustomDetails map[string]any `json:"custom_details,omitempty"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// levels are the severities of PagerDuty by the number of OTLP.
func pagerDutySeverity(number int32) string {
	switch {
	case number >= 18:
		return "critical"
	case number >= 17:
		return "error"
	case number >= 13:
		return "warning"
	default:
		return "info"
	}
}

// events are those of a message: the same key as before updates what is there, and keeps that somebody has acknowledged it.
func (s *pagerDutySender) events(m *message) []pagerDutyEvent {
	var out []pagerDutyEvent
	for _, c := range m.conversations() {
		event := pagerDutyEvent{RoutingKey: string(s.options.RoutingKey), DedupKey: cutTo(c.thread, 255)}
		if c.fires {
			worst := c.worst()
			trigger := event
			trigger.EventAction, trigger.Client = "trigger", "otelcol-psutil"
			trigger.Payload = &pagerDutyPayload{
				Summary: cutTo(oneLine(c.title+detail(c)), 1024), Source: sourceOf(c), Severity: pagerDutySeverity(c.number),
				Timestamp: worst.StartedAt.Format(time.RFC3339Nano), Component: worst.item.entry.About.Metric, Class: worst.item.entry.About.Rule,
				CustomDetails: detailsOf(m, c),
			}
			for _, l := range worst.Links {
				trigger.Links = append(trigger.Links, pagerDutyLink{l.URL, l.Name})
			}
			out = append(out, trigger)
		}
		switch {
		case c.over && m.Open[c.thread] == 0:
			event.EventAction = "resolve"
			out = append(out, event)
		case c.acknowledged:
			event.EventAction = "acknowledge"
			out = append(out, event)
		}
	}
	return out
}

func (s *pagerDutySender) send(ctx context.Context, m *message) (answer string, err error) {
	for _, event := range s.events(m) {
		if answer, err = s.postJSON(ctx, s.options.URL, nil, event); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

// conversation is what a message says under one key of a pager.
type conversation struct {
	thread, title string
	number        int32 // The worst severity.
	stories       []*story
	fires         bool   // Something in it is to be told as firing.
	note          string // Who acknowledged it, and what they said.
	over          bool   // All in it is over.
	acknowledged  bool
}

// conversations sorts the alerts of a message by their thread. What has begun and ended since the last message is told as both.
func (m *message) conversations() []*conversation {
	var out []*conversation
	by := map[string]*conversation{}
	for i := range m.items {
		it := &m.items[i]
		thread := m.threadOf(it)
		c := by[thread]
		if c == nil {
			c = &conversation{thread: thread, over: true}
			by[thread] = c
			out = append(out, c)
		}
		s := &story{Headline: headline(it), StartedAt: time.Unix(0, it.entry.Started).UTC(), Resolved: it.last().Resolved, item: it}
		if i < len(m.Alerts) {
			s = &m.Alerts[i]
		}
		c.stories = append(c.stories, s)
		if !it.last().Resolved {
			c.over = false
		}
		if (!it.last().Resolved || it.told == nil) && !it.onlyAcknowledges() {
			c.fires = true
		}
		for i := range it.notices {
			if it.notices[i].Transition == acknowledged {
				c.note = looksAfter(&it.notices[i])
			}
		}
		for _, n := range it.notices {
			c.number = max(c.number, n.Number)
		}
		if !it.last().Resolved {
			c.number = max(it.last().Number, 1)
		}
		c.acknowledged = c.acknowledged || it.entry.Acknowledged != "" && !it.last().Resolved
	}
	for _, c := range out {
		c.title = m.Title
		if len(c.stories) == 1 {
			c.title = c.stories[0].Headline
		}
		for _, s := range c.stories {
			if !s.Resolved {
				c.number = max(c.number, s.item.last().Number)
			}
		}
	}
	return out
}

// worst is the first of the stories, for they are sorted so.
func (c *conversation) worst() *story { return c.stories[0] }

func detail(c *conversation) string {
	if len(c.stories) == 1 && c.stories[0].Text != "" {
		return ": " + c.stories[0].Text
	}
	return ""
}

func sourceOf(c *conversation) string {
	if where := c.worst().item.entry.where(); where != "" {
		return cutTo(where, 255)
	}
	return "otelcol-psutil"
}

// detailsOf are the details of a conversation, by name.
func detailsOf(m *message, c *conversation) map[string]any {
	out := map[string]any{}
	if len(c.stories) == 1 {
		out["summary"] = c.stories[0].Lead
		for _, f := range c.stories[0].Facts {
			out[strings.ToLower(f.Name)] = f.Text
		}
		for _, l := range c.stories[0].Links {
			out[strings.ToLower(l.Name)] = l.URL
		}
	} else {
		var lines []string
		for _, s := range c.stories[:min(len(c.stories), 50)] {
			lines = append(lines, s.Headline)
		}
		out["alerts"] = lines
	}
	if len(m.Intro) > 0 {
		out["note"] = strings.Join(m.Intro, " ")
	}
	return out
}

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
	errs := []error{o.valid(), validURL("url", o.URL, "https://api.opsgenie.com/v2/alerts")}
	if o.APIKey == "" {
		errs = append(errs, errors.New("api_key is required: that of an API integration"))
	}
	return errors.Join(errs...)
}

func (o *opsgenieOptions) open(at opening) (sender, error) {
	p, err := o.poster(at, string(o.APIKey))
	return &opsgenieSender{ofAlert{p}, o}, err
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
	for _, c := range m.conversations() {
		alias := cutTo(c.thread, 512)
		if c.fires {
			if answer, err = s.postJSON(ctx, base, header, s.alert(m, c, alias)); err != nil {
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
		var status int
		answer, status, err = s.act(ctx, to, header, c.note)
		if err != nil && status != http.StatusNotFound { // What is not there need not be closed.
			return answer, err
		}
	}
	return answer, nil
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
		Source: "otelcol-psutil", Priority: opsgeniePriority(c.number), Details: maps.Clone(c.worst().item.entry.About.Labels),
	}
	for _, team := range s.options.Teams {
		a.Responders = append(a.Responders, opsgenieTeam{team, "team"})
	}
	return a
}

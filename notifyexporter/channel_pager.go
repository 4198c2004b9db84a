package notifyexporter

import (
	"context"
	"errors"
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
	errs := []error{o.valid(), validURL(o.URL, "https://events.pagerduty.com/v2/enqueue")}
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
				Timestamp: worst.StartedAt.Format(time.RFC3339Nano), Component: cutTo(worst.item.entry.About.Metric, 255), Class: cutTo(worst.item.entry.About.Rule, 255),
				CustomDetails: detailsOf(m, c),
			}
			if m.Plain {
				trigger.Payload.Summary, trigger.Payload.CustomDetails = unitsTo(trigger.Payload.Summary, 500), nil
				worst = &story{}
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

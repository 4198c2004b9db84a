package notifyexporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

// The types of channels that call somebody who is on duty.
const (
	typePagerDuty = "pagerduty"
	typeOpsgenie  = "opsgenie"
)

// ofAlert is what senders have that tell each alert on its own.
type ofAlert struct {
	*poster
	progress *progress
}

func (ofAlert) eachOnItsOwn() bool { return true }

// progress is which requests were taken of messages that were not taken as a whole: the next attempt sends the others alone. A message that ends a
// thousand alerts is a thousand requests, more than one attempt has time for, and than a server takes at once.
type progress struct {
	taken   map[string]struct{}
	refused []error // Permanent errors of this attempt.
}

// begin is to be called before the first request of an attempt.
func (p *progress) begin() {
	if p.taken == nil {
		p.taken = map[string]struct{}{}
	}
	p.refused = nil
}

// do sends a request unless it was taken before. The key distinguishes requests, also those of other messages. A request that is refused keeps no other from being sent: an error is
// one for which no other should be tried now.
func (p *progress) do(key string, send func() error) error {
	if _, was := p.taken[key]; was {
		return nil
	}
	switch err := send(); {
	case err == nil:
		p.taken[key] = struct{}{}
		return nil
	case consumererror.IsPermanent(err):
		p.refused = append(p.refused, err)
		return nil
	default:
		return err
	}
}

// maxRefused is how many of the refusals of a message its error names.
const maxRefused = 3

// end is the result of an attempt that has come through all requests. Only what was refused is sent again in its short form.
func (p *progress) end(m *message) error {
	taken := len(p.taken)
	if len(p.refused) == 0 || m.Plain { // The message is over, one way or the other.
		p.taken = nil
	}
	if len(p.refused) == 0 {
		return nil
	}
	err := errors.Join(p.refused[:min(len(p.refused), maxRefused)]...)
	if len(p.refused) > 1 {
		err = fmt.Errorf("%d of %d requests were refused: %w", len(p.refused), len(p.refused)+taken, err)
	}
	return consumererror.NewPermanent(err)
}

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
	return &pagerDutySender{ofAlert{p, &progress{}}, o}, err
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

	key string // For progress.
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
			trigger.key = "trigger " + c.key()
			out = append(out, trigger)
		}
		switch {
		case c.over && m.Open[c.thread] == 0:
			event.EventAction, event.key = "resolve", "resolve "+c.key()
			out = append(out, event)
		case c.acknowledged:
			event.EventAction, event.key = "acknowledge", "acknowledge "+c.key()
			out = append(out, event)
		}
	}
	return out
}

func (s *pagerDutySender) send(ctx context.Context, m *message) (answer string, err error) {
	s.progress.begin()
	for _, event := range s.events(m) {
		err := s.progress.do(event.key, func() (err error) {
			answer, err = s.postJSON(ctx, s.options.URL, nil, event)
			return err
		})
		if err != nil {
			return answer, err
		}
	}
	return answer, s.progress.end(m)
}

package hostpageexporter

import (
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
)

type alertsAnswer struct {
	Version int            `json:"version"`
	From    millis         `json:"from"`
	To      millis         `json:"to"`
	Firing  []string       `json:"firing"`
	Alerts  []alertAnswer  `json:"alerts"`
	Notices []noticeAnswer `json:"notices"`
	Dropped int64          `json:"dropped"`
}

type alertAnswer struct {
	ID                 string             `json:"id"`
	Episode            string             `json:"episode"`
	Rule               string             `json:"rule"`
	Severity           string             `json:"severity"`
	State              string             `json:"state"`
	Reason             string             `json:"reason"`
	Metric             string             `json:"metric"`
	Unit               string             `json:"unit"`
	Value              nullable           `json:"value"`
	Threshold          nullable           `json:"threshold"`
	Comparison         string             `json:"comparison"`
	Started            millis             `json:"started"`
	Ended              millis             `json:"ended"`
	Updated            millis             `json:"updated"`
	Message            string             `json:"message"`
	Attributes         map[string]string  `json:"attributes"`
	Labels             map[string]string  `json:"labels"`
	Annotations        map[string]string  `json:"annotations"`
	Resource           map[string]string  `json:"resource"`
	SilencedBy         string             `json:"silenced_by,omitempty"`
	SilencedUntil      millis             `json:"silenced_until"`
	AcknowledgedBy     string             `json:"acknowledged_by,omitempty"`
	Transitions        []transitionAnswer `json:"transitions"`
	TransitionsDropped int                `json:"transitions_dropped"`
}

type transitionAnswer struct {
	Time       millis   `json:"t"`
	Transition string   `json:"transition"`
	State      string   `json:"state"`
	Severity   string   `json:"severity"`
	Value      nullable `json:"value"`
	Threshold  nullable `json:"threshold"`
}

type noticeAnswer struct {
	Time     millis `json:"t"`
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

// alerts answers which alerts fire, and which did in a time.
func (p *page) alerts(a *answering) error {
	from, to, err := timesOf(a.URL.Query(), 24*time.Hour, p.now())
	if err != nil {
		return err
	}
	found := a.store.Alerts(from, to)
	out := alertsAnswer{
		Version: apiVersion, From: millis(from), To: millis(to), Firing: found.Firing, Alerts: make([]alertAnswer, 0, len(found.Episodes)),
		Notices: make([]noticeAnswer, 0, len(found.Notices)), Dropped: found.Dropped,
	}
	if out.Firing == nil {
		out.Firing = []string{}
	}
	for i := range found.Episodes {
		out.Alerts = append(out.Alerts, alertOf(&found.Episodes[i]))
	}
	for _, n := range found.Notices {
		out.Notices = append(out.Notices, noticeAnswer{millis(n.Time), n.Kind, n.Severity, n.Message})
	}
	return a.writeJSON(out)
}

func alertOf(e *history.Episode) alertAnswer {
	out := alertAnswer{
		ID: e.ID, Episode: e.Episode, Rule: e.Rule, Severity: e.Severity, State: e.State, Reason: e.Reason, Metric: e.Metric,
		Unit: e.Unit, Value: nullable(e.Value), Threshold: nullable(e.Threshold), Comparison: e.Comparison, Started: millis(e.Started),
		Ended: millis(e.Ended), Updated: millis(e.Time), Message: e.Message, Attributes: attributeMap(e.Attributes),
		Labels: attributeMap(e.Labels), Annotations: attributeMap(e.Annotations), Resource: attributeMap(e.Resource),
		SilencedBy: e.SilencedBy, SilencedUntil: millis(e.SilencedUntil), AcknowledgedBy: e.AcknowledgedBy,
		Transitions: make([]transitionAnswer, 0, len(e.Transitions)), TransitionsDropped: e.Dropped,
	}
	for _, t := range e.Transitions {
		out.Transitions = append(out.Transitions, transitionAnswer{
			millis(t.Time), t.Transition, t.State, t.Severity, nullable(t.Value), nullable(t.Threshold),
		})
	}
	return out
}

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ruletest"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// firingAlert is one alert of a test's result that fires.
type firingAlert struct {
	severity    string
	labels      map[string]string // The group's attributes and the rule's labels.
	annotations map[string]string
	message     string
}

// firing returns the alerts of a rule that fire at a moment, with the texts of their newest records.
func firing(rule string, result *ruletest.Result, at time.Duration) []firingAlert {
	records := newest{}
	for i := range result.Transitions {
		if tr := &result.Transitions[i]; tr.At <= at {
			records.observe(&tr.Event)
		}
	}
	var out []firingAlert
	for _, a := range result.FiringAt(at) {
		if a.Rule != rule {
			continue
		}
		f := firingAlert{severity: a.Severity, labels: attributesOf(a.Identity)}
		if ev := records[a.ID]; ev != nil {
			for _, l := range ev.Labels {
				f.labels[l.Key] = l.Text
			}
			f.annotations, f.message = textsOf(ev.Annotations), ev.Body
		}
		out = append(out, f)
	}
	return out
}

func textsOf(labels []attr.Label) map[string]string {
	out := map[string]string{}
	for _, l := range labels {
		out[l.Key] = l.Text
	}
	return out
}

func (f *firingAlert) String() string {
	out := attributeText(f.labels)
	if f.severity != "" {
		out = f.severity + " " + out
	}
	if len(f.annotations) > 0 {
		out += " annotations " + attributeText(f.annotations)
	}
	if f.message != "" {
		out += fmt.Sprintf(" message %q", f.message)
	}
	return out
}

// checkTransitions compares all that happened with all that was expected. What happened at one time may stand in any order.
func checkTransitions(want []expectedTransition, got []ruletest.Transition) string {
	var wanted, have []string
	same := len(want) == len(got)
	left := slices.Clone(got)
	for i := range want {
		wanted = append(wanted, want[i].String())
		if k := slices.IndexFunc(left, func(tr ruletest.Transition) bool { return want[i].matches(tr) }); k >= 0 {
			left = slices.Delete(left, k, k+1)
		} else {
			same = false
		}
	}
	if same {
		return ""
	}
	for i := range got {
		ev := &got[i].Event
		have = append(have, fmt.Sprintf("%s %s %s %s %s (%s): %s", got[i].At, ev.Rule, transitionName(ev), ev.Severity,
			attributeText(attributesOf(ev.Identity)), ev.Reason, ev.Body))
	}
	return fmt.Sprintf("transitions:\n  expected: %s\n  got:      %s", inOrder(wanted), inOrder(have))
}

func inOrder(items []string) string {
	if len(items) == 0 {
		return "nothing"
	}
	return strings.Join(items, "\n            ")
}

// transitionName is a record's transition, or the event name of a record that reports none.
func transitionName(ev *event.Event) string {
	if ev.Kind == alertschema.KindStateChange {
		return ev.Transition.String()
	}
	return ev.Name()
}

func (x *expectedTransition) matches(got ruletest.Transition) bool {
	at, err := parseSpan(x.At)
	ev := &got.Event
	return err == nil && at == got.At && x.AlertName == ev.Rule && x.Transition == transitionName(ev) &&
		(x.Severity == "" || x.Severity == ev.Severity) && (x.Reason == "" || x.Reason == ev.Reason.String()) &&
		(x.Message == "" || x.Message == ev.Body) &&
		(x.Attributes == nil || maps.Equal(x.Attributes, attributesOf(ev.Identity)))
}

func (x *expectedTransition) String() string {
	out := strings.TrimRight(fmt.Sprintf("%s %s %s %s", x.At, x.AlertName, x.Transition, x.Severity), " ")
	if x.Attributes != nil {
		out += " " + attributeText(x.Attributes)
	}
	if x.Reason != "" {
		out += " (" + x.Reason + ")"
	}
	if x.Message != "" {
		out += ": " + x.Message
	}
	return out
}

// newest holds the newest record of each alert by alert ID.
type newest map[string]*event.Event

func (n newest) observe(ev *event.Event) {
	if ev.Kind == alertschema.KindStateChange {
		n[ev.AlertID] = ev
	}
}

func attributesOf(attrs []attr.Attr) map[string]string {
	out := map[string]string{}
	for _, a := range attrs {
		out[a.Key] = a.Value.AsString()
	}
	return out
}

func attributeText(attributes map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(attributes)) {
		parts = append(parts, fmt.Sprintf("%s=%q", k, attributes[k]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

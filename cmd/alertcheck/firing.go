package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/ruletest"
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
	var out []firingAlert
	for _, a := range result.FiringAt(at) {
		if a.Rule != rule {
			continue
		}
		f := firingAlert{severity: a.Severity, labels: attributesOf(a.Group)}
		key := attributeText(f.labels)
		for _, tr := range slices.Backward(result.Transitions) {
			ev := &tr.Event
			if tr.At > at || ev.Rule != rule || attributeText(attributesOf(ev.Group)) != key {
				continue
			}
			for _, l := range ev.Labels {
				f.labels[l.Key] = l.Text
			}
			f.annotations, f.message = textsOf(ev.Annotations), ev.Body
			break
		}
		out = append(out, f)
	}
	return out
}

func textsOf(labels []alert.Label) map[string]string {
	out := map[string]string{}
	for _, l := range labels {
		out[l.Key] = l.Text
	}
	return out
}

func attributesOf(attrs []alert.Attr) map[string]string {
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
		if k := slices.IndexFunc(left, want[i].matches); k >= 0 {
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
			attributeText(attributesOf(ev.Group)), ev.Reason, ev.Body))
	}
	return fmt.Sprintf("transitions:\n  want: %s\n  got:  %s", inOrder(wanted), inOrder(have))
}

func inOrder(items []string) string {
	if len(items) == 0 {
		return "nothing"
	}
	return strings.Join(items, "\n        ")
}

// transitionName is a record's transition, or the event name of a record that reports none.
func transitionName(ev *alert.Event) string {
	if ev.Kind == alert.StateChange {
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
		(x.Attributes == nil || maps.Equal(x.Attributes, attributesOf(ev.Group)))
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

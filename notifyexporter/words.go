package notifyexporter

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// words puts alerts into words.
type words struct {
	location *time.Location
	pageURL  string
	now      int64
}

const (
	// maxFacts is how many facts are told of an alert, and maxFact how long each may be, in characters.
	maxFacts = 24
	maxFact  = 2000
)

// story puts one alert into words: what, where, since when, the value and its threshold, what changed, and where to look.
func (w *words) story(it *item, thread string) story {
	e, n := &it.entry, it.last()
	s := story{
		ID: e.ID, Episode: e.Episode, Thread: thread, Headline: headline(it), Lead: w.lead(it), Text: it.text(), Resolved: n.Resolved, Severity: n.Severity, Number: n.Number,
		StartedAt: time.Unix(0, e.Started).UTC(), item: it,
	}
	if it.onlyAcknowledges() {
		s.Lead, s.Text = looksAfter(n)+".", ""
		return s
	}
	add := func(name, text string) {
		if text != "" && len(s.Facts) < maxFacts {
			s.Facts = append(s.Facts, fact{cutTo(cmp.Or(name, "Note"), 60), cutTo(text, maxFact)})
		}
	}
	if e.Ended != 0 {
		s.EndedAt = time.Unix(0, e.Ended).UTC()
	}
	add("Where", where(e))
	addAround(it, add)
	add("So far", w.history(it))
	add("Rule", e.About.Description)
	for _, name := range slices.Sorted(maps.Keys(e.About.Annotations)) {
		switch value := e.About.Annotations[name]; {
		case name == "runbook_url" || name == "runbook" || name == "dashboard_url":
		case value == n.Text:
		case name == "summary" || name == "description":
			add("Note", value)
		default:
			add(spelled(name), value)
		}
	}
	add("Metric", metricText(&e.About))
	add("Labels", pairs(e.About.Labels, "runbook", "runbook_url"))
	if e.Acknowledged != "" {
		add("Acknowledged", "by "+e.Acknowledged)
	}
	if late := w.now - n.Received; late > int64(5*time.Minute) && n.Transition != "repeat" {
		add("Late", fmt.Sprintf("This is told %s after it happened.", duration(time.Duration(late))))
	}
	at := n.At
	if n.Resolved {
		at = e.Started
	}
	for _, l := range []link{
		{"Runbook", cmp.Or(e.About.Annotations["runbook_url"], e.About.Annotations["runbook"], e.About.Labels["runbook_url"], e.About.Labels["runbook"])},
		{"Page at that moment", pageLink(w.pageURL, e, at)},
		{"Dashboard", e.About.Annotations["dashboard_url"]},
	} {
		switch {
		case strings.HasPrefix(l.URL, "http://") || strings.HasPrefix(l.URL, "https://"):
			s.Links = append(s.Links, l)
		case l.URL != "":
			add(l.Name, l.URL)
		}
	}
	return s
}

// spelled makes words of a name.
func spelled(name string) string {
	name = strings.ReplaceAll(name, "_", " ")
	if name == "" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// text is the rule's own message: the newest that is not about what a person did.
func (it *item) text() string {
	for _, n := range slices.Backward(it.notices) {
		if n.Transition != acknowledged {
			return n.Text
		}
	}
	return it.last().Text
}

// lead is what to know first: the value and its threshold in words, since when, and what changed.
func (w *words) lead(it *item) string {
	e, n := &it.entry, it.last()
	value := valueText(&e.About, n)
	since := "since " + clockText(e.Started, w.now, w.location)
	if d := time.Duration(n.At - e.Started); d >= time.Second {
		since += " (for " + duration(d) + ")"
	}
	switch {
	case e.Once:
		return "At " + clockText(n.At, w.now, w.location) + "."
	case n.Resolved:
		return w.over(e, n, value)
	case n.Transition == "no_data":
		text := "No data comes any more, so whether it is over is not known. It fires " + since + "."
		if value != "" {
			text += " The last value was " + value + "."
		}
		return text
	}
	what := changeText(n)
	switch {
	case value == "":
		return what + "Firing " + since + "."
	case what == "":
		return value + ", " + since + "."
	default:
		return what + value + ". Firing " + since + "."
	}
}

// over says that an alert is over, for how long it fired, and how it is now.
func (w *words) over(e *entry, n *notice, value string) string {
	text := "It is over" + endReason(n.Reason) + "."
	if e.Ended != 0 {
		text = fmt.Sprintf("It is over%s, after %s: from %s to %s.", endReason(n.Reason), duration(time.Duration(e.Ended-e.Started)),
			clockText(e.Started, w.now, w.location), clockText(e.Ended, w.now, w.location))
	}
	if value != "" {
		text += " Now " + value + "."
	}
	return text
}

// changeText says what changed since the alert was told before; nothing where it has just begun.
func changeText(n *notice) string {
	switch n.Transition {
	case "fire":
		return ""
	case "escalate":
		return "It got worse, from " + cmp.Or(n.PreviousSeverity, "less") + " to " + n.Severity + ": "
	case "deescalate":
		return "It got better and is not over, from " + cmp.Or(n.PreviousSeverity, "worse") + " to " + n.Severity + ": "
	case "repeat":
		return "It is still firing: "
	case "data_back":
		return "Data comes again, and it is still firing: "
	case "flapping_start":
		return "It begins and ends again and again. Further changes are not told until it is stable. "
	case "flapping_end":
		return "It is stable again, and still firing: "
	case "silence_end":
		return "It is no longer silenced, and still firing: "
	case acknowledged:
		return looksAfter(n) + ". "
	default:
		return spelled(n.Transition) + ": "
	}
}

// endReason says why it is over where that is not that the value is well.
func endReason(reason string) string {
	switch reason {
	case "rule_removed":
		return ", because the rule was removed"
	case "rule_changed":
		return ", because the rule was changed"
	case "stale", "no_data":
		return ", because no data comes any more"
	case "only_if":
		return ", because the condition of the rule no longer holds"
	default:
		return ""
	}
}

func where(e *entry) string {
	var parts []string
	if host := e.where(); host != "" {
		parts = append(parts, host)
	}
	for _, m := range []map[string]string{e.About.Group, e.About.Resource} {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if v := m[key]; v != "" && v != e.where() && key != "host.id" && !strings.HasPrefix(key, "os.") {
				parts = append(parts, key[strings.LastIndexByte(key, '.')+1:]+" "+v)
			}
		}
	}
	return strings.Join(parts, ", ")
}

// history says what is told belatedly: what came before the newest notice and was not told yet.
func (w *words) history(it *item) string {
	if len(it.notices) == 1 && it.left == 0 {
		return ""
	}
	var steps []string
	for i, n := range it.notices {
		step := strings.ReplaceAll(n.Transition, "_", " ")
		if !n.Resolved {
			step += " " + n.Severity
		}
		steps = append(steps, clockText(n.At, w.now, w.location)+" "+step)
		if i == 0 && it.left > 0 {
			steps = append(steps, fmt.Sprintf("%d more", it.left))
		}
	}
	return strings.Join(steps, " → ")
}

// pairs are keys and values in one line.
func pairs(m map[string]string, but ...string) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(but, key) {
			out = append(out, key+" "+m[key])
		}
	}
	return strings.Join(out, ", ")
}

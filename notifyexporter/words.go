package notifyexporter

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// words puts alerts into words.
type words struct {
	location *time.Location
	pageURL  string
	now      int64
}

// story puts one alert into words: what, where, since when, the value and its threshold, what changed, and where to look.
func (w *words) story(it *item, thread string) story {
	e, n := &it.entry, it.last()
	s := story{
		ID: e.ID, Episode: e.Episode, Thread: thread, Headline: headline(it), Text: n.Text, Resolved: n.Resolved, Severity: n.Severity, Number: n.Number,
		StartedAt: time.Unix(0, e.Started).UTC(), item: it,
	}
	add := func(name, text string) {
		if text != "" {
			s.Facts = append(s.Facts, fact{name, text})
		}
	}
	if e.Ended != 0 {
		s.EndedAt = time.Unix(0, e.Ended).UTC()
	}
	add("What", w.what(n, it))
	add("Where", where(e))
	add("When", w.when(e, n))
	add("Value", valueText(&e.About, n))
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
		{"Page at that moment", pageLink(w.pageURL, e, at)}, {"Dashboard", e.About.Annotations["dashboard_url"]},
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

// what says what happened.
func (w *words) what(n *notice, it *item) string {
	if it.entry.Once {
		return ""
	}
	severity := n.Severity
	switch {
	case n.Transition == "fire":
		return "It began as " + severity + "."
	case n.Transition == "escalate":
		return "It got worse: from " + cmp.Or(n.PreviousSeverity, "less") + " to " + severity + "."
	case n.Transition == "deescalate":
		return "It got better, and is not over: from " + cmp.Or(n.PreviousSeverity, "worse") + " to " + severity + "."
	case n.Transition == "repeat":
		return "It is still firing, as " + severity + "."
	case n.Transition == "no_data":
		return "No data comes any more. Whether the problem is over is not known; it was " + severity + "."
	case n.Transition == "data_back":
		return "Data comes again, and it is still firing, as " + severity + "."
	case n.Transition == "flapping_start":
		return "It begins and ends again and again. Further changes are not told until it is stable."
	case n.Transition == "flapping_end" && !n.Resolved:
		return "It is stable again, and still firing, as " + severity + "."
	case n.Resolved:
		return "It is over" + endReason(n.Reason) + "."
	default:
		return strings.ReplaceAll(n.Transition, "_", " ") + ", " + severity
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

func (w *words) when(e *entry, n *notice) string {
	if e.Once {
		return clockText(n.At, w.now, w.location)
	}
	began := clockText(e.Started, w.now, w.location)
	if n.Resolved && e.Ended != 0 {
		return fmt.Sprintf("from %s to %s (%s)", began, clockText(e.Ended, w.now, w.location), duration(time.Duration(e.Ended-e.Started)))
	}
	if d := time.Duration(n.At - e.Started); d >= time.Second {
		return fmt.Sprintf("since %s (for %s)", began, duration(d))
	}
	return "since " + began
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

// clockText is a time in words: the time of day, and the day if it is not that of now.
func clockText(at, now int64, location *time.Location) string {
	t, n := time.Unix(0, at).In(location), time.Unix(0, now).In(location)
	if t.Format(time.DateOnly) == n.Format(time.DateOnly) {
		return t.Format("15:04:05 MST")
	}
	return t.Format("Mon 2 Jan 2006 15:04:05 MST")
}

// duration is a length of time in words.
func duration(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour && d%time.Minute == 0:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 10*time.Minute:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// comparisons are the signs of comparisons in words, for a value for which it holds and for one that is well again.
var comparisons = map[string][2]string{
	">": {"above the threshold of", "the threshold is"}, ">=": {"at or above the threshold of", "the threshold is"},
	"<": {"below the threshold of", "the threshold is"}, "<=": {"at or below the threshold of", "the threshold is"},
	"==": {"equal to", "the bad value is"}, "!=": {"not", "the right value is"},
	"outside": {"out of the range that ends at", "the range ends at"}, "inside": {"in the range that ends at", "the range ends at"},
}

// valueText is the value and what it was compared with.
func valueText(a *about, n *notice) string {
	if n.Value == nil {
		if n.Comparison == "absent" && !n.Resolved {
			return "there is none"
		}
		return ""
	}
	text := quantity(*n.Value, a.Unit, a.Metric)
	if n.Threshold != nil {
		if c, ok := comparisons[n.Comparison]; ok {
			i := 0
			if n.Resolved {
				i = 1
			}
			text += ", " + c[i] + " " + quantity(*n.Threshold, a.Unit, a.Metric)
		} else {
			text += ", threshold " + quantity(*n.Threshold, a.Unit, a.Metric)
		}
	}
	if a.Metric != "" {
		text += " (" + a.Metric
		if a.Aggregation != "" {
			text += ", " + a.Aggregation
		}
		if a.Window > 0 {
			text += " over " + duration(time.Duration(a.Window*float64(time.Second)))
		}
		text += ")"
	}
	return text
}

// quantity is a number with its unit, for people.
func quantity(v float64, unit, metric string) string {
	switch {
	case unit == "1" && (strings.HasSuffix(metric, "utilization") || strings.Contains(metric, " / ")):
		return number(v*100) + " %"
	case unit == "1" || unit == "":
		return number(v)
	case unit == "By" || unit == "By/s":
		return scaled(v) + strings.TrimPrefix(unit, "By")
	case unit == "s" && math.Abs(v) >= 60:
		return duration(time.Duration(v * float64(time.Second)))
	case unit == "Cel":
		return number(v) + " °C"
	case strings.HasPrefix(unit, "{"):
		return number(v) + " " + strings.NewReplacer("{", "", "}", "s").Replace(unit)
	default:
		return number(v) + " " + unit
	}
}

func scaled(v float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for math.Abs(v) >= 1024 && i < len(units)-1 {
		v /= 1024
		i++
	}
	return number(v) + " " + units[i]
}

// number is a number with as many digits as say something.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1e15 || a > 0 && a < 1e-4:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 1:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
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

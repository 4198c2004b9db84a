package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// maxExamples is how many examples of what a limit holds back are named.
const maxExamples = 5

// withheld is what a limit holds back: how much of it, and the worst as examples.
type withheld struct {
	counts   []event.SuppressedCount
	total    int
	worst    storedLevel // The most severe level of it.
	examples []string
}

// add counts one alert, which comes after all that are worse.
func (w *withheld) add(g *group) {
	r, l := g.rule, g.rule.stored(g.alert.Level)
	w.total++
	if w.total == 1 {
		w.worst = l
	}
	if len(w.examples) < maxExamples {
		text := g.title()
		if slices.ContainsFunc(w.examples, func(other string) bool { return strings.HasPrefix(other, text+" at ") || other == text }) {
			text += " (alert " + alertschema.IDText(g.recordID()) + ")"
		}
		if g.alert.value.Valid {
			text += fmt.Sprintf(" at %g", g.alert.value.Float64)
		}
		w.examples = append(w.examples, text)
	}
	i := slices.IndexFunc(w.counts, func(c event.SuppressedCount) bool { return c.Severity == l.name })
	if i < 0 {
		i = len(w.counts)
		w.counts = append(w.counts, event.SuppressedCount{Rule: r.Name, Severity: l.name})
	}
	w.counts[i].Count++
}

// title names the group of an alert: its rule, and what tells it from the others first.
func (g *group) title() string {
	keyed := slices.Clone(g.rule.names.Expand(g.key))
	slices.SortStableFunc(keyed, func(a, b attr.Located) int { return cmp.Compare(tellingRank(a), tellingRank(b)) })
	var b strings.Builder
	b.WriteString(g.rule.Name)
	for _, a := range keyed[:min(len(keyed), maxExamples)] {
		fmt.Fprintf(&b, " %s=%s", a.Key, alertschema.CutText(a.Value.AsString(), maxExampleText))
	}
	return b.String()
}

// tellingRank orders the attributes of a group key by how well they tell groups apart: what the data points say, then what names the thing, then
// its other identifiers, and last where it is, which many share.
func tellingRank(a attr.Located) int {
	if a.Location == attr.InPoint {
		return 0
	}
	if i := slices.Index(tellingKeys, a.Key); i >= 0 {
		return 1 + i
	}
	if strings.HasPrefix(a.Key, "cloud.") || strings.HasPrefix(a.Key, "deployment.") || a.Key == "os.type" {
		return 3 + len(tellingKeys)
	}
	return 2 + len(tellingKeys)
}

// tellingKeys are resource attributes that name a thing, the best first.
var tellingKeys = []string{
	"process.executable.name", "process.pid", "k8s.pod.name", "container.name", "host.name", "service.instance.id", "container.id", "service.name",
	"k8s.container.name", "k8s.node.name", "k8s.namespace.name", "k8s.pod.uid", "host.id",
}

// maxExampleText bounds one value that an example names, in bytes.
const maxExampleText = 64

// reportWithheld says once of each rule that alerts of it wait for a place, and again when more severe ones do.
func (e *Engine) reportWithheld(waiting []*group) {
	all := map[*ruleState]*withheld{}
	for _, r := range e.states {
		r.waiting = 0
	}
	for _, g := range waiting {
		if g.alert.deferred != deferredByLimit {
			continue
		}
		w := all[g.rule]
		if w == nil {
			w = &withheld{}
			all[g.rule] = w
		}
		w.add(g)
	}
	for _, r := range e.states {
		w := all[r]
		if w == nil {
			r.withheldSaid = 0
			continue
		}
		r.waiting = w.total
		if w.worst.number <= r.withheldSaid {
			continue
		}
		if w.worst.number > r.withheldLogged {
			r.withheldLogged, r.withheldLoggedAt = w.worst.number, 0
		}
		r.withheldSaid = w.worst.number
		n, limit := e.placesOf(r)
		e.suppressed(event.Event{
			SeverityNumber: w.worst.number, SeverityText: w.worst.name, Counts: w.counts, UID: fmt.Sprintf("limit-%s-%x-%d", r.Version, e.now, w.worst.number),
			Rule: r.Name, RuleVersion: r.Version, Metric: r.Metric,
			Body: fmt.Sprintf("%d alert%s of %s held back, %s is %d: %s; the worst: %s. The rest follows when others resolve",
				w.total, plural(w.total), r.Name, limit, n, countsText(w.counts), strings.Join(w.examples, ", ")),
		}, &r.withheldLoggedAt)
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// countsText writes counts by severity.
func countsText(counts []event.SuppressedCount) string {
	parts := make([]string, len(counts))
	for i, c := range counts {
		parts[i] = fmt.Sprintf("%d %s", c.Count, c.Severity)
	}
	return strings.Join(parts, ", ")
}

// suppressed queues a record of what a limit held back, and has it logged if it is the first of its kind in an hour.
func (e *Engine) suppressed(ev event.Event, loggedAt *int64) {
	ev.Kind, ev.Time, ev.ObservedTime = alertschema.KindSuppressed, e.now, e.now
	if *loggedAt == 0 || e.running-*loggedAt >= saidAgainAfter {
		*loggedAt = e.running
		e.notice("%s", ev.Body)
	}
	e.enqueue(ev)
}

// excess is what one of the limits of the engine itself has cost, until it is said.
type excess struct {
	count    int
	examples []string
	// said is set once it was said, until there is room again. It was last said at a running time, 0 for never.
	said   bool
	saidAt int64
}

// add counts one more, with what names it. Of what was said already nothing is counted.
func (x *excess) add(name func() string) {
	if x.said {
		return
	}
	x.count++
	if len(x.examples) < maxExamples {
		if text := name(); !slices.Contains(x.examples, text) {
			x.examples = append(x.examples, text)
		}
	}
}

// sayAgain has what comes from now on said, if that is not too soon.
func (x *excess) sayAgain(now int64) {
	if x.saidAt == 0 || now-x.saidAt >= saidAgainAfter {
		x.said = false
	}
}

// take returns what is to be said, which then is said.
func (x *excess) take() (count int, examples string) {
	count, examples = x.count, strings.Join(x.examples, ", ")
	*x = excess{said: true, saidAt: x.saidAt}
	return count, examples
}

// reportLimits says once, each with examples, what limits::series, limits::samples_per_series and limits::outbox have cost since the last tick.
func (e *Engine) reportLimits() {
	e.reportExceeded()
	l := &e.rules.Limits
	if e.unwatched.count > 0 {
		e.reportLimit("series", &e.unwatched, "limits::series is %d, and there are more: the rest is not watched; raise the limit, or narrow match", l.Series)
		e.unwatchedKeys = nil
	}
	if e.cut.count > 0 {
		e.reportLimit("samples_per_series", &e.cut, "limits::samples_per_series is %d, and windows of more samples end there: raise the limit, or shorten the window",
			l.SamplesPerSeries)
	}
	if e.undelivered.count > 0 && e.outbox.Size() < l.Outbox { // The record needs a place, too; the log had it at once.
		e.reportLimit("outbox", &e.undelivered, "limits::outbox is %d, and records that could not be delivered gave way: fires among them follow, check the "+
			"pipeline of the logs", l.Outbox)
	}
	if e.seriesCount < l.Series-l.Series/10 || e.seriesCount < l.Series && l.Series < 10 {
		e.unwatched.sayAgain(e.running)
	}
	if e.outbox.Size() <= l.Outbox/2 {
		e.undelivered.sayAgain(e.running)
		e.outboxLogged = e.outboxLogged && e.undelivered.said
	}
}

// maxUnwatched bounds the series that are distinguished until their number is said.
const maxUnwatched = 10000

// countUnwatched counts a series for which limits::series has no room.
func (e *Engine) countUnwatched(m *Matcher, key attr.Hash) {
	if e.unwatched.said || len(e.unwatchedKeys) >= maxUnwatched {
		return
	}
	if _, known := e.unwatchedKeys[key]; known {
		return
	}
	if e.unwatchedKeys == nil {
		e.unwatchedKeys = map[attr.Hash]struct{}{}
	}
	e.unwatchedKeys[key] = struct{}{}
	e.unwatched.add(func() string { return m.active[0].Metric + ofSender(m.origin.Resource) })
}

// countCut counts a series of which limits::samples_per_series leaves no whole window, once.
func (e *Engine) countCut(s *series) {
	if s.marked(markCut) || len(s.groups) == 0 || s.Samples.At(0).Time <= s.Newest()-e.retention(s) {
		return
	}
	s.Marks |= markCut
	e.cut.add(func() string {
		g := s.groups[0]
		return fmt.Sprintf("%s%s of rule %s", g.rule.Metric, ofSender(s.resource.attrs), g.rule.Name)
	})
}

// countUndelivered counts records that gave way in a full outbox. It is logged at once; the record waits until there is room for it.
func (e *Engine) countUndelivered(n int, dropped []event.Event) {
	if n == 0 || e.undelivered.said {
		return
	}
	for i := range n {
		e.undelivered.add(func() string {
			if i >= len(dropped) {
				return "repeats and reports"
			}
			ev := &dropped[i]
			var text strings.Builder
			text.WriteString(cmp.Or(ev.Rule, "a report"))
			for _, a := range ev.Group {
				text.WriteString(" " + alertschema.CutText(a.Value.AsString(), maxExampleText))
			}
			return text.String() + ofSender(ev.Resource)
		})
	}
	if !e.outboxLogged {
		e.outboxLogged = true
		e.notice("limits::outbox is %d and it is full: records give way, such as %s; check the pipeline of the logs", e.rules.Limits.Outbox,
			strings.Join(e.undelivered.examples, ", "))
	}
}

package notifyexporter

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// message is what people get: one or more alerts in words, and what servers want to know beside them.
type message struct {
	// ID is the same for the same news, also after a restart.
	ID    string
	Title string
	// Intro are sentences about the message as a whole.
	Intro  []string
	Alerts []story
	// More is a line for each rule and severity, where not all alerts are told in full, or in a storm.
	More []string
	// Status is firing while one of the alerts is, else resolved. Severity is the worst of those that are firing, or else of all.
	Status, Severity string
	Number           int32
	Storm            bool
	Test             bool
	// Thread is that of the alerts, and new where they have none yet. Threads are all that the alerts have.
	Thread  string
	Threads []string
	// Open is how many alerts remain active under a thread after this message.
	Open map[string]int

	items []item
}

// story is one alert in words.
type story struct {
	ID, Episode, Thread string
	Headline            string // CRITICAL disk_full on db1
	Text                string // The rule's own message.
	Facts               []fact
	Links               []link
	Resolved            bool
	Severity            string
	Number              int32
	StartedAt, EndedAt  time.Time

	item *item
}

type fact struct{ Name, Text string }
type link struct{ Name, URL string }

// maxStories is how many alerts of a message are told in full.
const maxStories = 10

// compose puts a batch into words.
func (n *notifier) compose(rt *route, b *batch, now int64) *message {
	m := &message{items: b.items, Storm: b.storm, Open: b.open, Status: "resolved"}
	w := words{location: n.location, pageURL: n.cfg.PageURL, now: now}
	slices.SortStableFunc(m.items, func(a, b item) int {
		return cmp.Or(boolCompare(a.last().Resolved, b.last().Resolved), -cmp.Compare(a.last().Number, b.last().Number),
			cmp.Compare(a.entry.value(keyHostName), b.entry.value(keyHostName)), cmp.Compare(a.entry.About.Rule, b.entry.About.Rule), cmp.Compare(a.entry.ID, b.entry.ID))
	})
	var uids []string
	threads := map[string]struct{}{}
	for i := range m.items {
		it := &m.items[i]
		for _, notice := range it.notices {
			uids = append(uids, notice.UID, notice.Transition)
		}
		if !it.last().Resolved {
			m.Status = "firing"
		}
		if it.last().Number > m.Number || m.Severity == "" {
			m.Number, m.Severity = it.last().Number, it.last().Severity
		}
		if it.told != nil {
			if _, there := threads[it.told.Thread]; !there {
				threads[it.told.Thread] = struct{}{}
				m.Threads = append(m.Threads, it.told.Thread)
			}
		}
	}
	m.ID = digest(append([]string{rt.name}, uids...)...)
	m.Thread = n.threadFor(rt, m)
	for i := range m.items {
		if i < maxStories {
			m.Alerts = append(m.Alerts, w.story(&m.items[i], m.threadOf(&m.items[i])))
		}
		if m.Storm && i < maxStories { // What matters is what there is in all.
			s := &m.Alerts[i]
			s.Facts = slices.DeleteFunc(s.Facts, func(f fact) bool { return f.Name != "Where" && f.Name != "When" })
		}
	}
	if m.Storm || len(m.items) > maxStories {
		m.More = summary(m.items)
	}
	m.Title = title(m)
	m.Intro = n.intro(m, now)
	return m
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// threadFor is the thread of the alerts that have none.
func (*notifier) threadFor(rt *route, m *message) string {
	if len(m.items) == 1 {
		if it := &m.items[0]; rt.eachOnItsOwn {
			return it.entry.ID
		}
	}
	return "m-" + m.ID
}

// threadOf is the thread of one alert of the message.
func (m *message) threadOf(it *item) string {
	if it.told != nil && it.told.Episode == it.entry.Episode {
		return it.told.Thread
	}
	return m.Thread
}

// title is the message in one line: how bad, what, where.
func title(m *message) string {
	prefix := ""
	if m.Test {
		prefix = "TEST "
	}
	if len(m.items) == 1 {
		return prefix + headline(&m.items[0])
	}
	firing, resolved := 0, 0
	for i := range m.items {
		if m.items[i].last().Resolved {
			resolved++
		} else {
			firing++
		}
	}
	var counts []string
	if firing > 0 {
		counts = append(counts, fmt.Sprintf("%d firing", firing))
	}
	if resolved > 0 {
		counts = append(counts, fmt.Sprintf("%d resolved", resolved))
	}
	text := fmt.Sprintf("%d alerts: %s", len(m.items), strings.Join(counts, ", "))
	if resolved == 0 {
		text = fmt.Sprintf("%d alerts firing", firing)
	}
	if m.Status == "firing" {
		text = strings.ToUpper(m.Severity) + " " + text
	} else {
		text = fmt.Sprintf("RESOLVED %d alerts", len(m.items))
	}
	if m.Storm && firing > 0 {
		text += " (storm)"
	}
	hosts := map[string]struct{}{}
	for i := range m.items {
		hosts[m.items[i].entry.where()] = struct{}{}
	}
	names := slices.Sorted(maps.Keys(hosts))
	delete(hosts, "")
	switch {
	case len(names) == 1 && names[0] != "":
		text += " on " + names[0]
	case len(hosts) > 1 && len(hosts) <= 3:
		text += " on " + strings.Join(slices.Sorted(maps.Keys(hosts)), ", ")
	case len(hosts) > 3:
		text += fmt.Sprintf(" on %d hosts", len(hosts))
	}
	return prefix + text
}

// headline is one alert in one line.
func headline(it *item) string {
	n := it.last()
	state := strings.ToUpper(n.Severity)
	switch {
	case it.entry.Once:
		state = strings.ToUpper(cmp.Or(n.Severity, "notice"))
	case n.Resolved:
		state = "RESOLVED"
	case n.State == "no_data":
		state = "NO DATA"
	case n.State == "flapping":
		state = strings.ToUpper(n.Severity) + ", FLAPPING"
	}
	text := state + " " + it.entry.About.Rule
	if where := it.entry.where(); where != "" {
		text += " on " + where
	}
	switch {
	case it.why == whyEscalated:
		text += " (escalated)"
	case n.Transition == "repeat" && !n.Resolved:
		text += " (still firing)"
	}
	return text
}

// where is the host, or what else identifies the resource.
func (e *entry) where() string {
	for _, key := range []string{keyHostName, "k8s.pod.name", "service.name", "k8s.node.name", "host.id"} {
		if v := e.About.Resource[key]; v != "" {
			return v
		}
		if v := e.About.Group[key]; v != "" {
			return v
		}
	}
	return ""
}

// summary is a line for each rule and state of the alerts.
func summary(items []item) []string {
	type kind struct{ rule, state string }
	counts, hosts := map[kind]int{}, map[kind]map[string]struct{}{}
	for i := range items {
		it := &items[i]
		k := kind{it.entry.About.Rule, it.last().Severity}
		if it.last().Resolved {
			k.state = "resolved"
		}
		counts[k]++
		if hosts[k] == nil {
			hosts[k] = map[string]struct{}{}
		}
		hosts[k][it.entry.where()] = struct{}{}
	}
	var lines []string
	for _, k := range slices.SortedFunc(maps.Keys(counts), func(a, b kind) int {
		return cmp.Or(-cmp.Compare(counts[a], counts[b]), cmp.Compare(a.rule, b.rule), cmp.Compare(a.state, b.state))
	}) {
		line := fmt.Sprintf("%d × %s %s", counts[k], k.state, k.rule)
		if names := slices.Sorted(maps.Keys(hosts[k])); len(names) > 3 {
			line += fmt.Sprintf(" on %d hosts: %s, …", len(names), strings.Join(names[:3], ", "))
		} else if strings.Join(names, "") != "" {
			line += " on " + strings.Join(names, ", ")
		}
		if len(lines) == maxStories {
			return append(lines, "…")
		}
		lines = append(lines, line)
	}
	return lines
}

// intro says why this message came here, and what is odd about it.
func (n *notifier) intro(m *message, now int64) []string {
	var out []string
	if m.Test {
		out = append(out, "This is a test. Nothing is wrong.")
	}
	if m.Storm {
		out = append(out, fmt.Sprintf("%d alerts came at once, so they are in one message.", len(m.items)))
	}
	from := map[string]string{}
	for i := range m.items {
		if it := &m.items[i]; it.why != "" {
			from[it.why] = it.from
		}
	}
	if ch := from[whyEscalated]; ch != "" {
		after := ""
		if cfg, ok := n.cfg.Channels[ch]; ok {
			after = " within " + duration(cfg.EscalateAfter)
		}
		out = append(out, fmt.Sprintf("Told here because nobody acknowledged or resolved it%s of it being told on channel %s.", after, ch))
	}
	if ch := from[whyFallback]; ch != "" {
		n.mu.Lock()
		reason := "takes no messages"
		if n.table != nil && n.table.routes[ch] != nil && n.table.routes[ch].failingSince != 0 {
			rt := n.table.routes[ch]
			reason = fmt.Sprintf("has been failing since %s: %s", clockText(rt.failingSince, now, n.location), rt.failure)
		}
		n.mu.Unlock()
		out = append(out, fmt.Sprintf("Told here because channel %s %s.", ch, strings.TrimSuffix(reason, ".")))
	}
	return out
}

// placeholders are those of page_url.
var placeholders = regexp.MustCompile(`\$?\{([A-Za-z0-9_.]+)\}`)

// pageLink is the page at the moment of the alert.
func pageLink(pageURL string, e *entry, at int64) string {
	if pageURL == "" {
		return ""
	}
	address := placeholders.ReplaceAllStringFunc(pageURL, func(p string) string {
		return url.PathEscape(e.value(placeholders.FindStringSubmatch(p)[1]))
	})
	moment := func(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000Z") }
	const around = int64(30 * time.Minute)
	return address + "#from=" + moment(at-around) + "&to=" + moment(at+around) + "&at=" + moment(at)
}

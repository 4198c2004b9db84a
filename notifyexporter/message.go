package notifyexporter

import (
	"cmp"
	"context"
	"fmt"
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
	// Plain asks for the short form, without markup, pictures and links: the server has refused the message as it is.
	Plain bool
	// Acknowledged tells that it says who looks after alerts that are known, and nothing else: nobody need be woken.
	Acknowledged bool
	// Thread is that of the alerts, and new where they have none yet. Threads are all that the alerts have.
	Thread  string
	Threads []string
	// Open is how many alerts remain active under a thread after this message.
	Open map[string]int

	items []item
	// shortened is why the server refused the message, where it took its short form.
	shortened error
}

// story is one alert in words.
type story struct {
	ID, Episode, Thread string
	Headline            string // CRITICAL disk_full on db1
	Lead                string // The value and its threshold in words, since when, and what changed.
	Text                string // The rule's own message.
	Facts               []fact
	Links               []link
	Resolved            bool
	Severity            string
	Number              int32
	StartedAt, EndedAt  time.Time

	item *item
}

type (
	fact struct{ Name, Text string }
	link struct{ Name, URL string }
)

// maxStories is how many alerts of a message are told in full.
const maxStories = 10

// compose puts a batch into words.
func (n *notifier) compose(ctx context.Context, rt *route, b *batch, now int64) *message {
	m := &message{items: b.items, Storm: b.storm, Open: b.open, Status: "resolved"}
	m.head(rt)
	n.describe(ctx, m, now)
	w := words{location: n.location, pageURL: n.cfg.PageURL, now: now}
	shown := map[string]bool{} // Addresses of links. A storm has each once.
	for i := range m.items[:min(len(m.items), maxStories)] {
		s := w.story(&m.items[i], m.threadOf(&m.items[i]))
		if m.Storm { // What matters is what there is in all.
			s.Facts = slices.DeleteFunc(s.Facts, func(f fact) bool { return f.Name != "Where" })
			s.Links = slices.DeleteFunc(s.Links, func(l link) bool { return shown[l.URL] })
			for _, l := range s.Links {
				shown[l.URL] = true
			}
		}
		m.Alerts = append(m.Alerts, s)
	}
	if m.Storm || len(m.items) > maxStories {
		m.More = summary(m.items)
	}
	m.Title = title(m)
	m.Intro = n.intro(rt, m, now)
	return m
}

// head sorts the alerts, and sets what is true of the message as a whole.
func (m *message) head(rt *route) {
	slices.SortStableFunc(m.items, func(a, b item) int {
		return cmp.Or(boolCompare(a.last().Resolved, b.last().Resolved), -cmp.Compare(a.last().Number, b.last().Number),
			cmp.Compare(a.entry.value(keyHostName), b.entry.value(keyHostName)), cmp.Compare(a.entry.About.Rule, b.entry.About.Rule), cmp.Compare(a.entry.ID, b.entry.ID))
	})
	var uids []string
	threads := map[string]struct{}{}
	m.Acknowledged = true
	for i := range m.items {
		it := &m.items[i]
		m.Acknowledged = m.Acknowledged && it.onlyAcknowledges()
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
	m.Thread = threadFor(rt, m)
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
func threadFor(rt *route, m *message) string {
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

// intro says why this message came here, and what is odd about it.
func (n *notifier) intro(rt *route, m *message, now int64) []string {
	var out []string
	if m.Storm {
		out = append(out, fmt.Sprintf("%d alerts came at once, so they are in one message.", len(m.items)))
	}
	out = append(out, n.lostBefore(rt)...)
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

package notifyexporter

import (
	"strings"
	"time"
)

// conversation is what a message says under one key of a pager.
type conversation struct {
	thread, title string
	number        int32 // The worst severity.
	stories       []*story
	fires         bool   // Something in it is to be told as firing.
	note          string // Who acknowledged it, and what they said.
	over          bool   // All in it is over.
	acknowledged  bool
}

// conversations sorts the alerts of a message by their thread. What has begun and ended since the last message is told as both.
func (m *message) conversations() []*conversation {
	var out []*conversation
	by := map[string]*conversation{}
	for i := range m.items {
		it := &m.items[i]
		thread := m.threadOf(it)
		c := by[thread]
		if c == nil {
			c = &conversation{thread: thread, over: true}
			by[thread] = c
			out = append(out, c)
		}
		s := &story{Headline: headline(it), StartedAt: time.Unix(0, it.entry.Started).UTC(), Resolved: it.last().Resolved, item: it}
		if i < len(m.Alerts) {
			s = &m.Alerts[i]
		}
		c.stories = append(c.stories, s)
		if !it.last().Resolved {
			c.over = false
		}
		if (!it.last().Resolved || it.told == nil) && !it.onlyAcknowledges() {
			c.fires = true
		}
		for i := range it.notices {
			if it.notices[i].Transition == acknowledged {
				c.note = looksAfter(&it.notices[i])
			}
		}
		for _, n := range it.notices {
			c.number = max(c.number, n.Number)
		}
		if !it.last().Resolved {
			c.number = max(it.last().Number, 1)
		}
		c.acknowledged = c.acknowledged || it.entry.Acknowledged != "" && !it.last().Resolved
	}
	for _, c := range out {
		c.title = m.Title
		if len(c.stories) == 1 {
			c.title = c.stories[0].Headline
		}
		for _, s := range c.stories {
			if !s.Resolved {
				c.number = max(c.number, s.item.last().Number)
			}
		}
	}
	return out
}

// key is the same for the same news of the same alerts.
func (c *conversation) key() string {
	texts := []string{c.thread}
	for _, s := range c.stories {
		for i := range s.item.notices {
			texts = append(texts, s.item.notices[i].key())
		}
	}
	return digest(texts...)
}

// worst is the first of the stories, for they are sorted so.
func (c *conversation) worst() *story { return c.stories[0] }

func detail(c *conversation) string {
	if len(c.stories) == 1 && c.stories[0].Text != "" {
		return ": " + c.stories[0].Text
	}
	return ""
}

func sourceOf(c *conversation) string {
	if where := c.worst().item.entry.where(); where != "" {
		return cutTo(where, 255)
	}
	return "otelcol-psutil"
}

// detailsOf are the details of a conversation, by name.
func detailsOf(m *message, c *conversation) map[string]any {
	out := map[string]any{}
	if len(c.stories) == 1 {
		out["summary"] = c.stories[0].Lead
		for _, f := range c.stories[0].Facts {
			out[strings.ToLower(f.Name)] = cutTo(f.Text, 1000)
		}
		for _, l := range c.stories[0].Links {
			out[strings.ToLower(l.Name)] = l.URL
		}
	} else {
		var lines []string
		for _, s := range c.stories[:min(len(c.stories), 50)] {
			lines = append(lines, s.Headline)
		}
		out["alerts"] = lines
	}
	if len(m.Intro) > 0 {
		out["note"] = strings.Join(m.Intro, " ")
	}
	return out
}

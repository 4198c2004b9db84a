package notifyexporter

import (
	"fmt"
	"strings"
)

// markup is how a chat marks text up. Each function gets plain text, and escapes what would be markup in it.
type markup struct {
	escape func(string) string
	bold   func(escaped string) string
	link   func(escaped, address string) string
}

// fit is a text, escaped, and cut so that it takes no more than limit characters then. What is cut is the text, and not the middle of what stands for a sign.
func (u markup) fit(text string, limit int) string {
	for cut := limit; ; cut = cut * 3 / 4 {
		if escaped := u.escape(cutTo(text, max(cut, 1))); unitsOf(escaped) <= limit || cut <= 1 {
			return escaped
		}
	}
}

// marked is the message in a chat's markup, without its title, cut at a line so that it is no longer than limit characters.
func (m *message) marked(u markup, limit int) string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, line := range m.Intro {
		add("%s", u.fit(line, limit/8))
	}
	for _, line := range m.More {
		add("• %s", u.fit(line, limit/8))
	}
	for i := range m.Alerts {
		s := &m.Alerts[i]
		if len(lines) > 0 {
			add("")
		}
		if len(m.items) > 1 {
			add("%s", u.bold(u.fit(s.Headline, limit/8)))
		}
		if s.Lead != "" {
			add("%s", u.fit(s.Lead, limit/6))
		}
		if s.Text != "" {
			add("%s", u.fit(s.Text, limit/2))
		}
		var links []string
		for _, l := range s.Links {
			if unitsOf(l.URL) <= limit/6 {
				links = append(links, u.link(u.escape(l.Name), l.URL))
			}
		}
		if len(links) > 0 {
			add("%s", strings.Join(links, " · "))
		}
		for _, f := range s.Facts {
			add("%s %s", u.bold(u.fit(f.Name, limit/16)+":"), u.fit(f.Text, limit/6))
		}
	}
	return cutLines(lines, limit)
}

package notifyexporter

import (
	"fmt"
	"html"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// plain is the message as plain text, without its title.
func (m *message) plain() string {
	var b strings.Builder
	for _, line := range m.Intro {
		fmt.Fprintf(&b, "%s\n", line)
	}
	for _, line := range m.More {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	if len(m.Intro)+len(m.More) > 0 {
		b.WriteString("\n")
	}
	if len(m.items) > len(m.Alerts) {
		fmt.Fprintf(&b, "The worst %d:\n\n", len(m.Alerts))
	}
	for i := range m.Alerts {
		s := &m.Alerts[i]
		if i > 0 {
			b.WriteString("\n")
		}
		if len(m.items) > 1 {
			fmt.Fprintf(&b, "%s\n", s.Headline)
		}
		for _, text := range []string{s.Lead, s.Text} {
			if text != "" {
				fmt.Fprintf(&b, "%s\n", text)
			}
		}
		for _, l := range s.Links {
			fmt.Fprintf(&b, "  %s: %s\n", l.Name, l.URL)
		}
		for _, f := range s.Facts {
			fmt.Fprintf(&b, "  %s: %s\n", f.Name, f.Text)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// markup is how a chat marks text up. Each function gets plain text, and escapes what would be markup in it.
type markup struct {
	escape func(string) string
	bold   func(escaped string) string
	link   func(escaped, address string) string
}

// marked is the message in a chat's markup, without its title, cut at a line so that it is no longer than limit characters.
func (m *message) marked(u markup, limit int) string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, line := range m.Intro {
		add("%s", u.escape(line))
	}
	for _, line := range m.More {
		add("• %s", u.escape(line))
	}
	for i := range m.Alerts {
		s := &m.Alerts[i]
		if len(lines) > 0 {
			add("")
		}
		if len(m.items) > 1 {
			add("%s", u.bold(u.escape(s.Headline)))
		}
		for _, text := range []string{s.Lead, s.Text} {
			if text != "" {
				add("%s", u.escape(text))
			}
		}
		var links []string
		for _, l := range s.Links {
			links = append(links, u.link(u.escape(l.Name), l.URL))
		}
		if len(links) > 0 {
			add("%s", strings.Join(links, " · "))
		}
		for _, f := range s.Facts {
			add("%s %s", u.bold(u.escape(f.Name)+":"), u.escape(f.Text))
		}
	}
	return cutLines(lines, limit)
}

// cutLines joins lines as far as they fit.
func cutLines(lines []string, limit int) string {
	text := ""
	for i, line := range lines {
		if i > 0 {
			line = "\n" + line
		}
		if len([]rune(text))+len([]rune(line)) > limit-2 {
			return text + "\n…"
		}
		text += line
	}
	return text
}

// colors are those of a message, by how bad it is.
func (m *message) color() (hex string, number int) {
	switch {
	case m.Status == "resolved":
		return "#2e7d32", 0x2e7d32
	case m.Acknowledged:
		return "#1565c0", 0x1565c0
	case m.Number >= 17:
		return "#c62828", 0xc62828
	case m.Number >= 13:
		return "#ef6c00", 0xef6c00
	default:
		return "#1565c0", 0x1565c0
	}
}

// symbol stands before titles in chats.
func (m *message) symbol() string {
	switch {
	case m.Status == "resolved":
		return "✅"
	case m.Acknowledged:
		return "👀"
	case m.Number >= 17:
		return "🔴"
	case m.Number >= 13:
		return "🟠"
	default:
		return "🔵"
	}
}

// htmlPart is the message as an HTML document. Nothing in it is loaded from elsewhere.
func (m *message) htmlPart(pictures [][]byte) string {
	var b strings.Builder
	color, _ := m.color()
	e := html.EscapeString
	fmt.Fprintf(&b, `<!DOCTYPE html><html><head><meta charset="utf-8"><title>%s</title></head><body style="font-family:sans-serif;font-size:14px;color:#222">`, e(m.Title))
	fmt.Fprintf(&b, `<p style="font-size:18px;border-left:6px solid %s;padding-left:10px"><b>%s</b></p>`, color, e(m.Title))
	for _, line := range m.Intro {
		fmt.Fprintf(&b, "<p>%s</p>", e(line))
	}
	for _, line := range m.More {
		fmt.Fprintf(&b, "<li>%s</li>", e(line))
	}
	for i := range m.Alerts {
		s := &m.Alerts[i]
		if len(m.items) > 1 {
			fmt.Fprintf(&b, "<p><b>%s</b></p>", e(s.Headline))
		}
		for _, text := range []string{s.Lead, s.Text} {
			if text != "" {
				fmt.Fprintf(&b, `<p style="white-space:pre-wrap">%s</p>`, e(text))
			}
		}
		for _, l := range s.Links {
			fmt.Fprintf(&b, `<p><a href="%s">%s</a></p>`, e(l.URL), e(l.Name))
		}
		if i < len(pictures) && pictures[i] != nil {
			fmt.Fprintf(&b, `<p><img src="cid:%s" alt="%s" width="%d" height="%d"><br><small>%s</small></p>`, pictureName(i), e(s.around()), chartWidth/2, chartHeight/2, e(s.around()))
		}
		b.WriteString(`<table style="border-collapse:collapse">`)
		for _, f := range s.Facts {
			fmt.Fprintf(&b, `<tr><td style="padding:2px 12px 2px 0;color:#666;vertical-align:top">%s</td><td style="white-space:pre-wrap">%s</td></tr>`, e(f.Name), e(f.Text))
		}
		b.WriteString("</table>")
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// cutTo cuts a text to so many characters.
func cutTo(text string, limit int) string {
	runes := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	if len(runes) <= limit {
		return string(runes)
	}
	return string(runes[:limit-1]) + alertschema.Ellipsis
}

// oneLine makes a text one line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

package notifyexporter

import (
	"fmt"
	"strings"
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

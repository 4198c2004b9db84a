package notifyexporter

import (
	"fmt"
	"html"
	"strings"
)

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

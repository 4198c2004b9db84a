package main

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// colors are the sixteen of a terminal, as xterm has them but on a page.
var colors = [16]string{
	"#12151a", "#d0605e", "#7faa5b", "#c9a04a", "#5c8fd6", "#a97fc4", "#55a5a5", "#c8ccd4",
	"#6b717c", "#e88986", "#a3cb7f", "#e6c276", "#8ab4f0", "#c9a3e0", "#83c9c9", "#f2f4f8",
}

// style is how the text that follows is shown.
type style struct {
	foreground, background  string
	bold, faint, underlined bool
	reversed                bool
}

// terminalPage is a page that shows what a terminal does; text has the escape sequences of ECMA-48 that set colours and weights (SGR), as
// `tmux capture-pane -e` gives them. Others are left out.
func terminalPage(text string) string {
	var b strings.Builder
	b.WriteString(`<!doctype html><meta charset="utf-8"><body data-ready style="margin:0;background:#12151a"><pre style="display:inline-block;margin:0;padding:14px 18px;` +
		`font:14px/1.25 'DejaVu Sans Mono',monospace;color:#c8ccd4;background:#12151a">`)
	var s style
	for text != "" {
		plain, rest, found := strings.Cut(text, "\x1b[")
		if plain != "" {
			fmt.Fprintf(&b, `<span style="%s">%s</span>`, s.css(), html.EscapeString(plain))
		}
		if !found {
			break
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' && r <= '~' })
		if end < 0 {
			break
		}
		if rest[end] == 'm' {
			s.set(strings.Split(rest[:end], ";"))
		}
		text = rest[end+1:]
	}
	b.WriteString("</pre>")
	return b.String()
}

// set applies the parameters of one sequence.
func (s *style) set(parameters []string) {
	for i := 0; i < len(parameters); i++ {
		n, _ := strconv.Atoi(parameters[i]) // An empty one is 0.
		switch {
		case n == 0:
			*s = style{}
		case n == 1:
			s.bold = true
		case n == 2:
			s.faint = true
		case n == 4:
			s.underlined = true
		case n == 7:
			s.reversed = true
		case n == 22:
			s.bold, s.faint = false, false
		case n == 24:
			s.underlined = false
		case n == 27:
			s.reversed = false
		case n >= 30 && n <= 37:
			s.foreground = colors[n-30]
		case n >= 90 && n <= 97:
			s.foreground = colors[n-90+8]
		case n == 39:
			s.foreground = ""
		case n >= 40 && n <= 47:
			s.background = colors[n-40]
		case n >= 100 && n <= 107:
			s.background = colors[n-100+8]
		case n == 49:
			s.background = ""
		case n == 38 || n == 48:
			color, used := extended(parameters[i+1:])
			i += used
			if n == 38 {
				s.foreground = color
			} else {
				s.background = color
			}
		}
	}
}

// extended reads a colour of 256 or of 16 million, and how many parameters it took.
func extended(parameters []string) (color string, used int) {
	number := func(i int) int { n, _ := strconv.Atoi(parameters[i]); return n }
	switch {
	case len(parameters) >= 4 && parameters[0] == "2":
		return fmt.Sprintf("#%02x%02x%02x", number(1), number(2), number(3)), 4
	case len(parameters) < 2 || parameters[0] != "5":
		return "", len(parameters)
	}
	switch n := number(1); {
	case n < 16:
		return colors[max(n, 0)], 2
	case n < 232:
		level := func(v int) int {
			if v == 0 {
				return 0
			}
			return 55 + 40*v
		}
		n -= 16
		return fmt.Sprintf("#%02x%02x%02x", level(n/36), level(n/6%6), level(n%6)), 2
	default:
		gray := 8 + 10*(n-232)
		return fmt.Sprintf("#%02x%02x%02x", gray, gray, gray), 2
	}
}

func (s *style) css() string {
	foreground, background := s.foreground, s.background
	if s.reversed {
		foreground, background = background, foreground
		if foreground == "" {
			foreground = "#12151a"
		}
		if background == "" {
			background = "#c8ccd4"
		}
	}
	var out []string
	if foreground != "" {
		out = append(out, "color:"+foreground)
	}
	if background != "" {
		out = append(out, "background:"+background)
	}
	if s.bold {
		out = append(out, "font-weight:bold")
	}
	if s.faint {
		out = append(out, "opacity:.65")
	}
	if s.underlined {
		out = append(out, "text-decoration:underline")
	}
	return strings.Join(out, ";")
}

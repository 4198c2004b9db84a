package main

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/tview"
	"github.com/rivo/uniseg"
)

// clean replaces what would steer the terminal: names are text of others.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s)
}

// natural orders numbers by their value and all else as text.
func natural(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(a, b)
}

// span is text in one style: a colour of tview, or none.
type span struct{ text, style string }

type line []span

func (l line) plain() string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.text)
	}
	return strings.TrimRight(b.String(), " ")
}

func (l line) tagged() string {
	var b strings.Builder
	for _, s := range l {
		if s.style == "" {
			b.WriteString(tview.Escape(s.text))
			continue
		}
		fmt.Fprintf(&b, "[%s]%s[-:-:-]", s.style, tview.Escape(s.text))
	}
	return b.String()
}

func (l line) width() int {
	n := 0
	for _, s := range l {
		n += uniseg.StringWidth(s.text)
	}
	return n
}

// fit cuts text to a width or fills it with spaces: on the right, or on the left for a negative width.
func fit(s string, width int) string {
	n := max(width, -width)
	have := uniseg.StringWidth(s)
	if have > n {
		var b strings.Builder
		used := 0
		for g := uniseg.NewGraphemes(s); g.Next(); {
			if used+g.Width() > n-1 {
				break
			}
			b.WriteString(g.Str())
			used += g.Width()
		}
		s = b.String() + "…"
		have = used + 1
	}
	fill := strings.Repeat(" ", max(0, n-have))
	if width < 0 {
		return fill + s
	}
	return s + fill
}

// digits writes three significant digits, never an exponent.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case a >= 99.95 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

func percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if p := v * 100; p < 9.95 {
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(v*100, 'f', 0, 64) + " %"
}

func scaled(v, base float64, prefixes string) string {
	if math.IsNaN(v) {
		return "–"
	}
	i := 0
	for v >= base*0.9995 && i < len(prefixes) {
		v /= base
		i++
	}
	if i == 0 {
		return digits(math.Round(v)) + " "
	}
	return digits(v) + " " + prefixes[i-1:i]
}

func size(v float64) string {
	s := scaled(v, 1024, "KMGTP")
	switch {
	case s == "–":
		return s
	case strings.HasSuffix(s, " "):
		return s + "B"
	default:
		return s + "iB"
	}
}

func rate(v float64) string {
	s := scaled(v, 1000, "kMGTP")
	if s == "–" {
		return s
	}
	return s + "B/s"
}

// quantity is a value in the unit of an alert.
func quantity(v *float64, unit string) string {
	switch {
	case v == nil:
		return ""
	case unit == "1":
		return percent(*v)
	case unit == "By":
		return size(*v)
	case unit == "By/s":
		return rate(*v)
	case unit == "" || strings.HasPrefix(unit, "{"):
		return digits(*v)
	default:
		return digits(*v) + " " + clean(unit)
	}
}

// lasting is a length of time in at most two units.
func lasting(ms float64) string {
	if math.IsNaN(ms) {
		return "–"
	}
	s := int64(ms / 1000)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min", s/60)
	case s < 86400:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	default:
		return fmt.Sprintf("%d d %d h", s/86400, s%86400/3600)
	}
}

const blocks = "▁▂▃▄▅▆▇█"

// spark draws the newest values as a row of blocks of a width; a gap is a space. The top is 1, or the largest value if top is 0.
func spark(values []float64, width int, top float64) string {
	if len(values) > width {
		values = values[len(values)-width:]
	}
	if top == 0 {
		for _, v := range values {
			if v > top {
				top = v
			}
		}
	}
	marks := []rune(blocks)
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", max(0, width-len(values))))
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteRune(' ')
		case top <= 0:
			b.WriteRune(marks[0])
		default:
			b.WriteRune(marks[min(len(marks)-1, max(0, int(v/top*float64(len(marks)))))])
		}
	}
	return b.String()
}

// bar draws shares of a whole one after the other, each in its style.
func bar(width int, shares []float64, styles []string) line {
	var l line
	used := 0
	total := 0.0
	for i, share := range shares {
		if math.IsNaN(share) {
			continue
		}
		total += share
		end := min(width, int(math.Round(total*float64(width))))
		if end > used {
			l = append(l, span{strings.Repeat(fill(i), end-used), styles[i]})
			used = end
		}
	}
	return append(l, span{strings.Repeat("·", width-used), muted})
}

// fill is the second code of a part of a bar beside its colour.
func fill(i int) string { return []string{"█", "▓", "▒", "░"}[min(i, 3)] }

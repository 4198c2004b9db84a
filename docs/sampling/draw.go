package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The picture's size, and where the plot is in it.
const (
	width, height            = 960, 430
	left, right, top, bottom = 84, 210, 68, 48
)

// step is what the lines of the grid are apart, and million the unit at the axis.
const (
	million = 1e6
	step    = 40 * million
)

// shown are the lines of the exports, each a flat one over its minute.
var shown = []struct {
	name, colour, label string
}{
	{metric + ".max", "#c0392b", "peak (.max)"},
	{metric, "#1f5fa8", "plain gauge"},
	{metric + ".p95", "#b9770e", "95th percentile (.p95)"},
}

// rate writes bytes a second with three digits.
func rate(v float64) string {
	if v < million {
		return fmt.Sprintf("%.3g kB/s", v/1000)
	}
	return fmt.Sprintf("%.3g MB/s", v/million)
}

type canvas struct {
	text     strings.Builder
	from, to time.Time
	highest  float64 // of the plot
}

func (c *canvas) x(t time.Time) float64 {
	return left + (width-left-right)*t.Sub(c.from).Seconds()/c.to.Sub(c.from).Seconds()
}

func (c *canvas) y(v float64) float64 { return height - bottom - (height-top-bottom)*v/c.highest }

func (c *canvas) add(format string, a ...any) { fmt.Fprintf(&c.text, format+"\n", a...) }

// draw gives the picture as SVG: what happened second by second, and over it what was exported of each minute.
func draw(each []point, sampled map[string][]point) string {
	exports := sampled[metric+".max"]
	if len(exports) > 0 && len(sampled[metric]) > 0 {
		exports = exports[len(exports)-len(sampled[metric]):]
	}
	if len(exports) == 0 || len(each) == 0 {
		return `<svg xmlns="http://www.w3.org/2000/svg"/>`
	}
	c := &canvas{from: exports[0].at.Add(-minute), to: exports[len(exports)-1].at, highest: step}
	for _, p := range exports {
		c.highest = max(c.highest, math.Ceil(p.value/step)*step)
	}
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="13">`,
		width, height, width, height)
	c.add(`<rect width="%d" height="%d" fill="#ffffff"/>`, width, height)
	c.add(`<text x="%d" y="24" font-size="16" font-weight="bold" fill="#222">A transfer of two seconds, exported once a minute</text>`, left)
	c.add(`<text x="%d" y="44" fill="#555">%s, received over lo; grey: the same, exported every second</text>`, left, metric)
	c.axes()
	c.second(each)
	c.exports(sampled)
	c.add(`</svg>`)
	return c.text.String()
}

func (c *canvas) axes() {
	for v := 0.0; v <= c.highest; v += step {
		c.add(`<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>`, left, width-right, c.y(v), c.y(v))
		c.add(`<text x="%d" y="%.1f" text-anchor="end" fill="#555">%.0f MB/s</text>`, left-8, c.y(v)+4, v/million)
	}
	for t, n := c.from, 0; !t.After(c.to.Add(time.Second)); t, n = t.Add(minute), n+1 {
		c.add(`<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ddd"/>`, c.x(t), c.x(t), top, height-bottom)
		c.add(`<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%d min</text>`, c.x(t), height-bottom+20, n)
	}
}

// second draws what happened second by second.
func (c *canvas) second(each []point) {
	var line strings.Builder
	for _, p := range each {
		if p.at.Before(c.from) || p.at.After(c.to) {
			continue
		}
		fmt.Fprintf(&line, "%.1f,%.1f ", c.x(p.at), c.y(p.value))
	}
	c.add(`<polyline points="%s" fill="none" stroke="#9a9a9a" stroke-width="1"/>`, strings.TrimSpace(line.String()))
}

// exports draws each exported value over its minute, and says what the lines are, and what each was in the minute of the burst.
func (c *canvas) exports(sampled map[string][]point) {
	peak := point{}
	for _, p := range sampled[metric+".max"] {
		if p.value > peak.value && p.at.After(c.from) {
			peak = p
		}
	}
	for i, s := range shown {
		y := float64(top + 20 + 52*i)
		c.add(`<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="3"/>`, width-right+14, width-right+36, y-4, y-4, s.colour)
		c.add(`<text x="%d" y="%.1f" fill="%s">%s</text>`, width-right+42, y, s.colour, s.label)
		for _, p := range sampled[s.name] {
			if !p.at.After(c.from) {
				continue
			}
			c.add(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="3"/>`,
				c.x(p.at.Add(-minute)), c.x(p.at), c.y(p.value), c.y(p.value), s.colour)
			if p.at.Equal(peak.at) {
				c.add(`<text x="%d" y="%.1f" font-size="16" fill="%s">%s</text>`, width-right+42, y+20, s.colour, rate(p.value))
			}
		}
	}
	c.add(`<text x="%d" y="%d" fill="#555">in the minute of the burst</text>`, width-right+14, top+20+52*len(shown))
}

package main

import (
	"fmt"
	"strings"
)

// Measures of the picture, in pixels.
const (
	width, panel    = 760, 130
	left, right     = 70, 20
	top, gap        = 60, 50
	pictureFontSize = 12
)

// draw makes a picture of the quantities over time, one above the other, each from zero, with its trend.
func draw(o *options, v *result, samples []sample) []byte {
	var b strings.Builder
	height := top + len(v.quantities)*(panel+gap)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="%d">`+"\n", width, height, pictureFontSize)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text x="%d" y="20" font-size="14" fill="#222">Two receivers every second, all exporters, %d processes a second that come and go</text>`+"\n", left, o.rate)
	for i, f := range v.quantities {
		f.draw(&b, o, samples, top+i*(panel+gap))
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// draw adds the panel of one quantity.
func (f *quantity) draw(b *strings.Builder, o *options, samples []sample, y int) {
	var highest float64
	for i := range samples {
		highest = max(highest, f.of(&samples[i]))
	}
	highest = ceiling(highest)
	x := func(hours float64) float64 { return left + hours/o.duration.Hours()*(width-left-right) }
	down := func(value float64) float64 { return float64(y) + panel*(1-value/highest) }

	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="#f0f0f0"/>`+"\n", left, y, x(o.warm.Hours())-left, panel)
	for i := range 5 {
		value := highest * float64(i) / 4
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end" fill="#555">%g</text>`+"\n",
			left, down(value), width-right, down(value), left-6, down(value)+4, value)
	}
	for i := range 7 {
		hours := o.duration.Hours() * float64(i) / 6
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%.2g min</text>`+"\n", x(hours), y+panel+15, hours*60)
	}
	name := f.name
	if f.unit != "" {
		name += ", " + f.unit
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="#222">%s: %+.2f ± %.2f an hour</text>`+"\n", left, y-6, name, f.line.perHour, 2*f.line.doubt)
	b.WriteString(`<polyline fill="none" stroke="#1f6fb2" stroke-width="1.5" points="`)
	for i := range samples {
		fmt.Fprintf(b, "%.1f,%.1f ", x(samples[i].at.Hours()), down(f.of(&samples[i])))
	}
	b.WriteString(`"/>` + "\n")
	from, to := o.warm.Hours(), o.duration.Hours()
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#c0392b" stroke-dasharray="6 4"/>`+"\n",
		x(from), down(f.line.atStart+f.line.perHour*from), x(to), down(f.line.atStart+f.line.perHour*to))
}

// ceiling is the next number above that divides well by four.
func ceiling(v float64) float64 {
	step := 4.0
	for step*10 < v {
		step *= 10
	}
	for _, m := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8, 10} {
		if step*m >= v {
			return step * m
		}
	}
	return step * 10
}

package notifyexporter

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// The size of a chart, in pixels. It is shown at half of it.
const (
	chartWidth  = 960
	chartHeight = 200
	chartMargin = 8
	lineWidth   = 4
)

// The colors of a chart. It has a background of its own, and so is read on a light and on a dark page alike.
const (
	colorBack uint8 = iota
	colorFrame
	colorArea
	colorLine
	colorThreshold
)

var chartColors = color.Palette{
	colorBack: color.RGBA{0xff, 0xff, 0xff, 0xff}, colorFrame: color.RGBA{0xc0, 0xc4, 0xcc, 0xff}, colorArea: color.RGBA{0xd6, 0xe4, 0xf7, 0xff},
	colorLine: color.RGBA{0x15, 0x65, 0xc0, 0xff}, colorThreshold: color.RGBA{0xc6, 0x28, 0x28, 0xff},
}

// chart draws values over time as a PNG, with the threshold as a dashed line where there is one. It is nil when there is nothing to draw.
func chart(values []float64, threshold *float64) ([]byte, error) {
	low, high, ok := bounds(values)
	if !ok || len(values) < 2 {
		return nil, nil
	}
	if threshold != nil {
		low, high = min(low, *threshold), max(high, *threshold)
	}
	if high == low {
		low, high = low-1, high+1
	}
	img := image.NewPaletted(image.Rect(0, 0, chartWidth, chartHeight), chartColors)
	x := func(i int) float64 {
		return chartMargin + float64(i)*float64(chartWidth-2*chartMargin)/float64(len(values)-1)
	}
	y := func(v float64) float64 {
		return chartMargin + (high-v)/(high-low)*float64(chartHeight-2*chartMargin)
	}
	for i := 1; i < len(values); i++ {
		drawStep(img, x(i-1), y(values[i-1]), x(i), y(values[i]))
	}
	if threshold != nil {
		for px := chartMargin; px < chartWidth-chartMargin; px++ {
			if px/16%2 == 0 {
				dot(img, float64(px), y(*threshold), colorThreshold)
			}
		}
	}
	frame(img)
	var out bytes.Buffer
	err := png.Encode(&out, img)
	return out.Bytes(), err
}

// drawStep draws the line between two values and the area under it. A gap is left free.
func drawStep(img *image.Paletted, x0, y0, x1, y1 float64) {
	if math.IsNaN(y0) || math.IsNaN(y1) || math.IsInf(y0, 0) || math.IsInf(y1, 0) {
		return
	}
	at := func(x float64) float64 { return y0 + (y1-y0)*(x-x0)/(x1-x0) }
	for x := math.Ceil(x0); x <= x1; x++ {
		for y := int(at(x)); y < chartHeight-chartMargin; y++ {
			if img.ColorIndexAt(int(x), y) == colorBack {
				img.SetColorIndex(int(x), y, colorArea)
			}
		}
	}
	steps := max(math.Abs(x1-x0), math.Abs(y1-y0), 1)
	for s := 0.0; s <= steps; s++ {
		dot(img, x0+(x1-x0)*s/steps, y0+(y1-y0)*s/steps, colorLine)
	}
}

// dot draws a point as thick as the line.
func dot(img *image.Paletted, x, y float64, c uint8) {
	for dx := range lineWidth {
		for dy := range lineWidth {
			p := image.Pt(int(x)+dx-lineWidth/2, int(y)+dy-lineWidth/2)
			if p.In(img.Rect) {
				img.SetColorIndex(p.X, p.Y, c)
			}
		}
	}
}

// frame draws the border.
func frame(img *image.Paletted) {
	for x := range chartWidth {
		img.SetColorIndex(x, 0, colorFrame)
		img.SetColorIndex(x, chartHeight-1, colorFrame)
	}
	for y := range chartHeight {
		img.SetColorIndex(0, y, colorFrame)
		img.SetColorIndex(chartWidth-1, y, colorFrame)
	}
}

// pictureName is the name of the picture of an alert of a message, and its Content-ID.
func pictureName(i int) string { return fmt.Sprintf("last-hour-%d.png", i+1) }

// pictures are the charts of the alerts of a message, nil where there is none.
func (m *message) pictures() ([][]byte, error) {
	out := make([][]byte, len(m.Alerts))
	for i := range m.Alerts {
		it := m.Alerts[i].item
		if it == nil || it.around == nil {
			continue
		}
		var err error
		if out[i], err = chart(it.around.Values, it.threshold()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// threshold is that of the alert where it is one of the values that are shown.
func (it *item) threshold() *float64 {
	if it.around == nil || it.around.Unit != it.entry.About.Unit {
		return nil
	}
	return it.last().Threshold
}

// around says what a picture shows.
func (s *story) around() string {
	c := s.item.around
	low, high, _ := bounds(c.Values)
	text := "The last hour: " + spanText(low, high, c)
	if t := s.item.threshold(); t != nil {
		text += ". Dashed: the threshold of " + quantity(*t, c.Unit, c.Metric)
	}
	return text
}

package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// paletted writes a picture again with at most 256 of its colours, every other one as the nearest of them: a page has few, but for the edges of its
// letters and lines, and the file is a third as large.
func paletted(picture []byte) ([]byte, error) {
	from, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	bounds := from.Bounds()
	counts := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA {
		return color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	colors := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		colors = append(colors, c)
	}
	slices.SortFunc(colors, func(a, b color.RGBA) int {
		return cmp.Or(counts[b]-counts[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	palette := chosen(colors)
	place := map[color.RGBA]uint8{}
	for _, c := range colors {
		place[c] = uint8(palette.Index(c)) //nolint:gosec // A palette has 256.
	}
	to := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			to.SetColorIndex(x, y, place[at(x, y)])
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, to)
	return out.Bytes(), err
}

// chosen are at most 256 of the colours, the most frequent first, so far apart that they cover all: a colour that is rare, and like no other, stays.
func chosen(colors []color.RGBA) color.Palette {
	for apart := 0; ; apart += 2 {
		var out color.Palette
		for _, c := range colors {
			if !slices.ContainsFunc(out, func(o color.Color) bool { return distance(c, o.(color.RGBA)) <= apart }) {
				out = append(out, c)
			}
			if len(out) > 256 {
				break
			}
		}
		if len(out) <= 256 {
			return out
		}
	}
}

// distance is the largest difference of a channel.
func distance(a, b color.RGBA) int {
	far := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return max(far(a.R, b.R), far(a.G, b.G), far(a.B, b.B))
}

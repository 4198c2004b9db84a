package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// TestARareColourStays: a picture of very many colours keeps each as it is to the eye, and what is like no other to the bit.
func TestARareColourStays(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 256, 256))
	for y := range 256 {
		for x := range 256 {
			picture.SetRGBA(x, y, color.RGBA{R: uint8(x / 4), G: uint8(x / 2), B: uint8(x) ^ uint8(y/16), A: 255})
		}
	}
	rare := color.RGBA{R: 255, A: 255}
	picture.SetRGBA(7, 9, rare)
	var in bytes.Buffer
	if err := png.Encode(&in, picture); err != nil {
		t.Fatal(err)
	}
	out, err := paletted(in.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	for y := range 256 {
		for x := range 256 {
			c := color.RGBAModel.Convert(got.At(x, y)).(color.RGBA)
			if d := distance(c, picture.RGBAAt(x, y)); d > 24 {
				t.Fatalf("%d,%d: %v became %v", x, y, picture.RGBAAt(x, y), c)
			}
		}
	}
	if c := color.RGBAModel.Convert(got.At(7, 9)); c != rare {
		t.Errorf("the rare colour became %v", c)
	}
}

package printable

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestName(t *testing.T) {
	for name, want := range map[string]string{
		"":                     "",
		"/mnt/data":            "/mnt/data",
		"caf\xe9":              "caf\uFFFDE9",
		"caf\xc3\xa9":          "café",
		"日本\u8a9e 🚀":           "日本語 🚀",
		"\xff":                 "\uFFFDFF",
		"\xfe":                 "\uFFFDFE",
		"\xff\xfe":             "\uFFFDFF\uFFFDFE",
		"\uFFFD":               "\uFFFDEF\uFFFDBF\uFFFDBD",
		"\uFFFDFF":             "\uFFFDEF\uFFFDBF\uFFFDBDFF",
		"two\nlines\t\x1b[31m": "two\uFFFD0Alines\uFFFD09\uFFFD1B[31m",
		"a\x7fb\u009bc":        "a\uFFFD7Fb\uFFFDC2\uFFFD9Bc",
		"\xed\xa0\x80":         "\uFFFDED\uFFFDA0\uFFFD80", // A surrogate, which UTF-8 does not have.
		"\xc0\xaf":             "\uFFFDC0\uFFFDAF",         // An overlong slash.
		"a\u2028b\u202ec":      "a\uFFFDE2\uFFFD80\uFFFDA8b\uFFFDE2\uFFFD80\uFFFDAEc",
	} {
		assert.Equal(t, want, Name(name), "%q", name)
	}
}

// TestInvisibleCharactersAreShown: names that differ only in what can't be seen look different. What scripts and emoji need stays.
func TestInvisibleCharactersAreShown(t *testing.T) {
	shown := []rune{
		0xAD, 0x061C, 0x180E, 0x200B, 0x200E, 0x2028, 0x202E, 0x2060, 0x2061, 0x2064, 0x2066, 0x206F, 0x3164, 0xFEFF, 0xFFA0, 0xFFF9, 0xFFFB,
		0xFDD0, 0xFDEF, 0x1D173, 0x1D17A, 0xE0000, 0xE0001, 0xE0020, 0xE0041, 0xE007F,
	}
	for plane := rune(0); plane <= 16; plane++ {
		shown = append(shown, plane<<16|0xFFFE, plane<<16|0xFFFF)
	}
	for _, r := range shown {
		name := "a" + string(r) + "b"
		text := Name(name)
		assert.NotContains(t, text, string(r), "%U", r)
		assert.Equal(t, name, original(text), "%U", r)
	}
	for _, name := range []string{"می\u200cخواهم", "क्\u200dष", "👩\u200d💻", "❤️", "葛󠄀", " ", "　"} {
		assert.Equal(t, name, Name(name))
	}
}

// original undoes Printable.
func original(text string) string {
	var out []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError {
			out = append(out, hexValue(text[size])<<4|hexValue(text[size+1]))
			size += 2
		} else {
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
	return string(out)
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'A' + 10
}

// FuzzName: what comes out is valid and harmless, and the name can be had back from it, so that no two names become one.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"", "a", "\xff", "\uFFFDFF", "a\nb", "\xe2\x80", "日本", "\x00\x1b]0;title\x07"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		text := Name(name)
		require.True(t, utf8.ValidString(text))
		for _, r := range text {
			require.False(t, unicode.IsControl(r), "%q", text)
		}
		require.Equal(t, name, original(text))
	})
}

func TestPrintableNamesCostNothing(t *testing.T) {
	for _, name := range []string{"/dev/mapper/vg-root", "日本語", "été"} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { _ = Name(name) }), name)
	}
}

func BenchmarkName(b *testing.B) {
	for _, name := range []string{"eth0", "/usr/lib/postgresql/15/bin/postgres", "日本語"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = Name(name)
			}
		})
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "café": "café", "\uFFFDE9": "\uFFFDE9", "caf\xe9": "caf\uFFFDE9", "a\x1b[31m": "a\uFFFD1B[31m", "a\nb\tc": "a\uFFFD0Ab\uFFFD09c", "a\u202eb": "a\uFFFDE2\uFFFD80\uFFFDAEb",
		"a\u009b31m": "a\uFFFDC2\uFFFD9B31m", "a\x7f": "a\uFFFD7F",
	} {
		assert.Equal(t, want, Text(text))
		assert.Equal(t, want, Text(Text(text)), "it may be applied again")
	}
	assert.Equal(t, "a\nb\tc\uFFFD1B\uFFFD0D", Lines("a\nb\tc\x1b\r"))
}

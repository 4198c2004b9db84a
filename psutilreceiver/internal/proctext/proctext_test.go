package proctext

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestField(t *testing.T) {
	for _, tc := range []struct{ text, first, rest string }{
		{"", "", ""},
		{"   ", "", ""},
		{"one", "one", ""},
		{"  one\ttwo\n", "one", "\ttwo\n"},
		{"one\r\ntwo", "one", "\r\ntwo"},
	} {
		first, rest := Field([]byte(tc.text))
		assert.Equal(t, tc.first, string(first), "%q", tc.text)
		assert.Equal(t, tc.rest, string(rest), "%q", tc.text)
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "007": 7, "18446744073709551615": math.MaxUint64} {
		got, ok := Uint([]byte(text))
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-1", "+1", "1.0", "x", "1 ", "18446744073709551616", "99999999999999999999", "123456789012345678901"} {
		_, ok := Uint([]byte(text))
		assert.False(t, ok, text)
	}
	_, ok := Int([]byte("9223372036854775808"))
	assert.False(t, ok)
	v, ok := Int([]byte("9223372036854775807"))
	assert.True(t, ok)
	assert.Equal(t, int64(math.MaxInt64), v)

	for text, want := range map[string]float64{"0.00": 0, "12": 12, "3.97": 3.97, "0.29": 0.29, "1216804.37": 1216804.37} {
		got, ok := Decimal([]byte(text))
		assert.True(t, ok, text)
		assert.Equal(t, math.Float64bits(want), math.Float64bits(got), text)
	}
	for _, text := range []string{"", ".", "1.", ".5", "1.2.3", "-1.0", "1e3", "nan", "inf"} {
		_, ok := Decimal([]byte(text))
		assert.False(t, ok, text)
	}
}

func TestUnescape(t *testing.T) {
	for escaped, want := range map[string]string{
		"/swapfile":          "/swapfile",
		`/var/swap\040file`:  "/var/swap file",
		`\011\012\134\040`:   "\t\n\\ ",
		`tail\04`:            `tail\04`,
		`not\0x9octal\999`:   `not\0x9octal\999`,
		`\377`:               "\xff",
		`\400 is no byte`:    `\400 is no byte`,
		`\134040 stays this`: `\040 stays this`,
	} {
		assert.Equal(t, want, string(Unescape([]byte(escaped))), escaped)
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("cpu  1 2 3\ncpu0 1 2\n"))
	f.Add([]byte(`/a\040b\` + "\n\r\t 18446744073709551616 1.5"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := 0
		for rest := text; len(rest) > 0; lines++ {
			var l []byte
			l, rest = Line(rest)
			assert.NotContains(t, string(l), "\n")
			for {
				var word []byte
				if word, l = Field(l); len(word) == 0 {
					break
				}
				checkWord(t, word)
			}
		}
		assert.LessOrEqual(t, lines, 1+strings.Count(string(text), "\n"))
	})
}

// checkWord compares the parsers of numbers with those of the standard library.
func checkWord(t *testing.T, word []byte) {
	t.Helper()
	assert.LessOrEqual(t, len(Unescape(word)), len(word))
	v, ok := Uint(word)
	want, err := strconv.ParseUint(string(word), 10, 64)
	if ok {
		require.NoError(t, err)
		assert.Equal(t, want, v)
	} else if err == nil {
		assert.Greater(t, len(word), 20, "only numbers with many leading zeros are refused")
	}
	if d, ok := Decimal(word); ok {
		want, err := strconv.ParseFloat(string(word), 64)
		require.NoError(t, err)
		assert.InEpsilon(t, want+1, d+1, 1e-9)
	}
}

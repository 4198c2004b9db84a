package rules

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnitsByMeaning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b   string
		factor float64 // 0 where they don't measure the same.
	}{
		{"%", "1", 0.01},
		{"1", "%", 100},
		{"{cpu}", "1", 1},
		{"{cpu}", "%", 100},
		{"{a}", "{b}", 1},
		{"1{cpu}", "1", 1},
		{"%{x}", "%", 1},
		{"ratio", "percent", 100},
		{"KiBy", "By", 1024},
		{"MiBy", "KiBy", 1024},
		{"GBy", "By", 1e9},
		{"kBy", "By", 1e3},
		{"TiBy", "GiBy", 1024},
		{"bytes", "By", 1},
		{"KiB", "By", 1024},
		{"MB", "By", 1e6},
		{"KB", "By", 1e3},
		{"By{free}", "By", 1},
		{"bit", "By", 0.125},
		{"Mbit", "By", 125000},
		{"Kibit", "bit", 1024},
		{"bit/s", "By/s", 0.125},
		{"ms", "s", 1e-3},
		{"us", "ms", 1e-3},
		{"µs", "ns", 1e3},
		{"min", "s", 60},
		{"h", "min", 60},
		{"d", "h", 24},
		{"seconds", "ms", 1e3},
		{"{packet}/s", "1/s", 1},
		{"{a}/s", "{b}/s", 1},
		{"/s", "1/s", 1},
		{"Hz", "1/s", 1},
		{"MHz", "GHz", 1e-3},
		{"{x}/min", "{y}/s", 1.0 / 60},
		{"KiBy/min", "By/s", 1024.0 / 60},
		{"By.s-1", "By/s", 1},
		{"m/s2", "m.s-2", 1},
		{"%/min", "1/s", 0.01 / 60},
		{"By/{op}", "By", 1},
		{"kW", "W", 1e3},
		{"kg", "g", 1e3},
		{"mV", "V", 1e-3},
		{"Cel", "Cel", 1},
		{"furlong", "furlong", 1},
		{"By", "1", 0},
		{"s", "By", 0},
		{"Cel", "K", 0},
		{"By", "By/s", 0},
		{"furlong", "1", 0},
		{"", "1", 0},
		{"", "By", 0},
		{"s", "Hz", 0},
		{"{cpu", "1", 0},
		{"kg", "By", 0},
		{"m", "min", 0},
		{"K", "By", 0},
	} {
		a, b := ParseUnit(c.a), ParseUnit(c.b)
		factor, same := a.Per(b)
		assert.Equal(t, c.factor != 0, same, "%q and %q", c.a, c.b)
		back, same := b.Per(a)
		assert.Equal(t, c.factor != 0, same, "%q and %q", c.b, c.a)
		if same {
			assert.InEpsilon(t, c.factor, factor, 1e-12, "%q in %q", c.a, c.b)
			assert.InEpsilon(t, 1/c.factor, back, 1e-12, "%q in %q", c.b, c.a)
		}
	}
}

func TestQuantitiesInUnitsByMeaning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		threshold, unit string
		want            float64
	}{
		{"80%", "{cpu}", 0.8},
		{"80%", "percent", 80},
		{"80%", "ratio", 0.8},
		{"5GiB", "KiBy", 5 << 20},
		{"5GiB", "MiBy", 5 << 10},
		{"10MB", "kBy", 1e4},
		{"1kB", "bit", 8000},
		{"10MB", "kBy/s", 1e4},
		{"10MB", "Mbit/s", 80},
		{"1MiB", "bytes", 1 << 20},
	} {
		q, err := parseQuantity(c.threshold)
		require.NoError(t, err)
		got, err := q.In(c.unit)
		require.NoError(t, err, "%s in %s", c.threshold, c.unit)
		assert.InEpsilon(t, c.want, got, 1e-12, "%s in %s", c.threshold, c.unit)
	}
	for threshold, units := range map[string][]string{"80%": {"", "By", "s", "1/s", "furlong"}, "5GiB": {"", "1", "%", "{thing}", "s", "1/s", "By2"}} {
		q, err := parseQuantity(threshold)
		require.NoError(t, err)
		for _, unit := range units {
			_, err := q.In(unit)
			assert.ErrorContains(t, err, threshold, unit)
		}
	}
}

func FuzzParseUnit(f *testing.F) {
	for _, s := range []string{"", "By/s", "{", "}", "a{b}c", "1/", ".", "//", "m-", "s99", "%/{x}.y", "Ki", "µ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u := ParseUnit(text)
		factor, same := u.Per(u)
		if !same || factor != 1 {
			t.Errorf("%q is %v of itself", text, factor)
		}
	})
}

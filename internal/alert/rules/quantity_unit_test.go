package rules

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuantitiesInTheUsualUnits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		threshold any
		unit      string
		want      float64
	}{
		{"30s", "s", 30},
		{"500ms", "s", 0.5},
		{"500 ms", "ms", 500},
		{"1h30m", "s", 5400},
		{"1h 30m", "min", 90},
		{"1.5h", "min", 90},
		{"2d", "h", 48},
		{"1w2d", "d", 9},
		{"5m", "s", 300},
		{"5min", "ms", 300_000},
		{"100us", "us", 100},
		{"100µs", "ns", 100_000},
		{"7ns", "ns", 7},
		{"-10m", "s", -600},
		{"90 seconds", "s", 90},
		{"2 hours", "h", 2},
		{"5Gi", "By", 5 << 30},
		{"5Ki", "KiBy", 5},
		{"1.5Mi", "By/s", 1.5 * (1 << 20)},
		{"5GBy", "By", 5e9},
		{"5GiB", "By", 5 << 30},
		{"2EiB", "By", 2 << 60},
		{"100Mbit/s", "By/s", 12.5e6},
		{"100Mbit/s", "bit/s", 1e8},
		{"1Gbit", "By/s", 1.25e8},
		{"100Mbps", "By/s", 12.5e6},
		{"10MBps", "By/s", 1e7},
		{"10MB/s", "By/s", 1e7},
		{"10 MiB/s", "KiBy/s", 10240},
		{"5Gi/s", "By/s", 5 << 30},
		{"60MB/min", "By/s", 1e6},
		{"1k", "{packet}", 1000},
		{"10K", "1", 10_000},
		{"5M", "By", 5e6},
		{"2.5G", "", 2.5e9},
		{"-3k", "1", -3000},
		{"1T", "x", 1e12},
		{"1e3k", "x", 1e6},
		{"10/s", "{packet}/s", 10},
		{"10k/s", "1/s", 10_000},
		{"60/min", "Hz", 1},
		{"2.5GHz", "Hz", 2.5e9},
		{"2500MHz", "GHz", 2.5},
		{"10/sec", "1/s", 10},
		{"70Cel", "Cel", 70},
		{"70°C", "Cel", 70},
		{"1.5kW", "W", 1500},
		{"12V", "mV", 12_000},
		{"50ppm", "1", 50e-6},
		{"50 percent", "%", 50},
	} {
		q, err := parseQuantity(c.threshold)
		require.NoError(t, err, c.threshold)
		got, err := q.In(c.unit)
		require.NoError(t, err, "%s in %s", c.threshold, c.unit)
		assert.InEpsilon(t, c.want, got, 1e-12, "%s in %s", c.threshold, c.unit)
	}
	for threshold, units := range map[string][]string{
		"30s": {"By", "1", "", "1/s", "%"}, "100Mbit/s": {"By", "s", "1/s"}, "5Gi": {"1", "s"}, "10/s": {"1", "s", "By/s"}, "70Cel": {"K", "1"},
	} {
		q, err := parseQuantity(threshold)
		require.NoError(t, err)
		for _, unit := range units {
			_, err := q.In(unit)
			require.ErrorContains(t, err, "threshold "+threshold+" needs a", unit)
		}
	}
	for _, text := range []string{"5GIB", "5 foo", "s", "5mm5", "1h30", "h1", "5/", "/s", "5 1", "1..5s", "--5s", "5s-", "5KB5", "10{x}", "5kk", "0x10s", "1_0s"} {
		_, err := parseQuantity(text)
		assert.ErrorContains(t, err, "expected a number, alone or with a unit", text)
	}
}

// Every spelling of a unit by itself means what it says: so many of it are so many of a metric that has it.
func TestEveryUnitIsOneOfItself(t *testing.T) {
	t.Parallel()
	for name := range atoms {
		if name == "m" || name == "K" || name == "d" || name == "ratio" { // As thresholds minutes, thousands, days; and a ratio is a percentage.
			continue
		}
		q, err := parseQuantity("12" + name)
		require.NoError(t, err, name)
		unit := name
		if name == "B" || name == "bits" || name == "bit" {
			unit = "By"
		}
		got, err := q.In(unit)
		require.NoError(t, err, name)
		want := 12 * ParseUnit(name).factor / ParseUnit(unit).factor
		assert.InEpsilon(t, want, got, 1e-12, name)
	}
}

// Bounds of one kind are compared before there is a metric, however they are spelled, and the rate of a metric is per second.
func TestMeasuredBoundsAreCompared(t *testing.T) {
	t.Parallel()
	compile := func(aggregate, warning, critical string) error {
		cfg := DefaultConfig()
		rc := RuleConfig{Name: "x", Metric: "m", Thresholds: map[string]LevelConfig{"warning": {Above: warning}, "critical": {Above: critical}}}
		if aggregate != "" {
			rc.Aggregate, rc.Window = aggregate, 60e9
		}
		cfg.Rules = []RuleConfig{rc}
		set, err := Compile(cfg)
		if err == nil && aggregate == "rate" {
			_, err = set.Rules[0].Levels[0].Resolve("By")
		}
		return err
	}
	require.NoError(t, compile("", "500ms", "2s"))
	require.NoError(t, compile("", "100Mbit/s", "20MB/s"))
	require.ErrorContains(t, compile("", "2s", "500ms"), "ladder is not monotone: critical above 500ms must be stricter than warning above 2s")
	require.ErrorContains(t, compile("", "1m", "59s"), "ladder is not monotone")
	require.NoError(t, compile("rate", "100Mbit/s", "1Gbit/s"))
	require.NoError(t, compile("rate", "10MB", "20MB"))
	for unit, want := range map[string]float64{"s": 0.8, "ms": 800, "1": 0.8, "%": 80} {
		q, err := parseQuantity("80%")
		require.NoError(t, err)
		q.rated = true
		got, err := q.In(unit)
		require.NoError(t, err)
		assert.InEpsilon(t, want, got, 1e-12, "a share of time in %s", unit)
	}
	require.ErrorContains(t, compile("rate", "10s", "20s"), `threshold 10s needs a value in "s" or a unit that it can be converted to, not in "By/s"`)
	cfg := DefaultConfig()
	cfg.Rules = []RuleConfig{{Name: "x", Metric: "m", Severity: "warning", LevelConfig: LevelConfig{Outside: []any{"1s", "5MB"}}}}
	_, err := Compile(cfg)
	require.ErrorContains(t, err, "1s and 5MB in level warning are of different units")
	for text, decimal := range map[string]bool{"10MB": true, "10MiB": false, "100Mbit/s": true, "5Gi": false, "5G": false, "30s": false, "10MiB/s": false} {
		q, err := parseQuantity(text)
		require.NoError(t, err)
		assert.Equal(t, decimal, q.decimal(), fmt.Sprint(text))
	}
}

// The thresholds of single groups are compared with rates like those of all.
func TestRatesOfGroupsHaveTheirUnits(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Rules = []RuleConfig{{
		Name: "x", Metric: "m", Aggregate: "rate", Window: 60e9, Thresholds: map[string]LevelConfig{"warning": {Above: "100Mbit/s"}},
		ThresholdsBy: &ThresholdsByConfig{Attribute: "device", Groups: []GroupThresholdsConfig{
			{Match: "eth1", Thresholds: map[string]any{"warning": "1Gbit/s"}},
		}},
	}}
	set, err := Compile(cfg)
	require.NoError(t, err)
	for _, levels := range [][]LevelSpec{set.Rules[0].Levels, set.Rules[0].ThresholdsBy.Entries[0].Levels} {
		_, err := levels[0].Resolve("By")
		require.NoError(t, err)
	}
}

// TestThresholdsAreConvertedWithoutRounding holds every spelling of a threshold in every unit that it can be converted to against exact arithmetic.
func TestThresholdsAreConvertedWithoutRounding(t *testing.T) {
	t.Parallel()
	exact := func(text string) *big.Rat {
		x, ok := new(big.Rat).SetString(text)
		require.True(t, ok, text)
		return x
	}
	power := map[string]string{
		"f": "1e-15", "p": "1e-12", "n": "1e-9", "u": "1e-6", "m": "1e-3", "c": "1e-2", "": "1", "k": "1e3", "M": "1e6", "G": "1e9", "T": "1e12", "P": "1e15",
		"Ki": "1024", "Mi": "1048576", "Gi": "1073741824", "Ti": "1099511627776", "Pi": "1125899906842624", "Ei": "1152921504606846976",
	}
	dimensions := []map[string]string{
		{"s": "1", "ms": "1e-3", "us": "1e-6", "ns": "1e-9", "min": "60", "h": "3600", "d": "86400"},
		{"%": "1e-2", "1": "1"},
		{},
		{},
		{},
	}
	for prefix, factor := range power {
		if !slices.Contains([]string{"f", "p", "n", "u", "m", "c"}, prefix) {
			dimensions[2][prefix+"By"] = factor
			dimensions[2][prefix+"bit"] = new(big.Rat).Mul(exact(factor), exact("0.125")).RatString()
			dimensions[3][prefix+"By/s"] = factor
		}
		if !strings.HasSuffix(prefix, "i") {
			dimensions[4][prefix+"Hz"] = factor
		}
	}
	for _, units := range dimensions {
		for from, f := range units {
			for to, o := range units {
				for _, number := range []string{"0.1", "0.29", "0.3", "0.5", "0.7", "1", "1.1", "2.3", "7", "49.9", "90", "123.456", "500", "999.999"} {
					if from == "1" {
						continue // That is a bare number.
					}
					q, err := parseQuantity(number + from)
					require.NoError(t, err, "%s%s", number, from)
					got, err := q.In(to)
					require.NoError(t, err, "%s%s in %s", number, from, to)
					x := new(big.Rat).Quo(new(big.Rat).Mul(exact(number), exact(f)), exact(o))
					want, _ := x.Float64()
					assert.Zero(t, want-got, "%s%s in %s: to the last bit", number, from, to)
				}
				want, _ := new(big.Rat).Quo(exact(f), exact(o)).Float64()
				got, same := ParseUnit(from).Per(ParseUnit(to))
				assert.True(t, same)
				assert.InEpsilon(t, want, got, 4e-16, "%s in %s", from, to)
			}
		}
	}
	for text, want := range map[string]float64{"1.5k": 1500, "2.3k": 2300, "1h30m": 5400, "0.1s0.2s": 0.3, "-0.3s": -0.3} {
		q, err := parseQuantity(text)
		require.NoError(t, err)
		got, err := q.In("s")
		require.NoError(t, err)
		assert.Zero(t, want-got, text)
	}
}

package textfile

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const boot, previous, now = pcommon.Timestamp(1e9), pcommon.Timestamp(5e9), pcommon.Timestamp(6e9)

// emitted gives what a set makes of files, in the order of their names, and what it tells of them.
func emitted(s *Set, files ...string) (pmetric.MetricSlice, []string) {
	var told []string
	out := pmetric.NewMetricSlice()
	s.Begin()
	there := map[string]bool{}
	for i, text := range files {
		path, version := string(rune('a'+i)), Version{Size: int64(len(text))}
		there[path] = true
		if !s.Known(path, version) {
			s.Read(path, version, []byte(text), nil)
		}
		if _, err := s.Emit(path, out, now, boot, previous); err != nil {
			told = append(told, path+": "+err.Error())
		}
	}
	s.End(there)
	return out, told
}

func names(m pmetric.MetricSlice) []string {
	var out []string
	for i := range m.Len() {
		out = append(out, m.At(i).Name())
	}
	return out
}

// TestKindsOfMetrics: as the prometheus receiver has them.
func TestKindsOfMetrics(t *testing.T) {
	t.Parallel()
	out, told := emitted(&Set{MaxSeries: 100}, `# HELP jobs_total Jobs.
# TYPE jobs_total counter
jobs_total{job="a"} 3
# TYPE temp gauge
temp -4.5
untyped_thing 7
# TYPE d histogram
d_bucket{le="1"} 2
d_bucket{le="5"} 6
d_bucket{le="+Inf"} 9
d_sum 30
d_count 9
# TYPE s summary
s{quantile="0.5"} 2
s_sum 12
s_count 4
`)
	require.Empty(t, told)
	require.Equal(t, []string{"d", "jobs_total", "s", "temp", "untyped_thing"}, names(out))
	h := out.At(0).Histogram().DataPoints().At(0)
	assert.Equal(t, []float64{1, 5}, h.ExplicitBounds().AsRaw())
	assert.Equal(t, []uint64{2, 4, 3}, h.BucketCounts().AsRaw())
	assert.Equal(t, []any{uint64(9), 30.0, boot}, []any{h.Count(), h.Sum(), h.StartTimestamp()})
	sum := out.At(1).Sum()
	assert.True(t, sum.IsMonotonic())
	assert.Equal(t, "Jobs.", out.At(1).Description())
	p := sum.DataPoints().At(0)
	assert.Equal(t, []any{3.0, boot, now, map[string]any{"job": "a"}}, []any{p.DoubleValue(), p.StartTimestamp(), p.Timestamp(), p.Attributes().AsRaw()})
	q := out.At(2).Summary().DataPoints().At(0).QuantileValues().At(0)
	assert.Equal(t, []float64{0.5, 2}, []float64{q.Quantile(), q.Value()})
	assert.InDelta(t, -4.5, out.At(3).Gauge().DataPoints().At(0).DoubleValue(), 0)
	assert.InDelta(t, 7, out.At(4).Gauge().DataPoints().At(0).DoubleValue(), 0)
}

// TestBrokenFilesAreLeftOutAsAWhole, and the others are not.
func TestBrokenFilesAreLeftOutAsAWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, told string }{
		"no text format":      {"a 1\n{", "text format parsing error"},
		"timestamps":          {"a 1 1700000000000\n", "timestamps"},
		"a series twice":      {"a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n", "twice"},
		"another type":        {"# TYPE good counter\ngood{x=\"1\"} 2\n", "another file has it as a gauge"},
		"another's series":    {"# TYPE good gauge\ngood 2\n", "another file has good{}, too"},
		"no UTF-8":            {"a{x=\"\xff\"} 1\n", "label value"},
		"counts that fall":    {"# TYPE h histogram\nh_bucket{le=\"1\"} 5\nh_bucket{le=\"2\"} 3\nh_bucket{le=\"+Inf\"} 5\nh_sum 1\nh_count 5\n", "no histogram"},
		"too many series":     {"b{x=\"1\"} 1\nb{x=\"2\"} 1\nb{x=\"3\"} 1\nb{x=\"4\"} 1\n", "max_series is 4"},
		"cut in a line":       {"# TYPE b counter\nb 1\nc{x=\"", "text format parsing error"},
		"no end of last line": {"b 1", "unexpected end of input"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &Set{MaxSeries: 4}
			out, told := emitted(s, "# TYPE good gauge\ngood 1\n", c.text, "last 1\n")
			assert.Equal(t, []string{"good", "last"}, names(out))
			require.Len(t, told, 1)
			assert.Contains(t, told[0], "b: ")
			assert.Contains(t, told[0], c.told)
			_, told = emitted(s, "# TYPE good gauge\ngood 1\n", c.text, "last 1\n")
			assert.Empty(t, told, "once")
			out, told = emitted(s, "# TYPE good gauge\ngood 1\n", "mended 1\n", "last 1\n")
			assert.Empty(t, told)
			assert.Equal(t, []string{"good", "mended", "last"}, names(out))
		})
	}
}

func TestHelpIsMadeUTF8(t *testing.T) {
	t.Parallel()
	out, told := emitted(&Set{MaxSeries: 4}, "# HELP a bad \xff text\n# TYPE a gauge\na 1\n")
	require.Empty(t, told)
	assert.Equal(t, "bad � text", out.At(0).Description())
}

// TestHistogramsBeginAgain where their counts have fallen.
func TestHistogramsBeginAgain(t *testing.T) {
	t.Parallel()
	s := &Set{MaxSeries: 4}
	start := func(text string) pcommon.Timestamp {
		out, told := emitted(s, text)
		require.Empty(t, told)
		return out.At(0).Summary().DataPoints().At(0).StartTimestamp()
	}
	assert.Equal(t, boot, start("# TYPE s summary\ns_sum 1\ns_count 10\n"))
	assert.Equal(t, boot, start("# TYPE s summary\ns_sum 12\ns_count 110\n"))
	assert.Equal(t, previous, start("# TYPE s summary\ns_sum 1\ns_count 2\n"))
	assert.Equal(t, previous, start("# TYPE s summary\ns_sum 1\ns_count 33\n"))
}

// TestFilesAreParsedWhenTheyChange and not at each scrape.
func TestFilesAreParsedWhenTheyChange(t *testing.T) {
	t.Parallel()
	s := &Set{MaxSeries: 4}
	s.Begin()
	v := Version{Modified: time.Unix(1, 0), Size: 4, Inode: 1}
	assert.False(t, s.Known("a", v))
	s.Read("a", v, []byte("a 1\n"), nil)
	assert.True(t, s.Known("a", v))
	for _, other := range []Version{{Modified: time.Unix(2, 0), Size: 4, Inode: 1}, {Modified: time.Unix(1, 0), Size: 5, Inode: 1}, {Modified: time.Unix(1, 0), Size: 4, Inode: 2}} {
		assert.False(t, s.Known("a", other))
	}
	s.Read("a", v, nil, errors.New("gone"))
	assert.False(t, s.Known("a", v), "what could not be read is tried again")
}

// TestNamesThatNoFileMayHave: a file neither speaks for the receiver nor has names that a backend refuses or a terminal obeys.
func TestNamesThatNoFileMayHave(t *testing.T) {
	t.Parallel()
	own := []string{"system.memory.usage", "system.cpu.time", "system.cpu.load_average.1m", "hw.temperature"}
	s := func() *Set {
		return &Set{MaxSeries: 100, Reserved: NewReserved(slices.Values(own), slices.Values([]string{"host.name", "service.name"}))}
	}
	for name, text := range map[string]string{
		"the receiver's own":            "{\"system.memory.usage\"} 1\n",
		"its form in Prometheus":        "system_memory_usage_bytes{state=\"used\"} 1\n",
		"without the unit":              "system_cpu_time 1\n",
		"a counter":                     "# TYPE system_cpu_time_seconds_total counter\nsystem_cpu_time_seconds_total 1\n",
		"of a form in between":          "{\"system.memory_usage\"} 1\n",
		"ending in a unit":              "hw_temperature_celsius 1\n",
		"a resource's attribute":        "a{\"host.name\"=\"other\"} 1\n",
		"labels that become the same":   "a{\"x.y\"=\"1\",x_y=\"2\"} 1\n",
		"a control character":           "{\"a\x1b[31m\"} 1\n",
		"a line feed":                   "{\"a\\nb\"} 1\n",
		"direction of text":             "{\"a\u202eb\"} 1\n",
		"a control character, in label": "a{\"b\x07\"=\"1\"} 1\n",
		"no letter":                     "{\"‽\"} 1\n",
		"long":                          strings.Repeat("a", 300) + " 1\n",
	} {
		out, told := emitted(s(), text)
		require.Len(t, told, 1, name)
		assert.Less(t, len(told[0]), 600, name)
		assert.Zero(t, out.Len(), name)
	}
	out, told := emitted(s(), "a_temperature 1\n{\"größe.x\",\"where.to\"=\"\x1b\"} 1\nhost_name{host_name=\"x\"} 2\nsystem_cpu_times 1\n")
	require.Empty(t, told)
	assert.Equal(t, 4, out.Len())
}

// TestMessagesQuoteLittle: a line of megabytes is not one of the log, too.
func TestMessagesQuoteLittle(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	for _, text := range []string{"a " + long + "\n", "a{b=\"" + long + "\"} 1\na{b=\"" + long + "\"} 1\n", long} {
		_, told := emitted(&Set{MaxSeries: 10}, text)
		require.Len(t, told, 1)
		assert.Less(t, len(told[0]), 600)
	}
	out, _ := emitted(&Set{MaxSeries: 10}, "# HELP a "+long+"\na 1\n")
	assert.Less(t, len(out.At(0).Description()), 2000)
}

// FuzzFile holds that no text makes the reader panic, or emit what is no metric.
func FuzzFile(f *testing.F) {
	for _, text := range []string{
		"", "a 1\n", "# TYPE a counter\na{b=\"c\"} 1\n", "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n",
		"# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns_sum 1\ns_count 2\n", "{\"a.b\",\"c.d\"=\"e\"} 1\n", "a 1 7\n", "# HELP a \xff\na NaN\n",
		"{}\n", "# TYPE h histogram\n{e=\"\"} ", "#TYPE h histogram\n{e=\"\"} ",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &Set{MaxSeries: 1000}
		for range 2 {
			out, told := emitted(s, string(text))
			if len(told) > 0 {
				require.Zero(t, out.Len())
			}
			for i := range out.Len() {
				m := out.At(i)
				require.NotEmpty(t, m.Name())
				if m.Type() != pmetric.MetricTypeHistogram {
					continue
				}
				for j := range m.Histogram().DataPoints().Len() {
					p := m.Histogram().DataPoints().At(j)
					require.Equal(t, p.ExplicitBounds().Len()+1, p.BucketCounts().Len())
					total, bound := uint64(0), math.Inf(-1)
					for k := range p.BucketCounts().Len() {
						total += p.BucketCounts().At(k)
					}
					require.Equal(t, p.Count(), total)
					for k := range p.ExplicitBounds().Len() {
						require.Greater(t, p.ExplicitBounds().At(k), bound)
						bound = p.ExplicitBounds().At(k)
					}
				}
			}
		}
	})
}

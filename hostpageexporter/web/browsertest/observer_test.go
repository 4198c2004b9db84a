package browsertest

import (
	"bufio"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// reading is the kernel's counters at one moment: seconds of each CPU in each mode, and bytes of interfaces and disks.
type reading struct {
	began, ended time.Time
	counters     map[string]float64
}

// userHz is USER_HZ, the unit of /proc/stat: 100 a second on every architecture that Go runs Linux on, whatever the kernel was built with (see time(7)).
const userHz = 100

// modes are the columns of a CPU in /proc/stat, see proc(5); the guests' time is in user and nice.
var modes = []string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}

func readKernel(t *testing.T) reading {
	t.Helper()
	r := reading{began: time.Now(), counters: map[string]float64{}}
	fields := func(file string, take func(f []string)) {
		text, err := os.ReadFile(file) //nolint:gosec // One of three.
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			take(strings.Fields(strings.Replace(line, ":", " ", 1)))
		}
	}
	number := func(text string) float64 {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	fields("/proc/stat", func(f []string) {
		if name, found := strings.CutPrefix(f[0], "cpu"); found && name != "" {
			for i, m := range modes {
				r.counters["cpu "+name+" "+m] = number(f[i+1]) / userHz
			}
		}
	})
	fields("/proc/net/dev", func(f []string) {
		if len(f) > 9 && !strings.Contains(f[1], "|") {
			r.counters[f[0]+" in"], r.counters[f[0]+" out"] = number(f[1]), number(f[9])
		}
	})
	fields("/proc/diskstats", func(f []string) {
		r.counters[f[2]+" read"], r.counters[f[2]+" write"] = 512*number(f[5]), 512*number(f[9])
	})
	r.ended = time.Now()
	return r
}

// observer looks at the Prometheus exporter and at the kernel in turn.
type observer struct {
	t        *testing.T
	url      string
	readings []reading
	// samples are the exporter's by series and by their own time; complete is after how many readings the last series of a time was first seen: a
	// scrape may come in parts.
	samples  map[string]map[int64]float64
	complete map[int64]int
}

var (
	line = regexp.MustCompile(`^([a-z0-9_]+)\{(.*)\} (\S+) (\d+)$`)
	pair = regexp.MustCompile(`([a-z0-9_]+)="((?:[^"\\]|\\.)*)"`)
)

// look reads the kernel and then the exporter.
func (o *observer) look() {
	o.t.Helper()
	o.readings = append(o.readings, readKernel(o.t))
	res, err := http.Get(o.url) //nolint:noctx // It ends with the agent.
	if err != nil {
		return // It does not listen yet.
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := line.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		var labels []string
		for _, p := range pair.FindAllStringSubmatch(m[2], -1) {
			if !strings.HasPrefix(p[1], "otel_scope_") {
				labels = append(labels, p[2])
			}
		}
		// Labels come in the order of their names, so the values alone name the series.
		key := m[1] + " " + strings.Join(labels, " ")
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			o.t.Fatal(err)
		}
		at, _ := strconv.ParseInt(m[4], 10, 64)
		if o.samples[key] == nil {
			o.samples[key] = map[int64]float64{}
		}
		if _, known := o.samples[key][at]; !known {
			o.samples[key][at], o.complete[at] = v, len(o.readings)
		}
	}
}

// bounds are what a counter of the kernel was at least and at most when the sample of a time was taken: what it was before that time, and
// after the sample had been seen.
func (o *observer) bounds(counter string, at int64) (least, most float64) {
	o.t.Helper()
	before := -1
	for i, r := range o.readings {
		if r.ended.UnixMilli() <= at {
			before = i
		}
	}
	after := o.complete[at]
	if before < 0 || after >= len(o.readings) {
		o.t.Fatalf("the kernel was not read before and after %d", at)
	}
	return o.readings[before].counters[counter], o.readings[after].counters[counter]
}

// growth is by how much a counter of the kernel grew between two samples, at least and at most.
func (o *observer) growth(counter string, from, to int64) (least, most float64) {
	a, b := o.bounds(counter, from)
	c, d := o.bounds(counter, to)
	return max(c-b, 0), max(d-a, 0)
}

// sample is that of a series at a time.
func (o *observer) sample(series string, at int64) float64 {
	o.t.Helper()
	v, known := o.samples[series][at]
	if !known {
		o.t.Fatalf("the exporter has no %s at %d, only %v", series, at, slices.Sorted(maps.Keys(o.samples[series])))
	}
	return v
}

// probe is a series of every scrape of the system.
const probe = "system_memory_limit_bytes "

// newestPair are the newest two scrapes that follow each other for the page, that both were seen whole at the exporter, and before and after which the
// kernel was read. There may be none yet.
func (o *observer) newestPair(url string) (earlier, newest int64, found bool) {
	o.t.Helper()
	if len(o.samples[probe]) < 4 || !o.mountsSeen() {
		return 0, 0, false
	}
	res, err := http.Get(url + "api/range?series=system.memory.limit&from=-5m&width=1000") //nolint:noctx // It ends with the agent.
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct{ Groups []struct{ Times []int64 } }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || len(answer.Groups) != 1 {
		o.t.Fatalf("%v: %v", answer, err)
	}
	// The last that was seen at the exporter may not have come whole.
	times, last := answer.Groups[0].Times, slices.Max(slices.Collect(maps.Keys(o.samples[probe])))
	seen := func(at int64) bool {
		_, sample := o.samples[probe][at]
		return sample && at < last && o.readings[0].ended.UnixMilli() <= at && o.complete[at] < len(o.readings)
	}
	for i := len(times) - 1; i > 0; i-- {
		if seen(times[i-1]) && seen(times[i]) {
			return times[i-1], times[i], true
		}
	}
	return 0, 0, false
}

func (o *observer) mountsSeen() bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(o.samples)), func(k string) bool { return strings.HasPrefix(k, "system_filesystem_limit_bytes ") })
}

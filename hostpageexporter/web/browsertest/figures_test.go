package browsertest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
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
				r.counters["cpu "+name+" "+m] = number(f[i+1]) / 100
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

// TestFiguresAgreeWithProcAndPrometheus: one pipeline feeds the page and a Prometheus exporter. What the page shows at the time of a sample is
// what the exporter has of that time, to the last digit shown, and lies within what the kernel counted around it.
func TestFiguresAgreeWithProcAndPrometheus(t *testing.T) {
	free, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	config := filepath.Join(t.TempDir(), "prometheus.yaml")
	text := "exporters: {prometheus: {endpoint: \"" + address + "\", send_timestamps: true}}\n" +
		"service: {pipelines: {metrics: {exporters: [host_page, alert, prometheus]}}}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	url := agent(t, "--config", config)
	o := &observer{t: t, url: "http://" + address + "/metrics", samples: map[string]map[int64]float64{}, complete: map[int64]int{}}
	deadline := time.Now().Add(time.Minute)
	for seen := 0; len(o.samples[probe]) < seen+3 || seen == 0; time.Sleep(30 * time.Millisecond) {
		if o.look(); seen == 0 && len(o.samples[probe]) >= 4 && o.mountsSeen() {
			seen = len(o.samples[probe])
		}
		if time.Now().After(deadline) {
			t.Fatalf("the exporter has only %d scrapes", len(o.samples[probe]))
		}
	}
	o.readings = append(o.readings, readKernel(t))

	earlier, newest := o.newestPair(url)
	b := open(t, url+fmt.Sprintf("#utc=1&from=%s&to=%s&at=%s", stamp(newest-40_000), stamp(newest+500), stamp(newest)))
	b.until("the cursor is shown", `document.querySelector('.window').textContent.startsWith('◆')`)

	o.compareMemory(b, newest)
	o.compareCPUs(b, earlier, newest)
	o.compareRates(b, "Network", "system_network_io_bytes_total", map[string]string{"in": "receive", "out": "transmit"}, earlier, newest)
	o.compareRates(b, "Disks", "system_disk_io_bytes_total", map[string]string{"read": "read", "write": "write"}, earlier, newest)
	o.compareFilesystems(b, newest)
	b.noFaults()
}

// newestPair are the newest two scrapes that follow each other for the page, and that both were seen at the exporter. The last that was seen there may
// not have come whole.
func (o *observer) newestPair(url string) (earlier, newest int64) {
	o.t.Helper()
	res, err := http.Get(url + "api/range?series=system.memory.limit&from=-1m&width=600") //nolint:noctx // It ends with the agent.
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct{ Groups []struct{ Times []int64 } }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || len(answer.Groups) != 1 {
		o.t.Fatalf("%v: %v", answer, err)
	}
	times, last := answer.Groups[0].Times, slices.Max(slices.Collect(maps.Keys(o.samples[probe])))
	for i := len(times) - 1; i > 0; i-- {
		_, first := o.samples[probe][times[i-1]]
		if _, second := o.samples[probe][times[i]]; first && second && times[i] < last {
			return times[i-1], times[i]
		}
	}
	o.t.Fatalf("the page has scrapes at %v, the exporter at %v", times, slices.Sorted(maps.Keys(o.samples[probe])))
	return 0, 0
}

func (o *observer) mountsSeen() bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(o.samples)), func(k string) bool { return strings.HasPrefix(k, "system_filesystem_limit_bytes ") })
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

func (o *observer) compareMemory(b *tab, at int64) {
	o.t.Helper()
	for _, row := range b.table("Memory") {
		if want := bytesText(o.sample("system_memory_usage_bytes "+row[0], at)); row[1] != want {
			o.t.Errorf("memory %s: the exporter has %s, the page shows %s", row[0], want, row[1])
		}
	}
	limit := o.sample("system_memory_limit_bytes ", at)
	used := limit - o.sample("system_memory_linux_available_bytes ", at)
	if got, want := b.vital("memory"), []string{percent(used / limit), "of " + bytesText(limit)}; !slices.Equal(got, want) {
		o.t.Errorf("memory: the exporter has %v, the page shows %v", want, got)
	}
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		o.t.Fatal(err)
	}
	var total float64
	if _, err := fmt.Sscanf(string(text), "MemTotal: %f kB", &total); err != nil || total*1024 != limit {
		o.t.Errorf("MemTotal is %.0f kB, the exporter has %.0f bytes: %v", total, limit, err)
	}
}

func (o *observer) compareCPUs(b *tab, from, at int64) {
	o.t.Helper()
	share := func(cpu, mode string) float64 { return o.sample("system_cpu_utilization_ratio "+cpu+" "+mode, at) }
	rows := b.table("Each CPU")
	together := 0.0
	for _, row := range rows {
		cpu := strings.TrimPrefix(row[0], "cpu ")
		idle := share(cpu, "idle") + share(cpu, "iowait")
		if want := percent(max(0, 1-idle)); row[1] != want {
			o.t.Errorf("%s: the exporter has %s, the page shows %s", row[0], want, row[1])
		}
		together += max(0, 1-idle) / float64(len(rows))
		// What was idle, and what was not, by the kernel.
		var least, most [2]float64
		for _, m := range modes {
			i := 0
			if m != "idle" && m != "iowait" {
				i = 1
			}
			lo, hi := o.growth("cpu "+cpu+" "+m, from, at)
			least[i], most[i] = least[i]+lo, most[i]+hi
		}
		// iowait and idle may step back by a tick: see proc(5).
		const tick = 0.02
		lo, hi := (least[1]-tick)/(least[1]+most[0]+tick), (most[1]+tick)/(most[1]+least[0])
		if busy := 1 - idle; busy < lo || busy > hi {
			o.t.Errorf("%s: %.3f busy is not between %.3f and %.3f, as /proc/stat has it", row[0], busy, lo, hi)
		}
	}
	if len(rows) == 0 {
		o.t.Fatal("no CPU is shown")
	}
	if got, want := b.vital("CPU")[0], percent(together); got != want {
		o.t.Errorf("CPU: the exporter has %s, the page shows %s", want, got)
	}
	for _, row := range b.table("CPU") {
		mean := 0.0
		for _, cpu := range rows {
			mean += share(strings.TrimPrefix(cpu[0], "cpu "), row[0]) / float64(len(rows))
		}
		if want := percent(mean); row[1] != want {
			o.t.Errorf("CPU %s: the exporter has %s, the page shows %s", row[0], want, row[1])
		}
	}
}

// compareRates compares the lines of a chart of bytes a second; ways are the values of the label by the words of the page.
func (o *observer) compareRates(b *tab, title, metric string, ways map[string]string, from, at int64) {
	o.t.Helper()
	elapsed := float64(at-from) / 1000
	for _, row := range b.table(title) {
		name, word, _ := strings.Cut(row[0], " ")
		key := metric + " " + name + " " + ways[word]
		if title == "Disks" {
			key = metric + " " + ways[word] + " " + name
		}
		grew := o.sample(key, at) - o.sample(key, from)
		// The exporter's times are cut to milliseconds, those of the page are not.
		var allowed []string
		for i := -10; i <= 10; i++ {
			allowed = append(allowed, rateText(grew/(elapsed+float64(i)*1e-4)))
		}
		if !slices.Contains(allowed, row[1]) {
			o.t.Errorf("%s %s: the exporter has %s, the page shows %s", title, row[0], rateText(grew/elapsed), row[1])
		}
		if lo, hi := o.growth(row[0], from, at); grew < lo || grew > hi {
			o.t.Errorf("%s %s: %.0f bytes are not between %.0f and %.0f, as the kernel has it", title, row[0], grew, lo, hi)
		}
	}
}

func (o *observer) compareFilesystems(b *tab, at int64) {
	o.t.Helper()
	rows := eval[[][]string](b, `[...document.querySelectorAll('.fs tbody tr')].map(r => [...r.cells].map(c => c.textContent))`)
	if len(rows) == 0 {
		o.t.Error("no filesystem is shown")
	}
	for _, row := range rows {
		values := map[string]float64{}
		for key, samples := range o.samples {
			f := strings.Fields(key)
			if len(f) != 6 || f[0] != "system_filesystem_usage_bytes" || f[3] != row[0] {
				continue
			}
			newest := int64(0)
			for t := range samples {
				if t <= at {
					newest = max(newest, t)
				}
			}
			values[f[4]] = samples[newest]
		}
		used, free := values["used"], values["free"]
		want := []string{percent(used / (used + free)), bytesText(free), bytesText(used + free + values["reserved"])}
		if got := []string{row[2], row[4], row[5]}; !slices.Equal(got, want) {
			o.t.Errorf("filesystem %s: the exporter has %v, the page shows %v", row[0], want, got)
		}
	}
}

// table opens the table behind a chart, and returns its rows.
func (b *tab) table(title string) [][]string {
	b.t.Helper()
	section := fmt.Sprintf(`document.querySelector('section[aria-label=%q]')`, title)
	eval[any](b, section+`.scrollIntoView()`)
	eval[any](b, fmt.Sprintf(`[...%s.querySelectorAll('button')].filter(b => b.textContent === 'table' && b.getAttribute('aria-pressed') === 'false').forEach(b => b.click())`, section))
	b.until("the table has values", section+`.querySelector('.values tbody td')`)
	return eval[[][]string](b, fmt.Sprintf(`[...%s.querySelectorAll('.values tbody tr')].map(r => [...r.cells].map(c => c.textContent))`, section))
}

// vital is the text and the note of a vital sign.
func (b *tab) vital(name string) []string {
	b.t.Helper()
	return eval[[]string](b, fmt.Sprintf(`[...document.querySelectorAll('.vitals dt')].filter(d => d.textContent === %q).flatMap(d => [...d.parentElement.querySelectorAll('dd')].map(x => x.textContent))`, name))
}

// bytesText and rateText write bytes, and bytes a second, as the page does.
func bytesText(v float64) string { return scaled(v, 1024, "Ki") }

func rateText(v float64) string {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 7, 64), 64)
	return scaled(v, 1000, "k") + "/s"
}

func scaled(v, base float64, first string) string {
	prefixes := []string{"", first, "M", "G", "T", "P"}
	if base == 1024 {
		prefixes = []string{"", "Ki", "Mi", "Gi", "Ti", "Pi"}
	}
	i := 0
	for ; math.Abs(v) >= base*0.9995 && i < len(prefixes)-1; i++ {
		v /= base
	}
	return digits(v) + " " + prefixes[i] + "B"
}

// digits are three significant ones.
func digits(v float64) string {
	fixed := func(places int) string {
		unit := math.Pow10(places)
		return strconv.FormatFloat(math.Floor(v*unit+0.5)/unit, 'f', -1, 64)
	}
	switch {
	case v >= 100:
		return fixed(0)
	case v >= 10:
		return fixed(1)
	case v >= 0.995:
		return fixed(2)
	default:
		short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 2, 64), 64)
		return strconv.FormatFloat(short, 'f', -1, 64)
	}
}

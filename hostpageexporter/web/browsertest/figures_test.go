package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFiguresAgreeWithProcAndPrometheus: one pipeline feeds the page and a Prometheus exporter. What the page shows at the time of a sample is
// what the exporter has of that time, to the last digit shown, and lies within what the kernel counted around it.
func TestFiguresAgreeWithProcAndPrometheus(t *testing.T) {
	address := freeAddress(t)
	config := filepath.Join(t.TempDir(), "prometheus.yaml")
	text := "exporters: {prometheus: {endpoint: \"" + address + "\", send_timestamps: true}}\n" +
		"service: {pipelines: {metrics: {exporters: [host_page, alert, prometheus]}}}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	url := agent(t, "--config", config)
	o := &observer{t: t, url: "http://" + address + "/metrics", samples: map[string]map[int64]float64{}, complete: map[int64]int{}}
	var earlier, newest int64
	// Each scrape is seen between two readings of the kernel, if nothing delays this process for longer than a scrape takes to come.
	waitFor(t, "two scrapes in a row are seen at the exporter and on the page", 30*time.Millisecond, func() (found bool) {
		seen := len(o.samples[probe])
		if o.look(); len(o.samples[probe]) == seen {
			return false
		}
		o.readings = append(o.readings, readKernel(t))
		earlier, newest, found = o.newestPair(url)
		return found
	})

	b := open(t, url+fmt.Sprintf("#utc=1&from=%s&to=%s&at=%s", stamp(newest-40_000), stamp(newest+500), stamp(newest)))
	b.until("the cursor is shown", `document.querySelector('.window').textContent.startsWith('◆')`)

	o.compareMemory(b, newest)
	o.compareCPUs(b, earlier, newest)
	o.compareRates(b, "Network", "system_network_io_bytes_total", map[string]string{"in": "receive", "out": "transmit"}, earlier, newest)
	o.compareRates(b, "Disks", "system_disk_io_bytes_total", map[string]string{"read": "read", "write": "write"}, earlier, newest)
	o.compareFilesystems(b, newest)
	b.noFaults()
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
	if got := b.vital("memory"); len(got) != 2 || !slices.Contains(means(used/limit), got[0]) || got[1] != "of "+bytesText(limit) {
		o.t.Errorf("memory: the exporter has %v of %s, the page shows %v", means(used/limit), bytesText(limit), got)
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
		if want := means(max(0, 1-idle)); !slices.Contains(want, row[1]) {
			o.t.Errorf("%s: the exporter has one of %v, the page shows %s", row[0], want, row[1])
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
	if got, want := b.vital("CPU")[0], means(together); !slices.Contains(want, got) {
		o.t.Errorf("CPU: the exporter has one of %v, the page shows %s", want, got)
	}
	for _, row := range b.table("CPU") {
		mean := 0.0
		for _, cpu := range rows {
			mean += share(strings.TrimPrefix(cpu[0], "cpu "), row[0]) / float64(len(rows))
		}
		if want := means(mean); !slices.Contains(want, row[1]) {
			o.t.Errorf("CPU %s: the exporter has one of %v, the page shows %s", row[0], want, row[1])
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

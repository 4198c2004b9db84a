package compat

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	// replayed is how many scrapes, of one a second, each Collector makes, and replayedRange the range of rates: all scrapes of one of them.
	replayed      = 10
	replayedRange = "15s"
	replayedHost  = "host.example"
)

// panel is a query of a dashboard that was made for hostmetricsreceiver.
type panel struct {
	source, names, title, query string
}

func (p *panel) String() string { return p.title + " of " + p.source + ": " + p.query }

// readPanels reads testdata/dashboards.txt.
func readPanels(t *testing.T) (panels []panel) {
	t.Helper()
	text, err := os.ReadFile("testdata/dashboards.txt")
	if err != nil {
		t.Fatal(err)
	}
	var of panel
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if value, ok := strings.CutPrefix(line, "source: "); ok {
			of.source = value
		} else if value, ok := strings.CutPrefix(line, "names: "); ok {
			of.names = value
		} else if title, query, ok := strings.Cut(line, " | "); ok && !strings.HasPrefix(line, "#") {
			panels = append(panels, panel{of.source, of.names, title, query})
		} else if line != "" && !strings.HasPrefix(line, "#") {
			t.Fatalf("testdata/dashboards.txt: no panel: %q", line)
		}
	}
	return panels
}

// TestDashboardsGoOn stops a Collector with hostmetricsreceiver, starts ours with the same configuration, and asks a Prometheus 3 that got the data of both
// what dashboards ask that were made for the former: each query that it answered goes on being answered, with the same labels. Under each series of
// the former there are points of ours, and its counter goes on.
func TestDashboardsGoOn(t *testing.T) {
	root := repository(t)
	busy := keepBusy(t)
	old := recordOne(t, filepath.Join(root, "bench/build/hostmetrics/otelcol-hostmetrics"))
	ours := recordOne(t, binaryUnderTest(root))

	panels, known := readPanels(t), readDifferences(t)
	for _, names := range []string{"UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes"} {
		t.Run(names, func(t *testing.T) {
			both, oursAlone := startPrometheus(t, root, names, promoted), startPrometheus(t, root, names, promoted)
			both.write(t, old.messages)
			both.write(t, ours.messages)
			oursAlone.write(t, ours.messages)
			variables := strings.NewReplacer("$host", replayedHost, "$range", replayedRange, "$pid", busy[0])
			asked := 0
			for _, p := range panels {
				if p.names != names {
					continue
				}
				asked++
				query := variables.Replace(p.query)
				was, is := both.query(t, query, old.end), oursAlone.query(t, query, ours.end)
				t.Logf("%d series, and %d: %s", len(was), len(is), p.title)
				checkAnswers(t, &p, known, busy, was, is)
			}
			if asked < 20 {
				t.Errorf("%d panels asked", asked)
			}
			checkSeriesGoOn(t, both, &old, &ours, known, busy)
		})
	}
}

// TestSeriesGoOnWithAllAttributes has every attribute of the resources as a label: the series of hostmetricsreceiver go on if the attributes that it has not
// are left out, as docs/migrating.md says.
func TestSeriesGoOnWithAllAttributes(t *testing.T) {
	root := repository(t)
	text, err := os.ReadFile("../../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	const leftOut = "resource_attributes: {host.id: {enabled: false}, process.creation.time: {enabled: false}}"
	if !strings.Contains(string(text), leftOut) {
		t.Fatalf("docs/migrating.md does not say %s", leftOut)
	}
	settings := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(settings, []byte("receivers: {hostmetrics: {"+leftOut+"}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	busy := keepBusy(t)
	old := recordOne(t, filepath.Join(root, "bench/build/hostmetrics/otelcol-hostmetrics"))
	ours := recordOne(t, binaryUnderTest(root), "--config", settings)
	both := startPrometheus(t, root, "UnderscoreEscapingWithSuffixes", "promote_all_resource_attributes: true")
	both.write(t, old.messages)
	both.write(t, ours.messages)
	checkSeriesGoOn(t, both, &old, &ours, readDifferences(t), busy)
}

// checkAnswers holds the labels of an answer against those before. Processes come and go: of those it is the ones that ran all the time.
func checkAnswers(t *testing.T, p *panel, known []difference, busy []string, was, is []promSeries) {
	t.Helper()
	have := map[string]bool{}
	for _, s := range is {
		have[s.comparable(known)] = true
	}
	for _, s := range was {
		if have[s.comparable(known)] || listed(known, p.query, s.labels) || s.comesAndGoes(busy) {
			continue
		}
		t.Errorf("%s\nwas answered with %s, and now with %d others, as %s", p, s.text(), len(have), slices.Sorted(maps.Keys(have))[:min(len(have), 3)])
	}
}

// comesAndGoes tells whether a series is of a process that is none of the busy ones.
func (s promSeries) comesAndGoes(busy []string) bool {
	pid := s.labels["process_pid"]
	return pid != "" && !slices.Contains(busy, pid)
}

// comparable is the text of the labels without those whose values docs/migrating.md says to be other ones.
func (s promSeries) comparable(known []difference) string {
	labels := maps.Clone(s.labels)
	for _, d := range known {
		delete(labels, strings.ReplaceAll(d.metric, ".", "_"))
	}
	return promSeries{labels: labels}.text()
}

// checkSeriesGoOn looks at every series that Prometheus had when the former Collector ended: there are points of ours in it, and no counter was reset.
func checkSeriesGoOn(t *testing.T, both *promServer, old, ours *recording, known []difference, busy []string) {
	t.Helper()
	const all = `{__name__=~"(system|process)_.+"}`
	was := both.query(t, all, old.end)
	if len(was) < 100 {
		t.Fatalf("hostmetricsreceiver gave %d series", len(was))
	}
	// What is asked for here has a point of the last seconds, which is of ours.
	goesOn := map[string]bool{}
	for _, s := range both.query(t, `last_over_time(`+all+`[5s])`, ours.end) {
		goesOn[s.comparable(known)] = true
	}
	names, ended := map[string]bool{}, 0
	for _, s := range was {
		names[s.labels["__name__"]] = true
		if s.comesAndGoes(busy) {
			continue
		}
		if !goesOn[s.comparable(known)] && !listed(known, s.labels["__name__"], s.labels) {
			if ended++; ended <= 10 {
				t.Errorf("ends with the former Collector: %s", s.text())
			}
		}
	}
	counters := 0
	for name := range names {
		if !old.isCounter(name) || differs(known, name) {
			continue
		}
		counters++
		for _, s := range both.query(t, `resets(`+name+`[5m]) > 0`, ours.end) {
			// A process has fewer context switches when a thread of it has ended.
			if !s.comesAndGoes(busy) && !both.fellByRounding(t, name, s, old.end, ours.end) {
				t.Errorf("%s was reset: %s", name, s.text())
			}
		}
	}
	if counters < 10 {
		t.Errorf("%d counters", counters)
	}
	t.Logf("%d series, %d of them end, %d names of counters", len(was), ended, counters)
}

// fellByRounding tells whether a series fell by no more than hostmetricsreceiver's sums of the times of the CPUs are off, which are sums of floating-point
// numbers. docs/migrating.md says so.
func (p *promServer) fellByRounding(t *testing.T, name string, s promSeries, end, now time.Time) bool {
	t.Helper()
	if !strings.HasPrefix(name, "system_cpu_time") {
		return false
	}
	selector := name + s.text()
	was := p.query(t, `last_over_time(`+selector+`[1m])`, end)
	is := p.query(t, fmt.Sprintf(`min_over_time(%s[%dms])`, selector, now.Sub(end).Milliseconds()), now)
	return len(was) == 1 && len(is) == 1 && was[0].value-is[0].value < 1e-9*was[0].value
}

// isCounter tells whether a name in Prometheus is of a monotonic sum.
func (r *recording) isCounter(name string) bool {
	for counter := range r.counters {
		if suffix, ok := strings.CutPrefix(name, strings.ReplaceAll(counter, ".", "_")); ok && (suffix == "" || strings.HasSuffix(suffix, "_total")) {
			return true
		}
	}
	return false
}

// differs tells whether docs/migrating.md says that the values of a metric are other ones.
func differs(known []difference, name string) bool {
	return slices.ContainsFunc(known, func(d difference) bool {
		return !d.missing && strings.HasPrefix(name, strings.ReplaceAll(d.metric, ".", "_"))
	})
}

// listed tells whether docs/migrating.md has that such a series is missing.
func listed(known []difference, query string, labels map[string]string) bool {
	for _, d := range known {
		if !strings.Contains(query, strings.ReplaceAll(d.metric, ".", "_")) {
			continue
		}
		all := d.missing
		for _, a := range d.attributes {
			key, value, _ := strings.Cut(a, "=")
			all = all && labels[strings.ReplaceAll(key, ".", "_")] == value
		}
		if all {
			return true
		}
	}
	return false
}

// recording is what one Collector has emitted.
type recording struct {
	messages []pmetric.Metrics
	counters map[string]bool
	end      time.Time // of its last scrape
}

// recordOne runs a Collector with the configuration of both until it has made its scrapes, and ends it.
func recordOne(t *testing.T, binary string, args ...string) recording {
	t.Helper()
	running, file := startCollector(t, binary, args...)
	deadline, limited := t.Deadline()
	for len(file.scrapes()) < replayed {
		if err := running.Ended(); err != nil {
			t.Fatal(err)
		}
		if limited && time.Until(deadline) < 20*time.Second {
			t.Fatalf("%s: %d scrapes when the test has to end", binary, len(file.scrapes()))
		}
		time.Sleep(200 * time.Millisecond)
		file.follow(t)
	}
	if err := running.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := running.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", binary, err, running.Output())
	}
	text, err := os.ReadFile(file.path)
	if err != nil {
		t.Fatal(err)
	}
	out := recording{counters: map[string]bool{}}
	for line := range strings.Lines(string(text)) {
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics([]byte(line))
		if err != nil {
			t.Fatalf("%s: %v", file.path, err)
		}
		for _, rm := range md.ResourceMetrics().All() {
			// As the processor resourcedetection writes it, without which hostmetricsreceiver tells nothing of the host.
			rm.Resource().Attributes().PutStr("host.name", replayedHost)
			rm.Resource().Attributes().PutStr("os.type", "linux")
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() {
						out.counters[m.Name()] = true
					}
				}
			}
		}
		out.messages = append(out.messages, md)
	}
	file.follow(t)
	scrapes := file.scrapes()
	out.end = scrapes[len(scrapes)-1].time.Add(500 * time.Millisecond)
	return out
}

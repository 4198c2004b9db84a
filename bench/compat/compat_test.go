// Package compat holds the receiver's `compat: hostmetrics` against hostmetricsreceiver itself: both run side by side on this host with one
// configuration, and every series of the one has to be in the other, with the same values.
package compat

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// scrapes is how many of either are compared, at least: one a second, of which the first gives no shares.
const scrapes = 10

// series is a stream of one of the two receivers.
type series struct {
	metric, attributes, process string
	shape                       string // unit, type, kind of number, temporality
	scope                       string
	points                      []point
}

type point struct {
	time  time.Time
	value float64
}

func (s *series) String() string {
	text := s.metric
	if s.attributes != "" {
		text += "{" + s.attributes + "}"
	}
	if s.process != "" {
		text += " of process " + s.process
	}
	return text
}

// output is what one receiver emitted.
type output struct {
	series    map[string]*series
	resources map[string]map[string]any // of processes, by pid
}

// TestSideBySide is the proof that whoever changes from hostmetricsreceiver loses nothing but what docs/migrating.md lists.
func TestSideBySide(t *testing.T) {
	known := readDifferences(t)
	steady := keepBusy(t)
	old, ours := runBoth(t)
	if len(old.series) < 100 {
		t.Fatalf("hostmetricsreceiver gave %d series only", len(old.series))
	}
	failures := map[string][]string{} // by metric and attributes: many processes have the same
	used := map[int]bool{}
	compared := 0
	for _, key := range slices.Sorted(maps.Keys(old.series)) {
		was := old.series[key]
		if was.process != "" && (ours.resources[was.process] == nil || !lived(was, old)) {
			continue // One that began or ended meanwhile.
		}
		why := ""
		is, there := ours.series[key]
		switch {
		case !there:
			why = "is missing"
		case is.shape != was.shape:
			why = fmt.Sprintf("is %s, and was %s", is.shape, was.shape)
		case scraperOf(is.scope) != scraperOf(was.scope):
			why = fmt.Sprintf("is of %s, and was of %s", is.scope, was.scope)
		case was.process == "" || slices.Contains(steady, was.process):
			why = compare(was, is)
		}
		compared++
		if why == "" {
			continue
		}
		if i := slices.IndexFunc(known, func(d difference) bool { return d.is(was, there) }); i >= 0 {
			used[i] = true
			continue
		}
		kind := was.metric + "{" + was.attributes + "}"
		failures[kind] = append(failures[kind], was.String()+" "+why)
	}
	maps.Copy(failures, compareResources(known, steady, old, ours))
	t.Logf("%d series compared, %d of the listed differences seen", compared, len(used))
	for _, kind := range slices.Sorted(maps.Keys(failures)) {
		t.Errorf("%s (%d of this kind)", failures[kind][0], len(failures[kind]))
	}
}

// scraperOf is the end of the name of a scope, by which backends know it.
func scraperOf(scope string) string {
	_, scraper, _ := strings.Cut(scope, "/receiver/hostmetricsreceiver/internal/scraper/")
	return scraper
}

// lived tells whether a process was there all the time.
func lived(s *series, of *output) bool {
	uptime := of.series["process.uptime||"+s.process]
	return uptime != nil && len(uptime.points) >= scrapes-1 && uptime.points[0].value > 1
}

// compareResources compares the attributes of the resources of processes. One without a value is empty in the old.
func compareResources(known []difference, steady []string, old, ours *output) map[string][]string {
	failures := map[string][]string{}
	for _, pid := range steady {
		was, is := old.resources[pid], ours.resources[pid]
		if was == nil || is == nil {
			failures[pid] = []string{fmt.Sprintf("process %s is missing", pid)}
		}
		for key, value := range was {
			of := &series{metric: key, attributes: "resource"}
			if value == "" && is[key] == nil || is[key] == value || slices.ContainsFunc(known, func(d difference) bool { return d.is(of, true) }) {
				continue
			}
			failures[key] = append(failures[key], fmt.Sprintf("process %s: %s is %q, and was %q", pid, key, is[key], value))
		}
	}
	return failures
}

// runBoth runs the two Collectors at the same time on a host where something happens.
func runBoth(t *testing.T) (old, ours *output) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	binary := os.Getenv("OTELCOL_PSUTIL")
	if binary == "" {
		binary = filepath.Join(root, "otelcol-psutil")
	}
	peer := filepath.Join(root, "bench/build/hostmetrics/otelcol-hostmetrics")
	for _, path := range []string{binary, peer} {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%v: `make compat` builds both Collectors", err)
		}
	}
	config, err := filepath.Abs("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var dirs [2]string
	var running [2]*collector.Process
	for i, path := range []string{peer, binary} {
		dirs[i] = t.TempDir()
		cmd := exec.Command(path, "--config", config)
		cmd.Env = append(os.Environ(), "OUTPUT="+filepath.Join(dirs[i], "metrics.json"))
		if running[i], err = collector.Start(dirs[i], cmd); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(running[i].Kill)
	}
	files := [2]string{filepath.Join(dirs[0], "metrics.json"), filepath.Join(dirs[1], "metrics.json")}
	waitForScrapes(t, running, files)
	for _, p := range running {
		if _, err := p.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	return read(t, files[0]), read(t, files[1])
}

// waitForScrapes waits until both have scraped often enough.
func waitForScrapes(t *testing.T, running [2]*collector.Process, files [2]string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for done := 0; done < len(files); time.Sleep(500 * time.Millisecond) {
		done = 0
		for i, file := range files {
			if err := running[i].Ended(); err != nil {
				t.Fatal(err)
			}
			text, _ := os.ReadFile(file)
			if bytes.Count(text, []byte(`"system.uptime"`)) >= scrapes {
				done++
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d scrapes take more than two minutes", scrapes)
		}
	}
}

// keepBusy starts processes that use CPU time, write, and sleep. It returns the processes that stay what they are: others may run another program
// between two readings. The first two are init and the first thread of the kernel.
func keepBusy(t *testing.T) (steady []string) {
	t.Helper()
	steady = []string{"1", "2", strconv.Itoa(os.Getpid())}
	for _, script := range []string{
		"renice 19 $$ >/dev/null; while :; do :; done",
		"while :; do dd if=/dev/zero of=file bs=64k count=16 conv=fsync 2>/dev/null; sleep 0.2; done",
		"sleep 3600",
	} {
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = t.TempDir()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		steady = append(steady, strconv.Itoa(cmd.Process.Pid))
	}
	return steady
}

// read reads what a Collector wrote: a message a line. The last may be cut.
func read(t *testing.T, path string) *output {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := &output{series: map[string]*series{}, resources: map[string]map[string]any{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<28)
	for lines.Scan() {
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(lines.Bytes())
		if err != nil {
			continue
		}
		for _, rm := range md.ResourceMetrics().All() {
			out.add(rm)
		}
	}
	return out
}

func (o *output) add(rm pmetric.ResourceMetrics) {
	process := ""
	if pid, ok := rm.Resource().Attributes().Get("process.pid"); ok {
		process = pid.AsString()
		o.resources[process] = rm.Resource().Attributes().AsRaw()
	}
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			shape, points := describe(m)
			for _, p := range points.All() {
				attributes := text(p.Attributes())
				key := m.Name() + "|" + attributes + "|" + process
				s := o.series[key]
				if s == nil {
					s = &series{metric: m.Name(), attributes: attributes, process: process, shape: shape + " " + p.ValueType().String(), scope: sm.Scope().Name()}
					o.series[key] = s
				}
				value := p.DoubleValue()
				if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
					value = float64(p.IntValue())
				}
				s.points = append(s.points, point{p.Timestamp().AsTime(), value})
			}
		}
	}
}

func describe(m pmetric.Metric) (string, pmetric.NumberDataPointSlice) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Unit() + " gauge", m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		return fmt.Sprintf("%s sum monotonic=%t %s", m.Unit(), m.Sum().IsMonotonic(), m.Sum().AggregationTemporality()), m.Sum().DataPoints()
	}
	return m.Unit() + " " + m.Type().String(), pmetric.NewNumberDataPointSlice()
}

func text(attributes pcommon.Map) string {
	var parts []string
	for key, v := range attributes.All() {
		parts = append(parts, key+"="+v.AsString())
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// line is a straight line through samples.
type line struct {
	// atStart is its value at the start of the run, perHour its slope, and doubt the standard error of that.
	atStart, perHour, doubt float64
}

// neighbours is how many samples in a row are taken to say the same as one: memory moves in waves of Go's collector, and a line through waves is
// less sure than one through noise.
const neighbours = 6

// fit draws the line of least squares.
func fit(samples []sample, of func(*sample) float64) line {
	n := float64(len(samples))
	if n < 3 {
		return line{doubt: math.Inf(1)}
	}
	var meanX, meanY float64
	for i := range samples {
		meanX += samples[i].at.Hours() / n
		meanY += of(&samples[i]) / n
	}
	var xx, xy float64
	for i := range samples {
		dx := samples[i].at.Hours() - meanX
		xx += dx * dx
		xy += dx * (of(&samples[i]) - meanY)
	}
	l := line{perHour: xy / xx}
	l.atStart = meanY - l.perHour*meanX
	var rest float64
	for i := range samples {
		d := of(&samples[i]) - l.atStart - l.perHour*samples[i].at.Hours()
		rest += d * d
	}
	l.doubt = math.Sqrt(rest / (n - 2) / xx * neighbours)
	return l
}

// quantity is one of the quantities that must not grow.
type quantity struct {
	name, unit string
	of         func(*sample) float64
	bound      float64
	line       line
}

// grows tells whether the quantity grows beyond its bound, and that is no accident of the samples.
func (f *quantity) grows() bool { return f.line.perHour-2*f.line.doubt > f.bound }

// sure tells whether the samples can tell growth at the bound from none.
func (f *quantity) sure() bool { return 2*f.line.doubt <= f.bound }

// result is what the samples after the warm-up say.
type result struct {
	quantities             []*quantity
	counted                []sample
	scrapesLate, lateReads float64
}

func judge(o *options, samples []sample) *result {
	v := &result{quantities: []*quantity{
		{name: "anonymous memory", unit: "MiB", of: func(x *sample) float64 { return x.anonymous }, bound: o.memory},
		{name: "mapped files", unit: "MiB", of: func(x *sample) float64 { return x.mapped }, bound: o.memory},
		{name: "state on disk", unit: "MiB", of: func(x *sample) float64 { return x.state }, bound: o.memory},
		{name: "live heap", unit: "MiB", of: func(x *sample) float64 { return x.heap }, bound: o.heap},
		{name: "descriptors", of: func(x *sample) float64 { return x.descriptors }, bound: o.descriptors},
		{name: "other descriptors", of: func(x *sample) float64 { return x.descriptors - x.held }, bound: o.others},
		{name: "goroutines", of: func(x *sample) float64 { return x.goroutines }, bound: o.gos},
	}}
	for i := range samples {
		if samples[i].at >= o.warm {
			v.counted = append(v.counted, samples[i])
		}
	}
	for _, f := range v.quantities {
		f.line = fit(v.counted, f.of)
	}
	if n := len(samples); n > 0 {
		v.scrapesLate, v.lateReads = samples[n-1].scrapesLate, samples[n-1].samplesLate
	}
	return v
}

// report prints the quantities, and returns an error where something grows, was late, or went nowhere.
func (v *result) report(o *options, samples []sample, c *churn, taken map[string]int, t collector.Telemetry, usage collector.Usage,
	warnings int, said string,
) error {
	if len(v.counted) < 3 {
		return errors.New("too few samples for a result")
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	last := samples[len(samples)-1]
	spent := (last.cpu - v.counted[0].cpu).Seconds() / (last.at - v.counted[0].at).Seconds()
	fmt.Printf("%v, of which the first %v do not count; %d samples\n", o.duration, o.warm.Round(time.Second), len(v.counted))
	for _, f := range v.quantities {
		fmt.Printf("  %-20s at first %8.1f, at the end %8.1f, a trend of %+.2f ± %.2f %s an hour (bound %g)\n", f.name,
			f.of(&v.counted[0]), f.of(&last), f.line.perHour, 2*f.line.doubt, f.unit, f.bound)
		switch {
		case f.grows():
			fault("%s: it grows", f.name)
		case !f.sure():
			fmt.Printf("  %-20s the run is too short to tell so small a growth\n", "")
		}
	}
	fmt.Printf("  scrapes, late scrapes, late samples %8.0f %8.0f %8.0f\n", last.scrapes, v.scrapesLate, v.lateReads)
	fmt.Printf("  CPU, percent of one core; peak memory (MiB) %8.1f %8.1f\n", 100*spent, usage.Peak/(1<<20))
	fmt.Printf("  processes that came and went, not started for lack of room %d %d\n", c.started.Load(), c.skipped.Load())
	fmt.Printf("  alerts: fired, resolved %8.0f %8.0f\n",
		t.Sum("alert_transitions", `transition="fire"`), t.Sum("alert_transitions", `transition="resolve"`))
	for _, name := range backends {
		fmt.Printf("  requests to %-16s %8d\n", name, taken[name])
		if taken[name] == 0 {
			fault("nothing came to %s", name)
		}
	}
	unsent := t.Sum("exporter_send_failed") + t.Sum("exporter_enqueue_failed")
	fmt.Printf("  not exported, warnings %8.0f %8d\n", unsent, warnings)
	if v.scrapesLate > 0 {
		fault("%.0f scrapes were late", v.scrapesLate)
	}
	if unsent > 0 || warnings > 0 {
		fault("not all went well:\n%s", said[:min(len(said), 4000)])
	}
	if len(faults) == 0 && !slices.ContainsFunc(v.quantities, func(f *quantity) bool { return !f.sure() }) {
		fmt.Println("nothing grows, nothing was late")
	} else if len(faults) == 0 {
		fmt.Println("no growth is shown, nothing was late; a longer run would tell more")
	}
	return errors.Join(faults...)
}

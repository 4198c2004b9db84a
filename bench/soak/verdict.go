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

// figure is one of the quantities that must not grow.
type figure struct {
	name, unit string
	of         func(*sample) float64
	bound      float64
	line       line
}

// grows tells whether the figure grows beyond its bound, and that is no accident of the samples.
func (f *figure) grows() bool { return f.line.perHour-2*f.line.doubt > f.bound }

// sure tells whether the samples can tell growth at the bound from none.
func (f *figure) sure() bool { return 2*f.line.doubt <= f.bound }

// verdict is what the samples after the warm-up say.
type verdict struct {
	figures              []*figure
	counted              []sample
	lateTicks, lateReads float64
}

func judge(o *options, samples []sample) *verdict {
	v := &verdict{figures: []*figure{
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
	for _, f := range v.figures {
		f.line = fit(v.counted, f.of)
	}
	if n := len(samples); n > 0 {
		v.lateTicks, v.lateReads = samples[n-1].lateTicks, samples[n-1].lateSamples
	}
	return v
}

// report prints the figures, and returns an error where something grows, was late, or went nowhere.
func (v *verdict) report(o *options, samples []sample, c *churn, taken map[string]int, t collector.Telemetry, usage collector.Usage,
	warnings int, said string,
) error {
	if len(v.counted) < 3 {
		return errors.New("too few samples for a verdict")
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	last := samples[len(samples)-1]
	spent := (last.cpu - v.counted[0].cpu).Seconds() / (last.at - v.counted[0].at).Seconds()
	fmt.Printf("%v, of which the first %v do not count; %d samples\n", o.duration, o.warm.Round(time.Second), len(v.counted))
	for _, f := range v.figures {
		fmt.Printf("  %-20s at first %8.1f, at the end %8.1f, a trend of %+.2f ± %.2f %s an hour (bound %g)\n", f.name,
			f.of(&v.counted[0]), f.of(&last), f.line.perHour, 2*f.line.doubt, f.unit, f.bound)
		switch {
		case f.grows():
			fault("%s: it grows", f.name)
		case !f.sure():
			fmt.Printf("  %-20s the run is too short to tell so small a growth\n", "")
		}
	}
	fmt.Printf("  scrapes, late ticks, late samples %8.0f %8.0f %8.0f\n", last.scrapes, v.lateTicks, v.lateReads)
	fmt.Printf("  CPU, percent of one core; peak memory (MiB) %8.1f %8.1f\n", 100*spent, usage.Peak/(1<<20))
	fmt.Printf("  processes that came and went, not started for want of room %d %d\n", c.started.Load(), c.skipped.Load())
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
	if v.lateTicks > 0 {
		fault("%.0f ticks were late", v.lateTicks)
	}
	if unsent > 0 || warnings > 0 {
		fault("not all went well:\n%s", said[:min(len(said), 4000)])
	}
	if len(faults) == 0 && !slices.ContainsFunc(v.figures, func(f *figure) bool { return !f.sure() }) {
		fmt.Println("nothing grows, nothing was late")
	} else if len(faults) == 0 {
		fmt.Println("no growth is shown, nothing was late; a longer run would tell more")
	}
	return errors.Join(faults...)
}

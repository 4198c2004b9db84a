package rules

import "github.com/otelcol-psutil/otelcol-psutil/internal/alert/ladder"

// compileForSamples fills how many of the newest samples must breach a level. It takes the place of a duration, that of the defaults, too.
func compileForSamples(spec *LevelSpec, lc LevelConfig, report func(string, ...any)) {
	n := lc.ForSamples
	if n == nil {
		return
	}
	switch {
	case lc.For != nil:
		report(`%s: "for" and "for_samples" exclude each other: one is a duration, the other a number of samples`, spec.title())
	case n.Breached < 1 || n.Of < n.Breached || n.Of > ladder.MaxSamples:
		report("%s: for_samples is %d of %d: expected breached from 1 to of, and of at most %d", spec.title(), n.Breached, n.Of, ladder.MaxSamples)
	}
	spec.ForDuration = 0
	spec.ForSamples = ladder.SampleCount{Breached: n.Breached, Of: n.Of}
}

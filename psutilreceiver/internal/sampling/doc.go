// Package sampling aggregates what is read often and exported seldom: the values of a series between two exports become one
// histogram, which has the mean, the extremes and any percentile.
//
// A Counter turns the totals of a counter into rates, by the rules of package stream: the first total, one that is lower than the
// last and one of another thing are baselines and give none. A Set holds the series of one scraper. One goroutine samples into
// them, by its own clock; another takes the histograms, and delays the first no longer than it takes to exchange pointers.
// Only the sampler and the export of the psutil receiver call it. The package knows neither the kernel nor OTLP.
package sampling

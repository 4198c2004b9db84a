// Package window holds the samples of one data point stream and works out one number of those in a span of time: aggregates, the increase
// of counters over their resets, a linear forecast, and statistics of histogram and summary points.
//
// Times are event times in nanoseconds since the epoch, spans are in nanoseconds. Percentiles are linear between neighbours, at rank
// q·(n−1), over samples and in buckets alike.
package window

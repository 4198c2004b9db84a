// Package textfile reads metrics in the text format of Prometheus, as programs and cron jobs leave them in files, and keeps what a file says until
// the file changes.
//
// A file counts as a whole or not at all: one that can't be parsed, that has timestamps, the same series twice, or a metric of another type or a
// series that a file before it has, is left out. What of it is emitted is what the prometheus receiver makes of the same text: counters are monotonic
// sums, gauges and untyped metrics gauges, histograms and summaries what they are.
package textfile

// Package stream makes the monotonic sums of a scrape well-formed OTLP streams.
//
// It has two halves. Starts gives, while a scraper reads, the time since which
// each named thing (a disk, a network interface) counts; the scraper puts that
// time on its points as their start. Stage then walks what one scrape emitted and,
// in place, detects resets, keeps start times true, converts to delta
// temporality and adds rates. Scrapers that know a birth time of their own (a
// process has one) need only the Stage.
//
// The rules of a stream, in one place:
//
//   - First sight is a baseline. A delta is never taken from a total whose past
//     is unknown. A stream whose start is at or after the first complete scrape
//     was born in view of the receiver and counts in full from its birth.
//   - A base is a point of another time than its scrape's. The scraper puts it
//     before a stream's own point where deltas are made, to say that what was
//     counted until then was counted elsewhere: the delta begins there, and the
//     base itself gives none. At or before a point that the stream has, it is
//     held, and changes nothing.
//   - A lower value, or a start that moved, is a reset: the stream restarts at
//     its previous point's time, or at its new start where that is later, and a
//     delta takes the new total.
//   - A start that moves within the time before the first complete scrape while
//     the value does not fall is jitter of an estimate (a boot time), not a
//     reset; the first start is kept.
//   - A start that is not before its point comes from a clock that stepped; the
//     time of the previous scrape stands in for it.
//   - A rate is a difference over monotonic time. There is none on first sight,
//     not even for a stream born in view, since only the wall clock dates a
//     birth; none over a reset; none for zero or negative elapsed time.
//   - A point that is no total (no value, NaN, infinite, negative, without a
//     time) is dropped.
//
// The wall clock only dates points, and it may step. After a step forward the
// next interval is long in timestamps and true in value. After a step back, a
// point that is not after its stream's previous point is held: it is dropped
// and nothing is forgotten, so that the next point covers the whole interval
// and no two intervals overlap. Holding ends when the clock has caught up, or
// at once where it is more than HoldLimit behind: then the earlier timestamps
// were the wrong ones, silence would last as long as the step, and the stream
// goes on upon the new clock with the true interval before the point. That is
// the one case in which timestamps overlap earlier ones, and it is counted. What
// is born after such a step and dated before the first complete scrape passes
// for one with an unknown past: its first total is lost rather than guessed.
package stream

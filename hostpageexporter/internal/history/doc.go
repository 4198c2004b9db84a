// Package history keeps what a host did, in bounded memory, and answers what it was at a time.
//
// Series are kept in tiers. The finest holds the samples as they came, compressed: counters as totals, which are divided when they are
// read. Series of one scrape share an axis, which holds the true times once; the codec sees the number of the scrape instead of its time,
// which costs one bit. Coarser tiers hold the minimum, maximum and average of each interval, so that what is read from far away still has
// every spike. Process tables are kept as tables, and alerts as episodes.
//
// Closed blocks lie in segments outside Go's heap, a log for each tier. The limit of memory is kept by dropping the oldest segment of the
// finest tier that has one.
//
// The package knows nothing of the Collector, and reads no clock: writers and readers say what time it is. All times are microseconds since
// the epoch, where nothing else is said. A Store is safe for concurrent use, and no call waits for another's decoding.
package history

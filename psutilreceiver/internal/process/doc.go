// Package process follows the processes of a host from scrape to scrape and chooses which of them are shown.
//
// A [read.Source] reads. A [Tracker] gives each process an identity (pid and start), turns totals into differences, filters, ranks and
// groups, and answers each scrape with a [Snapshot]. Turning a snapshot into metrics is the caller's work: this package knows no Collector
// type.
//
// # Invariants
//
// Let the delta of a process be what its counters grew by since the previous scrape: everything since birth for a process born after the
// first scrape, nothing for one first seen otherwise, because its past is unknown. Each scrape puts the delta of every process that is alive,
// and where the source tells of ends also the delta of every one that has ended, into exactly one place, by where the process belongs now: its own series if it is shown, its group's if processes are grouped, the
// remainder ([Snapshot.Other]) if the ranking leaves it out, or [Snapshot.Excluded] if a filter does. So, for every [read.Counter],
//
//	sum of deltas shown + delta of Other + delta of Excluded = sum of the deltas of all processes
//
// exactly and in every scrape, and the same with levels in place of deltas, for everything that is read: what cannot be read, and what is not
// read of excluded processes, adds nothing on either side. Only deltas >= 0 are added to a total, so no total falls:
// a member that exits leaves behind what it added, and a process that moves from the remainder to its own series takes its future along,
// not its past. A shown process carries its own true total, of which the part before its last delta may have been counted elsewhere:
// a consumer that sums deltas starts such a series at Total - Delta ([Process.Base]).
//
// # Processes that end
//
// What a process used after its last reading, and what one used that started and ended between two scrapes, depends on the source.
//
// With /proc, CPU time of these is found in the children's times of the process that waited for them: see reaped.go. Their I/O is in the I/O of
// the process that waited. So is the I/O of children that were seen and counted, which is discounted: see inherited.go. Faults and context
// switches are lost, and so is everything of a process that nobody waited for.
//
// A [read.ExitSource] tells of every end, with all that was used until then: see ends.go. Nothing is lost but what it says it has lost, which
// [Snapshot.LostEnds] counts.
package process

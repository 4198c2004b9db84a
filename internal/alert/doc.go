// Package alert is the alert engine: it takes number data points, runs threshold rules over them, and hands out
// records of what changed. It knows neither pdata nor the Collector, imports little but the standard library, starts no
// goroutine and asks no clock: whoever drives it says what time it is.
//
// # Packages
//
//	alert     engine: feed, series and groups, evaluation, announcements, stored state
//	rules     what is written: configuration, checks, selectors, kinds of rules, versions, texts
//	window    the samples of a series, and what one number is made of them
//	ladder    the state machine of one alert
//	event     records, and the outbox in which they wait
//	attr      attributes, keys made of them, the primitives of stored forms
//
// An arrow is an import: alert → rules → window → attr, rules → ladder → attr, alert → event → attr. The linter holds them. A new kind of
// rule is a file rules/kind_*.go; the engine asks a rule's Kind and knows none by name.
//
// # Driving it
//
// An adapter owns one Engine and a lock around it, and goes through this cycle:
//
//	set, err := rules.Compile(cfg)                 // Once; err lists everything that is wrong.
//	engine := alert.New(set, now)
//	err = engine.Restore(values, now)              // Optional, with what statestore.Store.Load gave; an error means a partly fresh start.
//
//	engine.Begin(now)                              // For every batch of metrics:
//	m := engine.Matcher(metric.Name())             //   nil: no rule looks at this metric.
//	if m != nil && m.Select(&origin, stream) {     //   false: no rule looks at it from this resource and scope.
//		m.Observe(&point)                          //   For every data point.
//	}
//	engine.Flush(now)                              //   Evaluates what the batch touched.
//
//	engine.Evaluate(now)                           // Every evaluation_interval: what time decides.
//
//	ops := engine.Snapshot(now)                    // After Flush and Evaluate: store ops in one write …
//	events = engine.Peek(events[:0], 100)          // … then deliver, without the lock, …
//	engine.Ack(seqs...)                            // … and acknowledge what has arrived.
//
// Origin, the attribute slices and Point are the adapter's to reuse; the engine copies what it keeps.
//
// # How it decides
//
// A rule is a ladder of levels. Its groups, one for each value of the group key, have one alert each, which moves up
// and down the ladder (package ladder). Event time, the time of the data points, decides on windows, for and
// keep_firing_for, so that replicas agree. What time decides without a sample (absence, no data, staleness) is decided as of the
// last sample plus a duration (due.go), by running time: the time in which the engine has run (clock.go). Wall time decides only on repeats and
// silences. A group is evaluated at the time of each of its samples. Between samples the last value holds; once the
// next sample is overdue, Evaluate goes on with the held value until lookback ends. With an explicit lookback
// every Evaluate does so, as Prometheus would.
//
// What changed becomes a record unless a silence, a limit, the flapping latch or the storm budget holds it back
// (announce.go). What was held back is announced later if it is still true. The resolve of an announced fire is never
// held back, and nothing is resolved that was not announced.
//
// Everything is bounded: series, samples, groups (by series), undelivered events, rendered text.
package alert

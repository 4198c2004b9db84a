// Package alertpipe is what the alert processor and the alert connector share: it feeds metrics to the engine of
// internal/alert, and brings the engine's events to logs pipelines as records.
//
// # Who does what
//
// A Pipe owns one engine behind a lock. Inputs take metrics in, sinks give records out; each belongs to one node of the
// Collector's graph and is started and stopped with it.
//
//	Input.Consume ──► engine ──► outbox        under the lock, and no further: the metrics pipeline never waits
//	                    ▲          │
//	          ticks ────┘          ▼
//	                    loop: Evaluate, Snapshot, write to storage, hand a batch to each idle sink
//	                               │
//	                               ▼
//	                    one goroutine a sink: ConsumeLogs, again until it is accepted, then acknowledge
//
// The loop writes the state before it hands a batch out, so that whatever a receiver has heard of survives a crash. A sink
// that blocks holds up itself alone. An event leaves the outbox when every sink has delivered it.
//
// # Stopping
//
// The Collector stops pipelines that have no edge between them in an order that differs from run to run. So the first node that
// stops freezes the pipe: from then on inputs only pass data through and nothing changes state. Each sink, as it stops,
// delivers what is left while the exporters behind it still run. The last node writes the rest to storage, or, without storage,
// leaves the state for a pipe of the same ID that starts within two minutes: a reload of the configuration.
package alertpipe

// Package alertschema is what alert records look like: the event names, the attribute keys, the names of transitions, states and reasons,
// and how alerts, episodes and records are identified. The engine writes by it; exporters and tools read by it, and need not know the
// engine. It imports the standard library only.
//
// # Numbers
//
// Kinds, transitions, states and reasons are stored by number. A number is never used again for something else, and never changed: a new
// one takes the next free number. Nothing computes with the order of numbers.
package alertschema

// The instrumentation scope of every alert record.
const (
	// ScopeName is the name of the scope.
	ScopeName = "github.com/otelcol-psutil/otelcol-psutil"
	// SchemaVersion is the version of the scope, which is that of the records' schema.
	SchemaVersion = "0.1.0"
)

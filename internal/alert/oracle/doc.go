// Package oracle holds the alert engine against Prometheus' rules engine: the same series, the same evaluation times,
// and the list of what fires when must be the same, from random rules and series as well as from written stories.
// Where the two differ on purpose, a test with a name of its own says why.
//
// It is a module of its own so that users of the components never download what they are compared with.
package oracle

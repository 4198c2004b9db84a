// Package rules compiles what an operator writes into rules that the alert engine runs: the configuration and its checks, selectors, group
// keys, kinds of rules, units, templates, silences, and the versions that stored alerts are compared by.
//
// What differs between kinds of rules is behind the interface Kind, one file a kind (kind_*.go). What the semantic conventions say of
// metrics and resources is in convention.go alone.
package rules

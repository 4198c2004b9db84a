// Package attr holds what all packages of the alert engine stand on: attributes and their values, where they come from, the keys of series
// and groups that are made of them, and the primitives of stored forms. It imports the standard library only.
package attr

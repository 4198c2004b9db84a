// Package boltfile checks files of bbolt without opening them as a database. bbolt trusts its files: what is damaged makes it panic, in goroutines of
// its own too, or reads past the end of a mapped file, and nobody can recover from either. It imports the standard library only.
package boltfile
